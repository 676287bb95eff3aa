"""Decisions on what the command line itself does: the same policy, the same audit, as a server.

A command that ingests, imports, votes or starts a review asks here first. Tool facts are the
`admin` entries of the access policy's data.
"""

from dataclasses import dataclass, field
from typing import Any

from casewright.access.decide import decide
from casewright.access.requests import AccessRequest, ToolFacts, decision_input
from casewright.audit.entry import AuditEntry
from casewright.canonical import digest
from casewright.contracts.controls import Controls
from casewright.contracts.decision import Allowed, Decision, Denied, ResourceInput, Risk, Verb
from casewright.contracts.principal import Actor, Caller, Principal
from casewright.errors import DeniedError
from casewright.services import Services

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
    request = AccessRequest(
        caller=caller,
        tool=tool,
        resource=resource,
        arguments=deed.arguments,
        mode="call",
        calls=0,
        untrusted=False,
        controls=Controls(),
    )
    verdict = decide(services.engine, decision_input(request, services.clock))
    body: dict[str, Any] = {"server": "admin", "tool": deed.name, "arguments": deed.arguments}
    match verdict:
        case Allowed(decision=decision):
            reasons = [reason.code for reason in decision.reasons]
            body |= {"effect": decision.effect, "reasons": reasons, "policy_revision": decision.revision}
            await services.audit.append(AuditEntry.of_caller("call.allowed", caller, body))
            return decision
        case Denied(code=code, detail=detail, revision=revision):
            body |= {"code": code, "detail": detail, "policy_revision": revision}
            await services.audit.append(AuditEntry.of_caller("call.denied", caller, body))
            raise DeniedError(f"{principal.id!r} may not do this ({deed.name}): {detail}", code=code)
