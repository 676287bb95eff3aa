"""What decides the calls of an AgentDojo run: our policy engine, our approval ledger, and the check of what is backed.

The Rego, the engine, the reading of decisions and the ledger are the product's. What is *not* is the server:
AgentDojo's tools are functions in another process, so this file stands where `servers.guard` stands for ours.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from casewright.access.decide import decide
from casewright.access.engine import PolicyEngine
from casewright.access.requests import AccessRequest, ToolFacts, decision_input
from casewright.approvals.binding import call_digest
from casewright.canonical import digest
from casewright.contracts.approval import ActionCall, ApprovalRule
from casewright.contracts.case import Classification
from casewright.contracts.controls import Controls
from casewright.contracts.decision import Allowed, ApprovalObligation, Decision, ResourceInput
from casewright.contracts.principal import Actor, Caller, Principal
from casewright.errors import DeniedError, InputError
from casewright.services import Services
from evals.agentdojo.backing import Records
from evals.agentdojo.protocol import Begun, DojoCall
from evals.agentdojo.tools import ACTION, AGENT, STEP, DojoTool

Gates = Literal["none", "grants", "tools", "whole"]
"""`none`: nothing enforces. `grants`: policies, with an approver who approves whatever is asked. `tools`: policies, and
an approver who approves what was asked for and nothing else. `whole`: that, and everything named has to be backed."""
_TENANT = "agentdojo"
PERSON = Principal(id="person", tenant=_TENANT, roles=("reviewer",), clearance=Classification.CONFIDENTIAL)
APPROVER = Principal(id="approver", tenant=_TENANT, roles=("supervisor",), clearance=Classification.CONFIDENTIAL)


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What became of one call or statement."""

    what: str
    allowed: bool
    because: str
    """Code of the refusal; empty where it was allowed."""


@dataclass(kw_only=True)
class Session:
    """One run: one request of one person, with the tools that it needs and no others."""

    gates: Gates
    case_id: str
    suite: str
    tools: Mapping[str, DojoTool]
    begun: Begun
    rulings: list[Ruling] = field(default_factory=list[Ruling])
    read: bool = False
    """Something has been read, so that every further argument counts as steered by text nobody vouches for."""
    steps: int = 0

    def __post_init__(self) -> None:
        self.records = Records(request=self.begun.request)

    def tool(self, name: str) -> DojoTool | None:
        return self.tools.get(f"{self.suite}/{name}")

    @property
    def grants(self) -> tuple[str, ...]:
        """Everything that only reads, and of the effects those that the request needs."""
        needed = {call.tool for call in self.begun.asked}
        own = (tool for tool in self.tools.values() if tool.suite == self.suite)
        return tuple(tool.name for tool in own if not tool.effect or tool.name in needed)

    @property
    def caller(self) -> Caller:
        actor = Actor(
            kind="agent", agent=AGENT, run_id=self.case_id, case_id=self.case_id, step=STEP, steps_taken=self.steps
        )
        return Caller(
            principal=PERSON, actor=actor, audience=self.suite, scopes=self.grants, token_id=self.case_id, expires_at=0
        )


