"""The one enforcement point, inside every server and the same on every transport.

For each request: find the caller, load the attributes of what is asked for, decide, take on the
duties of the decision, write the audit event with the record of the decision, and only then let
the tool run. Anything unexpected is a denial. It knows no tool: specs and resource loaders are
given to it. How answers are had is in `servers.decisions`, what they oblige to in
`servers.obligations`.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, assert_never

from mcp.server.context import ServerRequestContext

from casewright.access.requests import AccessRequest, EntryKind, ToolFacts
from casewright.audit.entry import AuditEntry
from casewright.audit.meter import MeterChange
from casewright.canonical import digest
from casewright.contracts.approval import ActionCall, ApprovalRule, GatedResult
from casewright.contracts.controls import Controls
from casewright.contracts.decision import Allowed, Decision, DecisionFilters, Denied, ResourceInput
from casewright.contracts.principal import Caller, ServerName
from casewright.errors import ConflictError, DeniedError, UnauthenticatedError
from casewright.services import Services
from servers.approval_links import approval_url, how_to_approve
from servers.callers import TokenSource
from servers.decisions import Decided, Decider
from servers.obligations import MET_BY_GUARD, MET_OF_ENTRIES, Duties, ObligationKind
from servers.resources import load_resource
from servers.spec import READING_VERBS, ResourceKind, ToolDefinition

MAX_AUDITED_ARGUMENTS = 4_096
MAX_AUDITED_NAME = 100
HIDDEN = "not available: it does not exist, or this token may not use it"
_NO_DEFINITION = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Through:
    """The entry by which a tool's decision is asked for when the tool itself is not called."""

    kind: Literal["resource", "prompt", "completion"]
    name: str
    """The template, the prompt, or what is completed: text of this repository."""
    case_id: str = ""
    """The case that a URI names, a claim; empty: the token's."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One permitted call, as its tool sees it: who, under which decision, for exactly what."""

    caller: Caller
    decision: Decision
    decision_id: str
    duties: Duties
    resource: ResourceInput
    action: ActionCall

    @property
    def filters(self) -> DecisionFilters:
        return self.decision.filters

    @property
    def redact_above(self) -> Literal["public", "internal", "confidential"]:
        """Values classified above this are redacted; without an obligation everything but the public."""
        return self.duties.redact_above or "public"

    @property
    def max_results(self) -> int:
        """Most results a search may return; without a limit obligation only one."""
        return self.duties.max_results or 1

    @property
    def approval_rule(self) -> ApprovalRule | None:
        return self.duties.approval


_current: ContextVar[Call] = ContextVar("casewright_call")
current_call = _current.get
"""The call being served; LookupError outside the guard, so no tool works without it."""
enter_call = _current.set
leave_call = _current.reset


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What somebody asks for: its facts, the kind of resource it acts on, and what its code takes on."""

    caller: Caller
    facts: ToolFacts
    resource: ResourceKind = "none"
    meets: frozenset[ObligationKind] = frozenset()
    reads_untrusted: bool = False
    through: Through | None = None

    @property
    def may_lag(self) -> bool:
        """Whether its events may be answered before they are on the disk: only what changes nothing."""
        return self.facts.verb in READING_VERBS

    @property
    def imagined(self) -> ResourceInput:
        """Stands for any resource of the caller's tenant when a listing is decided."""
        return ResourceInput(kind=self.resource, exists=True, tenant=self.caller.principal.tenant)


