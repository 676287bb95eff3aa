"""Decisions on what the command line itself does: the same policy, the same audit, as a server.

A command that ingests, imports, votes or starts a review asks here first. Tool facts are the
`admin` entries of the access policy's data.
"""

import sys
from dataclasses import dataclass, field
from typing import Any, assert_never

from casewright.access.requests import AccessRequest, ToolFacts
from casewright.audit.entry import AuditEntry
from casewright.canonical import digest
from casewright.contracts.decision import Allowed, Decision, Denied, ResourceInput, Risk, Verb
from casewright.contracts.principal import Actor, Caller, Principal
from casewright.errors import DeniedError
from casewright.services import Services
from commands.visible import visible_text
from servers.decisions import Decided, Decider
from servers.obligations import Duties, ObligationKind

MET_BY_COMMANDS: frozenset[ObligationKind] = frozenset({"redact", "limit", "watermark"})
"""Commands show case data and search results as the servers answer them, redacted and limited; `permit` itself says
a watermark aloud."""
NO_RESOURCE = ResourceInput(kind="none", exists=True, classification="public")


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something the command line is asked to do."""

    name: str
    verb: Verb
    risk: Risk = "low"
    resource: ResourceInput = NO_RESOURCE
    case_id: str = ""
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


def local_caller(principal: Principal, *, case_id: str = "", run_id: str = "command-line") -> Caller:
    """The person at this terminal; the data folder's permissions are what authenticates them."""
    return Caller(
        principal=principal,
        actor=Actor(kind="user", run_id=run_id, case_id=case_id),
        audience="casewright:admin",
        scopes=("*",),
        token_id="",
        expires_at=0,
    )


async def permit(services: Services, principal: Principal, deed: Deed) -> Decision:
    """Decide and record; returns the decision for its filters.

    Raises:
        DeniedError: the policy says no; audited with its reasons.
    """
    scopes = services.exchange.own_tools(principal, "admin")
    caller = local_caller(principal, case_id=deed.case_id).model_copy(update={"scopes": scopes})
    resource = deed.resource
    if resource.kind == "none":
        resource = resource.model_copy(update={"tenant": principal.tenant})
    tool = ToolFacts(
        server="admin", name=deed.name, verb=deed.verb, risk=deed.risk, definition_hash=digest({"admin": deed.name})
    )
    standing = await services.standing.read(principal.tenant, caller.actor.run_id)
    request = AccessRequest(
        caller=caller,
        tool=tool,
        resource=resource,
        arguments=deed.arguments,
        mode="call",
        calls=0,  # the command line is no run, so it has no budget to spend
        untrusted=False,
        controls=standing.controls,
    )
    decider = Decider(services)
    decided = await decider.decide(request)
    body: dict[str, Any] = {"server": "admin", "tool": deed.name, **decided.named}
    try:
        decision, duties = _permitted(decided)
    except DeniedError as error:
        body |= {"code": error.code, "detail": str(error)}
        entry = AuditEntry.of_caller("call.denied", caller, body)
        await services.audit.append(entry, record=decider.record(decided))
        raise DeniedError(f"{principal.id!r} may not do this ({deed.name}): {error}", code=error.code) from error
    body |= {"effect": decision.effect, "reasons": [reason.code for reason in decision.reasons]}
    if duties.audit_level == "full":
        body["arguments"] = deed.arguments
    await services.audit.append(AuditEntry.of_caller("call.allowed", caller, body), record=decider.record(decided))
    if duties.watermark:
        sys.stderr.write(f"casewright: {visible_text(duties.watermark)}\n")
    return decision


def _permitted(decided: Decided) -> tuple[Decision, Duties]:
    """The decision and its duties, if it permits and the command line can meet them.

    Raises:
        DeniedError: with the reason code and what the policy says.
    """
    match decided.verdict:
        case Allowed(decision=decision):
            duties = Duties.of(decision)
            duties.check(MET_BY_COMMANDS)
            return decision, duties
        case Denied(code=code, detail=detail):
            raise DeniedError(detail, code=code)
    assert_never(decided.verdict)
