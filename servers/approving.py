"""One approval for everybody who handles it: the command line, the API, the console.

Asks the policy whether this person may see, vote, revoke or assign, then lets the ledger do it. What
is shown are the canonical arguments from the ledger, never prose of a model. It does *not* drive
the run that waits: whoever calls wakes it, or leaves that to a worker.
"""

from dataclasses import dataclass, replace
from typing import Any

from casewright.approvals.timers import run_due
from casewright.approvals.voting import state_refusal, voter_refusal
from casewright.clock import iso
from casewright.contracts.approval import Approval, ApprovalState, Notice, NoticeKind
from casewright.contracts.decision import ResourceInput
from casewright.contracts.principal import Principal
from casewright.errors import ConflictError, DeniedError, NotFoundError
from casewright.services import Services
from servers.permission import Deed, Permission, permitted
from servers.resources import load_case

_NO_AMOUNT = -1
"""Below every approval rule: who cannot be told the amount cannot vote on it."""

_OPEN = "open"
_NOTICES: dict[NoticeKind, str] = {
    "reminder": "it still waits for your vote",
    "assigned": "you are expected to vote",
    "escalated": "you may vote as well now",
    "expired": "it expired without being used; ask anew",
}


@dataclass(frozen=True, kw_only=True)
class ReadApproval:
    """An approval that this person may read, and what their reading is marked with."""

    approval: Approval
    watermark: str


class Approving:
    """What one person does with approvals, asked for in one place (`session`: `command-line`, `api-…`)."""

    def __init__(self, services: Services, principal: Principal, *, session: str, bound: str = "") -> None:
        """`bound` is the one case that the person's token names; empty: it names none."""
        self._services = services
        self._principal = principal
        self._session = session
        self._bound = bound

    async def read(self, approval_id: str) -> ReadApproval:
        """One approval as it stands now.

        Raises:
            NotFoundError: the person's tenant has no such approval.
            DeniedError: its case is not readable for them; audited.
        """
        return await self._readable(await self._current(approval_id))

    async def queue(
        self, *, state: ApprovalState | None = None, case_id: str = "", run_id: str = ""
    ) -> tuple[ReadApproval, ...]:
        """The approvals that the person may read, newest first; decided once for each case."""
        await run_due(self._services)
        found = await self._services.approvals.list(self._principal.tenant, state=state, case_id=case_id, run_id=run_id)
        known: dict[str, ReadApproval | None] = {}
        for approval in found:
            if approval.call.case_id not in known:
                known[approval.call.case_id] = await self._if_readable(approval)
        decided = [(approval, known[approval.call.case_id]) for approval in found]
        return tuple(replace(seen, approval=approval) for approval, seen in decided if seen is not None)

    async def votable(self, approval_id: str) -> Approval:
        """An approval on which the person may vote now; nothing is recorded but that it was asked.

        Raises:
            NotFoundError: the person's tenant has no such approval.
            DeniedError: the policy or the ledger says no; audited by the policy's decision.
            ConflictError: it takes no more votes.
        """
        approval = await self._permitted("vote_approval", approval_id)
        if refused := state_refusal(approval):
            raise ConflictError(refused.why)
        if refused := voter_refusal(approval, self._principal):
            raise DeniedError(refused.why, code=refused.code)
        return approval

    async def vote(self, approval_id: str, *, approve: bool, note: str = "", seen: str = "") -> Approval:
        """Count the person's vote on exactly this action.

        Args:
            note: why, for the record; text that is never interpreted.
            seen: the digest of what the person was shown; empty where they name the approval alone.

        Raises:
            NotFoundError: the person's tenant has no such approval.
            ConflictError: they saw something else than what would be executed.
            DeniedError: the policy or the ledger says no; audited with its reason.
            InputError: the note is too long.
        """
        approval = await self._permitted("vote_approval", approval_id)
        if seen not in ("", approval.digest):
            raise ConflictError(f"what was seen is not what {approval_id!r} would execute; read it again, then decide")
        return await self._services.approvals.vote(approval_id, voter=self._principal, approve=approve, note=note)

    async def revoke(self, approval_id: str, *, why: str) -> Approval:
        """Take an approval back for good, before it was used.

        Raises:
            NotFoundError: the person's tenant has no such approval.
            DeniedError: they may not, or nothing is left to take back; audited.
            InputError: no reason is given, or it is too long.
        """
        await self._permitted("revoke_approval", approval_id)
        return await self._services.approvals.revoke(approval_id, by=self._principal, why=why)

    async def assign(self, approval_id: str, identity: str) -> Approval:
        """Say who is expected to vote; whoever may vote may say so, and nobody's vote is given or taken.

        Raises:
            NotFoundError: the person's tenant has no such approval, or nobody of this id.
            DeniedError: the acting person may not; audited.
            ConflictError: that person could not vote on it, with the reason.
        """
        approval = await self._permitted("assign_approval", approval_id)
        case = await load_case(self._services, self._principal.tenant, approval.call.case_id)
        assignee = self._colleague(identity)
        if assignee.id in case.conflicts:
            raise ConflictError(f"{identity!r} cannot vote on {approval_id!r}; assign somebody else")
        return await self._services.approvals.assign(approval_id, assignee=assignee, by=self._principal)

    async def notices(self) -> tuple[Notice, ...]:
        """What the person, or the people of their roles, were told of approvals they may read; newest first.

        Raises:
            DeniedError: none of their roles has notices; audited.
        """
        await run_due(self._services)
        deed = Deed(name="list_notices", verb="list")
        await permitted(self._services, self._principal, deed, session=self._session, bound=self._bound)
        found = await self._services.approvals.notices(self._principal)
        named = dict.fromkeys(notice.approval_id for notice in found)
        seen = {approval_id for approval_id in named if await self._may_read(approval_id)}
        return tuple(notice for notice in found if notice.approval_id in seen)

    async def _current(self, approval_id: str) -> Approval:
        await run_due(self._services)
        return await self._services.approvals.get(self._principal.tenant, approval_id)

    async def _may_read(self, approval_id: str) -> bool:
        approval = await self._services.approvals.get(self._principal.tenant, approval_id)
        return await self._if_readable(approval) is not None

    async def _if_readable(self, approval: Approval) -> ReadApproval | None:
        try:
            return await self._readable(approval)
        except DeniedError:
            return None

    async def _readable(self, approval: Approval) -> ReadApproval:
        permission = await readable(self._services, self._principal, approval, session=self._session, bound=self._bound)
        return ReadApproval(approval=approval, watermark=permission.duties.watermark)

    async def _permitted(self, deed: str, approval_id: str) -> Approval:
        approval = await self._current(approval_id)
        case = await load_case(self._services, self._principal.tenant, approval.call.case_id)
        wanted = _deed(deed, approval, case)
        await permitted(self._services, self._principal, wanted, session=self._session, bound=self._bound)
        return approval

    def _colleague(self, identity: str) -> Principal:
        """Somebody of the same tenant; another tenant's people are as unknown as people who are not."""
        try:
            found = self._services.standings.find(identity)
        except NotFoundError as error:
            raise _nobody(identity) from error
        if found.tenant != self._principal.tenant:
            raise _nobody(identity)
        return found


