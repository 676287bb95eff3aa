"""Approvals in place: whoever may decide and has a client that can ask them, is asked by it and answers the ledger.

The question shows the canonical call of the ledger and nothing that a model wrote. Who asked for an
action is never asked for its approval, nor is the client of an agent. What is recorded is a vote like
any other: decided by the policy when it is given, bound to the digest that was shown. Everybody else
gets `approval_required` and is told where the people who may decide find it.
"""

import json
from typing import Literal

from mcp_types import InputRequiredResult
from pydantic import BaseModel, Field

from casewright.approvals.voting import MAX_NOTE_CHARACTERS, person
from casewright.clock import iso
from casewright.contracts.approval import Approval, GatedResult
from casewright.contracts.principal import Caller
from casewright.errors import ConflictError, DeniedError
from casewright.services import Services
from servers.approving import Approving
from servers.asking import Answered, ask
from servers.client_side import can_be_asked
from servers.guard import Call, Guard
from servers.spec import ToolDefinition


class Decision(BaseModel):
    """The form of an approval."""

    decision: Literal["approve", "reject"] = Field(
        title="Decision", description="Approve lets exactly this happen once; one rejection ends it."
    )
    note: str = Field(default="", title="Note", description="Why, for the record.", max_length=MAX_NOTE_CHARACTERS)


class Deciding:
    """Lets the people of clients decide where they are."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def _offered(self, caller: Caller, approval: Approval) -> Approval | InputRequiredResult | None:
        """Ask the caller's user, if it is theirs to decide; None: they were not asked, or did not answer."""
        if not can_be_asked() or _is_own(caller, approval):
            return None
        try:
            return await self.asked(caller, approval.approval_id)
        except DeniedError:  # audited where it was decided; to them it is open like to anybody else
            return None

    async def asked(self, caller: Caller, approval_id: str) -> Approval | InputRequiredResult | None:
        """Ask the caller's user to decide on an approval; None: they did not answer, and nothing is recorded.

        Raises:
            NotFoundError: the tenant has no such approval.
            DeniedError: it is not theirs to decide, or the caller is no person; audited.
            ConflictError: it takes no more votes, this question was answered before, or what was shown changed.
            InputError: the answer does not fit.
            UnavailableError: the client cannot ask.
        """
        if caller.actor.kind != "user":
            raise DeniedError("agents decide nothing", code="not_a_person")
        approving = self._approving(caller)
        approval = await approving.votable(approval_id)
        answer = await ask(self._services, caller.principal, shown(approval), Decision)
        if isinstance(answer, InputRequiredResult):
            return answer
        if not isinstance(answer, Answered):
            return None
        agreed = answer.form.decision == "approve"
        return await approving.vote(approval_id, approve=agreed, note=answer.form.note, seen=approval.digest)

    async def settled(
        self, guard: Guard, definition: ToolDefinition, call: Call
    ) -> GatedResult | InputRequiredResult | None:
        """What stands before a call that people have to agree to; None: they have, and it may run.

        Raises:
            ConflictError: the question was answered before, or the policies changed while people decided.
            DeniedError: the call is permitted no more; audited.
            InputError: the answer does not fit.
        """
        waiting = await guard.approval(call)
        if waiting is None or waiting.status != "approval_required":
            return waiting
        decided = await self._offered(call.caller, waiting.approval)
        if decided is None or isinstance(decided, InputRequiredResult):
            return waiting if decided is None else decided
        now = await guard.evaluate(call.caller, definition, call.action.arguments)  # people took their time
        if now.action != call.action:
            raise ConflictError("the policies changed meanwhile; make the call again")
        if definition.spec.precondition is not None:
            await definition.spec.precondition()
        return await guard.approval(now)

    def _approving(self, caller: Caller) -> Approving:
        actor = caller.actor
        return Approving(self._services, caller.principal, session=actor.run_id, bound=actor.case_id)


def shown(approval: Approval) -> str:
    """An approval as people are shown it before they decide: the ledger's canonical call, character by character."""
    call = approval.call
    lines = [
        f"Decide on {approval.approval_id}: may exactly this happen, once?",
        "",
        f"case: {_plain(call.case_id)}",
        f"call: {_plain(call.server)}/{_plain(call.tool)}",
        *(f"{_plain(name)}: {_plain(value)}" for name, value in sorted(call.arguments.items())),
        f"asked for by: {_plain(approval.requested_by)}{_by_agent(approval)}",
        f"votes: {_votes(approval)}; {approval.remaining} more needed",
        f"open until: {iso(approval.expires_ns)}",
        f"digest: {approval.digest}",
    ]
    return "\n".join(lines)


def _by_agent(approval: Approval) -> str:
    return f", through the agent {_plain(approval.requested_agent)}" if approval.requested_agent else ""


def _votes(approval: Approval) -> str:
    return ", ".join(_plain(vote.voter) for vote in approval.votes) or "none yet"


def _plain(value: object) -> str:
    """A value in printable ASCII, so that nothing in it is layout, direction or a look-alike."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


def _is_own(caller: Caller, approval: Approval) -> bool:
    return caller.actor.kind != "user" or person(caller.principal.id) == person(approval.requested_by)
