"""The one enforcement point, inside every server and the same on every transport.

For each request: find the caller, load the attributes of what is asked for, decide, meet the
obligations, write the audit event, and only then let the tool run. Anything unexpected is a
denial. It knows no tool: specs and resource loaders are given to it.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, assert_never

import anyio.to_thread
from mcp.server.context import ServerRequestContext

from casewright.access.decide import decide
from casewright.access.requests import AccessRequest, ToolFacts, decision_input
from casewright.audit.entry import AuditEntry
from casewright.canonical import digest
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule, GatedResult
from casewright.contracts.controls import Controls
from casewright.contracts.decision import (
    Allowed,
    ApprovalObligation,
    Decision,
    DecisionFilters,
    Denied,
    LimitObligation,
    RedactObligation,
    ResourceInput,
    Verdict,
)
from casewright.contracts.principal import Caller, ServerName
from casewright.errors import ConflictError, DeniedError, UnauthenticatedError
from casewright.services import Services
from servers.callers import TokenSource
from servers.resources import load_resource
from servers.spec import ToolDefinition

MAX_AUDITED_ARGUMENTS = 4_096
MAX_AUDITED_NAME = 100
HIDDEN = "not available: it does not exist, or this token may not use it"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One permitted call, as its tool sees it: who, under which decision, for exactly what."""

    caller: Caller
    decision: Decision
    resource: ResourceInput
    action: ActionCall

    @property
    def filters(self) -> DecisionFilters:
        return self.decision.filters

    @property
    def redact_above(self) -> Literal["public", "internal", "confidential"]:
        """Values classified above this are redacted; the strictest obligation wins."""
        named = {o.above for o in self.decision.obligations if isinstance(o, RedactObligation)}
        if not named or "public" in named:
            return "public"
        return "internal" if "internal" in named else "confidential"

    @property
    def max_results(self) -> int:
        """Most results a search may return; without a limit obligation only one."""
        named = [o.max_results for o in self.decision.obligations if isinstance(o, LimitObligation)]
        return min(named) if named else 1

    @property
    def approval_rule(self) -> ApprovalRule | None:
        for obligation in self.decision.obligations:
            if isinstance(obligation, ApprovalObligation):
                return ApprovalRule(
                    roles=obligation.roles,
                    quorum=obligation.quorum,
                    author_excluded=obligation.author_excluded,
                    ttl_seconds=obligation.ttl_seconds,
                    risk="high",
                )
        return None


_current: ContextVar[Call] = ContextVar("casewright_call")
current_call = _current.get
"""The call being served; LookupError outside the guard, so no tool works without it."""
enter_call = _current.set
leave_call = _current.reset