async def readable(
    services: Services, principal: Principal, approval: Approval, *, session: str, bound: str = ""
) -> Permission:
    """Permission to read an approval: it shows case data, so its case must be readable.

    Raises:
        DeniedError: it is not; audited.
    """
    case_id = approval.call.case_id
    case = await load_case(services, principal.tenant, case_id)
    deed = Deed(name="read_run", verb="read", resource=case, case_id=case_id)
    return await permitted(services, principal, deed, session=session, bound=bound)


def approval_document(approval: Approval) -> dict[str, Any]:
    """What people see of an approval: the canonical call, who is needed, who voted."""
    return {
        "approval_id": approval.approval_id,
        "state": approval.state,
        "remaining": approval.remaining,
        "votes": [vote.model_dump(mode="json") for vote in approval.votes],
        "case_id": approval.call.case_id,
        "run_id": approval.run_id,
        "requested_by": approval.requested_by,
        "requested_agent": approval.requested_agent,
        "roles": list(approval.voting_roles),
        "quorum": approval.rule.quorum,
        "assignee": approval.assignee,
        "escalated": iso(approval.escalated_ns) if approval.escalated_ns else "",
        "created": iso(approval.created_ns),
        "expires": iso(approval.expires_ns),
        "digest": approval.digest,
        "call": approval.call.model_dump(mode="json"),
    }


def notice_document(notice: Notice) -> dict[str, Any]:
    """What people see of a notice."""
    return {
        "notice_id": notice.notice_id,
        "approval_id": notice.approval_id,
        "case_id": notice.case_id,
        "kind": notice.kind,
        "number": notice.number,
        "to": notice.recipient,
        "at": iso(notice.at_ns),
        "text": _told(notice),
    }


def _told(notice: Notice) -> str:
    if notice.kind == "assigned" and notice.recipient.startswith("role:"):
        return "it is open to your role again; nobody in particular is expected to vote"
    return _NOTICES[notice.kind]


def _deed(name: str, approval: Approval, case: ResourceInput) -> Deed:
    arguments = approval.call.arguments
    amount = arguments.get("amount_minor")
    resource = case.model_copy(
        update={
            "kind": "action",
            "author": approval.requested_by,
            "run_id": approval.run_id,
            "action": str(arguments.get("action", "")),
            "amount_minor": amount if type(amount) is int else _NO_AMOUNT,
        }
    )
    if approval.escalated_ns and case.state == _OPEN:  # what a case in any other state says of itself stays
        resource = resource.model_copy(update={"state": "approval_escalated"})
    return Deed(
        name=name,
        verb="write",
        risk="high",
        resource=resource,
        case_id=approval.call.case_id,
        arguments={"approval_id": approval.approval_id},
    )


def _nobody(identity: str) -> NotFoundError:
    return NotFoundError(f"there is nobody {identity!r} here; name a person of your own organisation")
