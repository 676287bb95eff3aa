"""From a verified caller and server-side facts to the total input document of a decision.

Nothing here comes from the arguments but the arguments themselves. Absent values are left out
or empty, never null; nested arguments are represented by their digest, so that the document
stays small and flat whatever a caller sends. It is deliberately *not* the check of the document:
`decide` makes it, so that a document that does not fit is a recorded denial and not an error.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casewright import __version__
from casewright.canonical import digest
from casewright.clock import Clock
from casewright.contracts.controls import Controls
from casewright.contracts.decision import (
    INPUT_SCHEMA,
    MAX_SCALAR_CHARACTERS,
    ActorInput,
    BudgetsInput,
    ContextInput,
    DecisionInput,
    DigestInput,
    Origin,
    PrincipalInput,
    ResourceInput,
    Risk,
    ToolInput,
    Verb,
)
from casewright.contracts.principal import Actor, Caller, Principal

EntryKind = Literal["tool", "resource", "prompt", "completion"]
"""What a server can be asked for."""


@dataclass(frozen=True, kw_only=True)
class ToolFacts:
    """What the server knows of the tool that is asked for."""

    server: str
    name: str
    verb: Verb
    risk: Risk
    definition_hash: str
    kind: EntryKind = "tool"


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """One question to the access policy, before it becomes a document."""

    caller: Caller
    tool: ToolFacts
    resource: ResourceInput
    arguments: Mapping[str, Any]
    mode: Literal["list", "call"]
    calls: int
    """Calls this run has made already."""
    untrusted: bool
    """Whether the run has read text that nobody vouches for; True where that is not known."""
    controls: Controls
    """The newest live controls."""


def decision_input(request: AccessRequest, clock: Clock) -> DecisionInput:
    """The total document (`input/v1`); unchecked, see `decide`."""
    caller, tool = request.caller, request.tool
    arguments = {name: _flat(value) for name, value in request.arguments.items() if value is not None}
    return DecisionInput.model_construct(
        schema_version=INPUT_SCHEMA,
        mode=request.mode,
        principal=_principal(caller.principal),
        actor=_actor(caller.actor, caller.scopes),
        tool=ToolInput.model_construct(
            server=tool.server,
            kind=tool.kind,
            name=tool.name,
            verb=tool.verb,
            risk=tool.risk,
            definition_hash=tool.definition_hash,
        ),
        resource=request.resource,
        arguments=arguments,
        arguments_digest=digest({name: _plain(value) for name, value in arguments.items()}),
        provenance=dict.fromkeys(arguments, _origin(request)),
        context=ContextInput.model_construct(
            now_ns=clock.now_ns(),
            step=caller.actor.steps_taken,
            budgets=BudgetsInput.model_construct(tool_calls=request.calls, steps=caller.actor.steps_taken),
            controls=request.controls,
            release=__version__,
        ),
    )


def _principal(principal: Principal) -> PrincipalInput:
    return PrincipalInput.model_construct(
        id=principal.id,
        tenant=principal.tenant,
        roles=principal.roles,
        clearance=principal.clearance.value,
        labels=principal.labels,
        authentication=principal.authentication,
        authenticated_at=principal.authenticated_at,
    )


def _actor(actor: Actor, scopes: tuple[str, ...]) -> ActorInput:
    return ActorInput.model_construct(
        kind=actor.kind,
        agent=actor.agent,
        run_id=actor.run_id,
        case_id=actor.case_id,
        step=actor.step,
        scopes=scopes,
    )


def _origin(request: AccessRequest) -> Origin:
    """Where arguments come from: a person, or a model that has read untrusted text or has not."""
    if request.caller.actor.kind == "user":
        return "caller"
    return "model" if request.untrusted is False else "untrusted"


def _flat(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str) and len(value) <= MAX_SCALAR_CHARACTERS:
        return unicodedata.normalize("NFC", value)
    return DigestInput(sha256=digest(value))


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, DigestInput) else value