class Guard:
    """Decides and records; holds no state between requests."""

    def __init__(self, services: Services, *, server: ServerName) -> None:
        self._services = services
        self._server: ServerName = server

    async def caller(self, tokens: TokenSource, request: ServerRequestContext[Any, Any]) -> Caller:
        """Who is calling; also the moment at which changed policies take effect.

        Raises:
            UnauthenticatedError: no valid token; audited with its code.
        """
        await anyio.to_thread.run_sync(self._services.engine.reload_if_changed)
        try:
            return await self._services.tokens.verify(tokens.token(request), server=self._server)
        except UnauthenticatedError as error:
            await self._record("call.denied", None, {"method": request.method, "code": error.code})
            raise

    def may_list(self, caller: Caller, definition: ToolDefinition) -> bool:
        """Whether a call could ever be allowed; arguments and resource are unknown."""
        resource = ResourceInput(kind=definition.spec.resource, exists=True, tenant=caller.principal.tenant)
        request = self._request(caller, definition, resource, {}, mode="list")
        return isinstance(decide(self._services.engine, decision_input(request, self._services.clock)), Allowed)

    async def withheld(self, caller: Caller, names: tuple[str, ...]) -> None:
        """Record which tools a listing left out."""
        if names:
            await self._record("listing.withheld", caller, {"tools": list(names)})

    async def admit(self, caller: Caller, definition: ToolDefinition, arguments: Mapping[str, Any]) -> Call:
        """Permission for exactly this call, recorded before it runs.

        Raises:
            DeniedError: with the reason code; audited.
        """
        call = await self.evaluate(caller, definition, arguments)
        await self._record("call.allowed", caller, self._body(definition, call, dict(arguments)))
        return call

    async def evaluate(self, caller: Caller, definition: ToolDefinition, arguments: Mapping[str, Any]) -> Call:
        """The decision on one call without running it; a denial is audited and raised."""
        resource = await load_resource(self._services, definition.spec.resource, caller, arguments)
        from casewright.audit.counting import calls_of_run  # SQLAlchemy: listing tools goes without it

        calls = await calls_of_run(self._services.database, caller.principal.tenant, caller.actor.run_id)
        request = self._request(caller, definition, resource, arguments, mode="call", calls=calls)
        verdict = decide(self._services.engine, decision_input(request, self._services.clock))
        return await self._granted(caller, definition, request, verdict)

    async def deny(self, caller: Caller, name: str, *, code: str, detail: str = "") -> NoReturn:
        """Record a denial that was reached without a decision, and raise it."""
        await self._record("call.denied", caller, {"tool": _plain(name), "code": code, "detail": detail})
        raise DeniedError(f"{name!r} is {HIDDEN}", code=code)

    async def refuse_arguments(self, caller: Caller, definition: ToolDefinition) -> None:
        """Record that arguments did not fit; it counts as a call, so that probing spends the budget.

        Raises:
            DeniedError: the caller could never call this tool and is to learn nothing of it.
        """
        if not self.may_list(caller, definition):
            await self.deny(caller, definition.spec.name, code="not_listed")
        body = {"tool": definition.spec.name, "code": "arguments_invalid", "detail": ""}
        await self._record("call.denied", caller, body)

    async def approval(self, call: Call) -> GatedResult | None:
        """Meet an approval obligation: None when people have agreed to exactly this call.

        Asks them when nobody was asked yet or the asking expired; a rejection stands until the
        call is another one.
        """
        rule = call.approval_rule
        if rule is None:
            return None
        ledger = self._services.approvals
        known = await ledger.find(call.action)
        if known is None or known.state == "expired":
            known = await ledger.request(call.action, rule, caller=call.caller)
        match known.state:
            case "approved" | "consumed":
                return None
            case "rejected":
                return GatedResult(status="rejected", approval=known, receipt=None, how="rejected; change the draft")
            case "pending" | "expired":
                return GatedResult(status="approval_required", approval=known, receipt=None, how=_how(known))

    async def agreed(self, call: Call) -> GatedResult:
        """The answer to asking again for what people have agreed to already.

        Raises:
            ConflictError: nobody agreed to it.
        """
        known = await self._services.approvals.find(call.action)
        if known is None or known.state not in ("approved", "consumed"):
            raise ConflictError("the approval changed meanwhile; ask again")
        return GatedResult(status="approved", approval=known, receipt=None, how="approved; it can be executed")

    async def failed(self, caller: Caller, name: str, error: BaseException) -> None:
        """Record that a permitted call did not finish."""
        await self._record("call.failed", caller, {"tool": name, "error": type(error).__name__})

    async def _granted(
        self, caller: Caller, definition: ToolDefinition, request: AccessRequest, verdict: Verdict
    ) -> Call:
        match verdict:
            case Allowed(decision=decision):
                action = ActionCall(
                    tenant=caller.principal.tenant,
                    case_id=caller.actor.case_id,
                    server=self._server,
                    tool=definition.spec.name,
                    definition_hash=definition.hash,
                    arguments=dict(request.arguments),
                    policy_revision=decision.revision,
                )
                return Call(caller=caller, decision=decision, resource=request.resource, action=action)
            case Denied(code=code, detail=detail):
                await self.deny(caller, definition.spec.name, code=code, detail=detail)
        assert_never(verdict)

    def _request(
        self,
        caller: Caller,
        definition: ToolDefinition,
        resource: ResourceInput,
        arguments: Mapping[str, Any],
        *,
        mode: Literal["list", "call"],
        calls: int = 0,
    ) -> AccessRequest:
        spec = definition.spec
        facts = ToolFacts(
            server=self._server, name=spec.name, verb=spec.verb, risk=spec.risk, definition_hash=definition.hash
        )
        return AccessRequest(
            caller=caller,
            tool=facts,
            resource=resource,
            arguments=arguments,
            mode=mode,
            calls=calls,
            untrusted=True,
            controls=Controls(),
        )

    def _body(self, definition: ToolDefinition, call: Call, arguments: dict[str, Any]) -> dict[str, Any]:
        shown: Any = arguments
        if len(str(arguments)) > MAX_AUDITED_ARGUMENTS:
            shown = {"omitted": "longer than the audit keeps; see the digest"}
        return {
            "server": self._server,
            "tool": definition.spec.name,
            "arguments": shown,
            "arguments_digest": digest(arguments),
            "definition_hash": definition.hash,
            "effect": call.decision.effect,
            "reasons": [reason.code for reason in call.decision.reasons],
            "obligations": [obligation.kind for obligation in call.decision.obligations],
            "policy_revision": call.decision.revision,
        }

    async def _record(
        self,
        kind: Literal["call.allowed", "call.denied", "call.failed", "listing.withheld"],
        caller: Caller | None,
        body: dict[str, Any],
    ) -> None:
        entry = AuditEntry.of_caller(kind, caller, {"server": self._server, **body})
        await self._services.audit.append(entry)


def _plain(name: str) -> str:
    """A name that a caller made up, short and in characters that every log can hold."""
    return name[:MAX_AUDITED_NAME].encode("unicode_escape").decode("ascii")


def _how(approval: Approval) -> str:
    roles = " or ".join(approval.rule.roles)
    return (
        f"{approval.remaining} more approval(s) by {roles} needed, not by {approval.requested_by!r}: "
        f"`casewright approvals approve {approval.approval_id}`. Then make the same call again."
    )
