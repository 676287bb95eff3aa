"""From a verified caller and server-side facts to the total input document of a decision.

Nothing here comes from the arguments but the arguments themselves. Absent values are left out
or empty, never null; nested arguments are represented by their digest, so that the document
stays small and flat whatever a caller sends.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casewright import __version__
from casewright.canonical import digest
from casewright.clock import Clock
from casewright.contracts.decision import (
    ActorInput,
    ContextInput,
    DecisionInput,
    PrincipalInput,
    ResourceInput,
    Risk,
    ToolInput,
    Verb,
)
from casewright.contracts.principal import Caller

MAX_SCALAR_CHARACTERS = 2_000


@dataclass(frozen=True, kw_only=True)
class ToolFacts:
    """What the server knows of the tool that is asked for."""

    server: str
    name: str
    verb: Verb
    risk: Risk
    definition_hash: str


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """One question to the access policy, before it becomes a document."""

    caller: Caller
    tool: ToolFacts
    resource: ResourceInput
    arguments: Mapping[str, Any]
    mode: Literal["list", "call"]
    tool_calls: int
    """Calls this run has made already, counted from the audit."""


def decision_input(request: AccessRequest, clock: Clock) -> DecisionInput:
    """The total document (`input/v1`)."""
    caller, tool = request.caller, request.tool
    origin = "model" if caller.actor.kind == "agent" else "caller"
    arguments = {name: _flat(value) for name, value in request.arguments.items() if value is not None}
    return DecisionInput(
        mode=request.mode,
        principal=PrincipalInput(
            id=caller.principal.id,
            tenant=caller.principal.tenant,
            roles=caller.principal.roles,
            clearance=caller.principal.clearance.value,
            labels=caller.principal.labels,
            authentication=caller.principal.authentication,
            authenticated_at=caller.principal.authenticated_at,
        ),
        actor=ActorInput(
            kind=caller.actor.kind,
            agent=caller.actor.agent,
            run_id=caller.actor.run_id,
            case_id=caller.actor.case_id,
            scopes=caller.scopes,
        ),
        tool=ToolInput(
            server=tool.server,
            kind="tool",
            name=tool.name,
            verb=tool.verb,
            risk=tool.risk,
            definition_hash=tool.definition_hash,
        ),
        resource=request.resource,
        arguments=arguments,
        arguments_digest=digest(arguments),
        provenance=dict.fromkeys(arguments, origin),
        context=ContextInput(
            now_ns=clock.now_ns(), step=request.tool_calls, tool_calls=request.tool_calls, release=__version__
        ),
    )


def _flat(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str) and len(value) <= MAX_SCALAR_CHARACTERS:
        return unicodedata.normalize("NFC", value)
    return {"sha256": digest(value)}