class Guard:
    """Decides and records; holds no state between requests."""

    def __init__(self, services: Services, *, server: ServerName) -> None:
        self._services = services
        self._server: ServerName = server
        self._decider = Decider(services)

    async def caller(self, tokens: TokenSource, request: ServerRequestContext[Any, Any]) -> Caller:
        """Who is calling; also the moment at which changed policies take effect.

        Raises:
            UnauthenticatedError: no valid token; audited with its code.
        """
        await self._decider.refresh()
        try:
            return await self._services.tokens.verify(tokens.token(request), server=self._server)
        except UnauthenticatedError as error:
            body = {"server": self._server, "method": request.method, "code": error.code}
            await self._services.audit.append(AuditEntry.of_caller("call.denied", None, body))
            raise

    def require_current(self, caller: Caller) -> None:
        """Return if the token that named the caller has not ended since.

        Raises:
            UnauthenticatedError: it has.
        """
        if self._services.clock.now_ns() >= caller.expires_at * 1_000_000_000:
            raise UnauthenticatedError("the token has ended", code="token_expired")

    async def listed(self, caller: Caller, definitions: Mapping[str, ToolDefinition | None]) -> frozenset[str]:
        """Which of these tools could ever be called, arguments unknown; what is left out is audited.

        A name without a definition, which was added behind the guard's back, is left out.
        """
        return await self.listed_as(caller, "tool", definitions)

    async def listed_as(
        self, caller: Caller, kind: EntryKind, definitions: Mapping[str, ToolDefinition | None]
    ) -> frozenset[str]:
        """The same for entries of any kind, each by the tool that it asks for."""
        asked = {
            name: self._tool(caller, definition) if definition else self._other(caller, kind, name)
            for name, definition in definitions.items()
        }
        shown = await self._shown(caller, asked, f"{kind}s")
        return frozenset(name for name in shown if definitions[name] is not None)

    async def admit(
        self,
        caller: Caller,
        definition: ToolDefinition,
        arguments: Mapping[str, Any],
        through: Through | None = None,
    ) -> Call:
        """Permission for exactly this call, or for what an entry makes of it, recorded before it runs.

        A run that is about to read text nobody vouches for is tainted from here on, in the same event.

        Raises:
            DeniedError: with the reason code; audited.
        """
        return await self._admit(self._tool(caller, definition, through), arguments)

    async def evaluate(self, caller: Caller, definition: ToolDefinition, arguments: Mapping[str, Any]) -> Call:
        """The decision on one call without running it; a denial is audited and raised."""
        call, _ = await self._evaluate(self._tool(caller, definition), arguments)
        return call

    async def unknown(self, caller: Caller, name: str, kind: EntryKind = "tool") -> NoReturn:
        """Deny a tool or an entry that this server does not have, by a decision as for one that it has.

        Raises:
            DeniedError: always; audited.
        """
        asked = self._other(caller, kind, name)
        decided = await self._decide(asked, asked.imagined, {}, mode="call")
        await self._deny(asked, decided, code="tool_unknown")

    async def refuse_arguments(
        self, caller: Caller, definition: ToolDefinition, through: Through | None = None
    ) -> None:
        """Record that arguments did not fit; it counts as a call, so that probing spends the budget.

        Raises:
            DeniedError: the caller could never call this tool and is to learn nothing of it.
        """
        asked = self._tool(caller, definition, through)
        decided = await self._decide(asked, asked.imagined, {}, mode="list")
        if isinstance(decided.verdict, Denied):
            await self._deny(asked, decided, code="not_listed", detail=decided.verdict.detail)
        await self._record("call.denied", asked, {"code": "arguments_invalid", "detail": ""}, decided)

    async def refuse_message(self, caller: Caller, method: str, code: str) -> None:
        """Record that a message was refused before there was anything to decide; it counts as a call, too."""
        body = {"server": self._server, "method": _plain(method), "code": code}
        await self._services.audit.append(AuditEntry.of_caller("call.denied", caller, body), durable=False)

    async def approval(self, call: Call) -> GatedResult | None:
        """Meet an approval obligation: None when people have agreed to exactly this call.

        Asks them when nobody was asked yet or the asking expired; a rejection or a revocation
        stands until the call is another one.
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
            case "rejected" | "revoked":
                how = f"{known.state}; change the draft"
                return GatedResult(status=known.state, approval=known, receipt=None, how=how)
            case "pending" | "expired":
                settings = self._services.settings
                how, url = how_to_approve(settings, known), approval_url(settings, known.approval_id)
                return GatedResult(status="approval_required", approval=known, receipt=None, how=how, url=url)

    async def agreed(self, call: Call) -> GatedResult:
        """The answer to asking again for what people have agreed to already.

        Raises:
            ConflictError: nobody agreed to it.
        """
        known = await self._services.approvals.find(call.action)
        if known is None or known.state not in ("approved", "consumed"):
            raise ConflictError("the approval changed meanwhile; ask again")
        return GatedResult(status="approved", approval=known, receipt=None, how="approved; it can be executed")

    async def failed(self, call: Call, error: BaseException) -> None:
        """Record that a permitted call did not finish."""
        body = {"server": self._server, "tool": call.action.tool, "error": type(error).__name__}
        named = {"call_decision_id": call.decision_id}
        await self._services.audit.append(AuditEntry.of_caller("call.failed", call.caller, body | named))

    async def _admit(self, asked: _Asked, arguments: Mapping[str, Any]) -> Call:
        call, decided = await self._evaluate(asked, arguments)
        taints = asked.reads_untrusted and asked.caller.actor.kind == "agent"
        await self._record("call.allowed", asked, _body(call), decided, taints=taints)
        return call

    async def _evaluate(self, asked: _Asked, arguments: Mapping[str, Any]) -> tuple[Call, Decided]:
        if not asked.may_lag:
            await self._decider.refresh(at_once=True)  # nothing happens under policies that were changed meanwhile
        case_id = asked.through.case_id if asked.through is not None else ""
        resource = await load_resource(self._services, asked.resource, asked.caller, arguments, case_id=case_id)
        decided = await self._decide(asked, resource, arguments, mode="call")
        match decided.verdict:
            case Denied(code=code, detail=detail):
                await self._deny(asked, decided, code=code, detail=detail)
            case Allowed(decision=decision):
                try:
                    duties = Duties.of(decision)
                    duties.check(asked.meets)
                except DeniedError as error:
                    await self._deny(asked, decided, code=error.code, detail=str(error))
                call = Call(
                    caller=asked.caller,
                    decision=decision,
                    decision_id=decided.decision_id,
                    duties=duties,
                    resource=resource,
                    action=self._action(asked, arguments, decision),
                )
                return call, decided
        assert_never(decided.verdict)

    def _action(self, asked: _Asked, arguments: Mapping[str, Any], decision: Decision) -> ActionCall:
        return ActionCall(
            tenant=asked.caller.principal.tenant,
            case_id=asked.caller.actor.case_id,
            server=self._server,
            tool=asked.facts.name,
            definition_hash=asked.facts.definition_hash,
            arguments=dict(arguments),
            policy_revision=decision.revision,
        )

    async def _decide(
        self, asked: _Asked, resource: ResourceInput, arguments: Mapping[str, Any], *, mode: Literal["list", "call"]
    ) -> Decided:
        """Ask; a listing knows nothing of earlier calls nor of switches: those deny when it comes to a call."""
        calls, untrusted, controls = 0, False, Controls()
        if mode == "call":
            caller = asked.caller
            standing = await self._services.standing.read(caller.principal.tenant, caller.actor.run_id)
            calls, untrusted, controls = standing.calls, standing.untrusted, standing.controls
        request = AccessRequest(
            caller=asked.caller,
            tool=asked.facts,
            resource=resource,
            arguments=arguments,
            mode=mode,
            calls=calls,
            untrusted=untrusted,
            controls=controls,
        )
        return await self._decider.decide(request)

    async def _shown(self, caller: Caller, asked: Mapping[str, _Asked], what: str) -> frozenset[str]:
        decided = {name: await self._decide(entry, entry.imagined, {}, mode="list") for name, entry in asked.items()}
        withheld = {name: answer for name, answer in decided.items() if not isinstance(answer.verdict, Allowed)}
        if withheld:
            body: dict[str, Any] = {
                "server": self._server,
                what: [_plain(name) for name in withheld],
                "decisions": [
                    {"name": _plain(name), "code": answer.codes[0], **answer.named} for name, answer in withheld.items()
                ],
            }
            entry = AuditEntry.of_caller("listing.withheld", caller, body)
            await self._services.audit.append(entry, durable=False)
        return frozenset(decided) - frozenset(withheld)

    async def _deny(self, asked: _Asked, decided: Decided, *, code: str, detail: str = "") -> NoReturn:
        await self._record("call.denied", asked, {"code": code, "detail": detail}, decided)
        raise DeniedError(f"{asked.facts.name!r} is {HIDDEN}", code=code)

    async def _record(
        self,
        kind: Literal["call.allowed", "call.denied"],
        asked: _Asked,
        body: Mapping[str, Any],
        decided: Decided,
        *,
        taints: bool = False,
    ) -> None:
        named = {"server": self._server, "tool": asked.facts.name, "kind": asked.facts.kind, **decided.named}
        if asked.through is not None:
            named |= {"kind": asked.through.kind, "entry": asked.through.name}
        await self._services.audit.append(
            AuditEntry.of_caller(kind, asked.caller, named | dict(body)),
            record=self._decider.record(decided),
            meter=MeterChange(untrusted=taints),
            durable=not asked.may_lag,
        )

    def _tool(self, caller: Caller, definition: ToolDefinition, through: Through | None = None) -> _Asked:
        spec = definition.spec
        met = MET_BY_GUARD if through is None else MET_OF_ENTRIES
        facts = ToolFacts(
            server=self._server, name=spec.name, verb=spec.verb, risk=spec.risk, definition_hash=definition.hash
        )
        return _Asked(
            caller=caller,
            facts=facts,
            resource=spec.resource,
            meets=met | spec.meets,
            reads_untrusted=spec.reads_untrusted,
            through=through,
        )

    def _other(self, caller: Caller, kind: EntryKind, name: str) -> _Asked:
        """What is no tool of ours: no policy knows it by this name and kind, so it is denied with its record."""
        facts = ToolFacts(
            server=self._server, kind=kind, name=_plain(name), verb="read", risk="low", definition_hash=_NO_DEFINITION
        )
        return _Asked(caller=caller, facts=facts)


def _body(call: Call) -> dict[str, Any]:
    """What the audit keeps of an allowed call; the arguments only where the decision obliges to keep them."""
    arguments = call.action.arguments
    body: dict[str, Any] = {
        "arguments_digest": digest(arguments),
        "definition_hash": call.action.definition_hash,
        "effect": call.decision.effect,
        "reasons": [reason.code for reason in call.decision.reasons],
        "obligations": [obligation.kind for obligation in call.decision.obligations],
    }
    if call.duties.audit_level == "summary":
        return body
    too_long = len(str(arguments)) > MAX_AUDITED_ARGUMENTS
    shown: Any = {"omitted": "longer than the audit keeps; see the digest"} if too_long else arguments
    return body | {"arguments": shown}


def _plain(name: str) -> str:
    """A name that a caller made up, short and in characters that every log can hold."""
    return name[:MAX_AUDITED_NAME].encode("unicode_escape").decode("ascii")
