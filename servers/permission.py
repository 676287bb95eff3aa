"""Decisions on what people do outside the tool servers: the same policy, the same audit, as a server.

A command or an endpoint of the API that ingests, imports, votes or starts a review asks here first.
Tool facts are the `admin` entries of the access policy's data. It is *not* for agents: they reach
what they may do only through the guard of a server.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from casewright.access.decide import decide
from casewright.access.requests import AccessRequest, ToolFacts, decision_input
from casewright.audit.entry import AuditEntry
from casewright.canonical import digest
from casewright.contracts.decision import Allowed, Decision, Denied, ResourceInput, Risk, Verb, Verdict
from casewright.contracts.principal import Actor, Caller, Principal
from casewright.errors import DeniedError
from casewright.services import Services
from servers.decisions import Decided, Decider
from servers.obligations import Duties, ObligationKind

if TYPE_CHECKING:
    from casewright.access.engine import PolicyEngine

MET: frozenset[ObligationKind] = frozenset({"redact", "limit", "watermark"})
"""Commands and endpoints show case data and search results as the servers answer them, redacted and limited; who asks
shows the watermark of the permission."""
NO_RESOURCE = ResourceInput(kind="none", exists=True, classification="public")


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that a person asks for."""

    name: str
    verb: Verb
    risk: Risk = "low"
    resource: ResourceInput = NO_RESOURCE
    case_id: str = ""
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Permission:
    """The decision that permits a deed, and what it obliges to."""

    decision: Decision
    duties: Duties


@dataclass(frozen=True, kw_only=True)
class Witnessed:
    """One deed that was decided on, and what it obliges to; None: it was denied."""

    deed: Deed
    permission: Permission | None


_witness: ContextVar[list[Witnessed] | None] = ContextVar("casewright_witness", default=None)


@contextmanager
def witnessed() -> Generator[list[Witnessed]]:
    """Everything that is decided inside, in order: who answers for others sees that somebody asked."""
    decided: list[Witnessed] = []
    before = _witness.set(decided)
    try:
        yield decided
    finally:
        _witness.reset(before)


async def permitted(
    services: Services, principal: Principal, deed: Deed, *, session: str, bound: str = ""
) -> Permission:
    """Decide and record.

    Args:
        principal: who asks, as the data folder's permissions or a verified token vouch for them.
        session: where they ask from; the audit's run of a deed that belongs to no run.
        bound: the one case that the caller's token names; a deed on another is denied. Empty: it names none.

    Raises:
        DeniedError: the policy says no; audited with its reasons.
    """
    caller = _caller(services, principal, Actor(kind="user", run_id=session, case_id=bound or deed.case_id))
    request = await _request(services, caller, deed)
    decider = Decider(services)
    await decider.refresh(at_once=True)  # a process that serves for days decides under the policies as they are now
    decided = await decider.decide(request)
    body: dict[str, Any] = {"server": "admin", "tool": deed.name, **decided.named}
    try:
        permission = _permission(decided)
    except DeniedError as error:
        _note(deed, None)
        body |= {"code": error.code, "detail": str(error)}
        entry = AuditEntry.of_caller("call.denied", caller, body)
        await services.audit.append(entry, record=decider.record(decided))
        raise DeniedError(f"{principal.id!r} may not do this ({deed.name}): {error}", code=error.code) from error
    decision = permission.decision
    body |= {"effect": decision.effect, "reasons": [reason.code for reason in decision.reasons]}
    if permission.duties.audit_level == "full":
        body["arguments"] = deed.arguments
    await services.audit.append(AuditEntry.of_caller("call.allowed", caller, body), record=decider.record(decided))
    _note(deed, permission)
    return permission


async def foreseen(
    services: Services, principal: Principal, deed: Deed, *, session: str, engine: "PolicyEngine"
) -> Verdict:
    """What another engine would decide, such as one over policies that are not in force yet; nothing is recorded."""
    caller = _caller(services, principal, Actor(kind="user", run_id=session, case_id=deed.case_id))
    request = await _request(services, caller, deed)
    return decide(engine, decision_input(request, services.clock))


def _note(deed: Deed, permission: Permission | None) -> None:
    decided = _witness.get()
    if decided is not None:
        decided.append(Witnessed(deed=deed, permission=permission))


def _caller(services: Services, principal: Principal, actor: Actor) -> Caller:
    return Caller(
        principal=principal,
        actor=actor,
        audience="casewright:admin",
        scopes=services.exchange.own_tools(principal, "admin"),
        token_id="",
        expires_at=0,
    )


async def _request(services: Services, caller: Caller, deed: Deed) -> AccessRequest:
    resource = deed.resource
    if resource.kind == "none":
        resource = resource.model_copy(update={"tenant": caller.principal.tenant})
    standing = await services.standing.read(caller.principal.tenant, caller.actor.run_id)
    return AccessRequest(
        caller=caller,
        tool=ToolFacts(
            server="admin", name=deed.name, verb=deed.verb, risk=deed.risk, definition_hash=digest({"admin": deed.name})
        ),
        resource=resource,
        arguments=deed.arguments,
        mode="call",
        calls=0,  # a person at a terminal or a client is no run, so there is no budget to spend
        untrusted=False,
        controls=standing.controls,
    )


def _permission(decided: Decided) -> Permission:
    """The decision and its duties, if it permits and can be met outside a server.

    Raises:
        DeniedError: with the reason code and what the policy says.
    """
    match decided.verdict:
        case Allowed(decision=decision):
            duties = Duties.of(decision)
            duties.check(MET)
            return Permission(decision=decision, duties=duties)
        case Denied(code=code, detail=detail):
            raise DeniedError(detail, code=code)
    assert_never(decided.verdict)