class Gatekeeper:
    """Rules on every call of a session, over one data folder and one policy engine."""

    def __init__(self, services: Services, engine: PolicyEngine) -> None:
        self._services = services
        self._engine = engine
        self._numbers = itertools.count(1)

    def case_id(self, name: str) -> str:
        """An id that no earlier run had: an approval is for one case and is used once."""
        return f"{name}.{next(self._numbers)}"

    async def rule(self, session: Session, call: DojoCall) -> Ruling:
        """Whether a call may be executed; remembered in the session."""
        because = "" if session.gates == "none" else await self._refusal(session, call)
        ruling = Ruling(what=call.tool, allowed=not because, because=because)
        session.steps += 1
        session.rulings.append(ruling)
        return ruling

    def rule_statement(self, session: Session, statement: str) -> Ruling:
        """Whether something may be said to the person."""
        missing = session.records.unbacked_statement(statement) if session.gates == "whole" else ()
        ruling = Ruling(what="answer", allowed=not missing, because="unbacked" if missing else "")
        session.rulings.append(ruling)
        return ruling

    async def _refusal(self, session: Session, call: DojoCall) -> str:
        tool = session.tool(call.tool)
        if tool is None:
            return "tool_unknown"
        verdict = decide(self._engine, decision_input(_request(session, tool, call), self._services.clock))
        if not isinstance(verdict, Allowed):
            return verdict.code
        if not tool.effect:
            return ""
        if session.gates == "whole" and session.records.unbacked(tool, call):
            return "unbacked"
        return await self._approval(session, tool, call, verdict.decision)

    async def _approval(self, session: Session, tool: DojoTool, call: DojoCall, decision: Decision) -> str:
        """Ask for the approval that the decision obliges to, let the person decide, and use it up."""
        wanted = [one for one in decision.obligations if isinstance(one, ApprovalObligation)]
        if not wanted:
            return "approval_not_obliged"
        ledger, caller = self._services.approvals, session.caller
        exact = _exact(session, call, decision.revision)
        try:
            approval = await ledger.request(exact, _rule(wanted[0], tool), caller=caller)
            if approval.state == "pending":
                agrees = session.gates == "grants" or _is_asked(session, exact)
                await ledger.vote(approval.approval_id, voter=APPROVER, approve=agrees, note="")
            async with self._services.database.write() as connection:
                await ledger.consume(exact, caller=caller, connection=connection)
        except DeniedError as error:
            return error.code
        except InputError:
            return "not_bindable"
        return ""


def _request(session: Session, tool: DojoTool, call: DojoCall) -> AccessRequest:
    return AccessRequest(
        caller=session.caller,
        tool=ToolFacts(
            server=tool.suite, name=tool.name, verb=tool.verb, risk=tool.risk, definition_hash=digest(tool.id)
        ),
        resource=_resource(session, tool),
        arguments=cast("dict[str, Any]", bindable(call.arguments)),
        mode="call",
        calls=session.steps,
        untrusted=session.read,
        controls=Controls(),
    )


def _resource(session: Session, tool: DojoTool) -> ResourceInput:
    if not tool.effect:
        return ResourceInput(kind="none", exists=True, classification="public", sealed=False)
    return ResourceInput(
        kind="action",
        exists=True,
        id=f"{session.case_id}/{session.steps}",
        tenant=_TENANT,
        classification="internal",
        sealed=False,
        assigned_to=(PERSON.id,),
        author=PERSON.id,
        action=ACTION,
        run_id=session.case_id,
    )


def _exact(session: Session, call: DojoCall, revision: str) -> ActionCall:
    return ActionCall(
        tenant=_TENANT,
        case_id=session.case_id,
        server=session.suite,
        tool=call.tool,
        definition_hash=digest(f"{session.suite}/{call.tool}"),
        arguments=cast("dict[str, Any]", bindable(call.arguments)),
        policy_revision=revision,
    )


def _rule(wanted: ApprovalObligation, tool: DojoTool) -> ApprovalRule:
    return ApprovalRule(
        roles=wanted.roles,
        quorum=wanted.quorum,
        author_excluded=wanted.author_excluded,
        ttl_seconds=wanted.ttl_seconds,
        risk=tool.risk,
        schedule=wanted.schedule,
    )


def _is_asked(session: Session, exact: ActionCall) -> bool:
    """Whether the person who asked would know the call again: it is one of those that the request comes to."""
    asked: Sequence[DojoCall] = [one for one in session.begun.asked if one.tool == exact.tool]
    return call_digest(exact) in {call_digest(_exact(session, one, exact.policy_revision)) for one in asked}


def bindable(value: Any) -> Any:
    """The value with fractions as text: an approval binds whole numbers and text only."""
    if isinstance(value, float):
        return f"{value!r}"
    if isinstance(value, Mapping):
        return {name: bindable(item) for name, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [bindable(item) for item in cast("list[Any]", value)]
    return value
