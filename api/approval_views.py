"""What the API shows of approvals and notices, and who may read them; for the routes of approvals."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from api.pages import Position
from api.permission import Asker
from casewright.approvals.timers import run_due
from casewright.contracts.approval import Approval, ApprovalState, Notice, NoticeKind, Vote
from casewright.contracts.base import Contract
from casewright.errors import DeniedError, NotFoundError
from servers.approving import Approving, approval_document, notice_document, readable


class CallView(Contract):
    """The exact call that is approved or not."""

    tenant: str
    case_id: str
    server: str
    tool: str
    definition_hash: str
    arguments: dict[str, Any] = Field(description="Canonical: what runs is exactly this.")
    policy_revision: str


class ApprovalView(Contract):
    """An approval as it stands now."""

    approval_id: str = Field(examples=["apr-9f2d7c1b3a5e4608"])
    state: ApprovalState
    remaining: int = Field(description="Approving votes that are still needed.")
    votes: tuple[Vote, ...]
    case_id: str
    run_id: str
    requested_by: str
    requested_agent: str
    roles: tuple[str, ...] = Field(description="Who may vote now.")
    quorum: int
    assignee: str = Field(description="Who is expected to vote; empty: whoever has a role.")
    escalated: str = Field(description="When further roles were let in; empty: they were not.")
    created: str
    expires: str
    digest: str = Field(description="Binds `call`; a vote names it.")
    call: CallView

    @classmethod
    def of(cls, approval: Approval) -> "ApprovalView":
        return cls.model_validate(approval_document(approval))


class NoticeView(Contract):
    """Something that was told of an approval."""

    notice_id: str
    approval_id: str
    case_id: str
    kind: NoticeKind
    number: int = Field(description="Counts per approval and kind, from 1.")
    to: str = Field(description="`person:ID` or `role:NAME`.", examples=["role:supervisor"])
    at: str
    text: str

    @classmethod
    def of(cls, notice: Notice) -> "NoticeView":
        return cls.model_validate(notice_document(notice))


async def readable_approval(asker: Asker, approval_id: str) -> Approval:
    """An approval that this person may read, as it is now.

    Raises:
        NotFoundError: there is none for them.
    """
    approving = Approving(asker.parts.services, asker.principal, session=asker.session)
    try:
        return (await approving.read(approval_id)).approval
    except DeniedError as error:
        raise NotFoundError(f"there is no approval {approval_id!r} for {asker.principal.id!r}") from error


async def readable_approvals(
    asker: Asker, chosen: Mapping[str, str], after: Position | None, most: int
) -> tuple[Approval, ...]:
    """The next approvals that this person may read, newest first; decided once for each case.

    Args:
        chosen: `state`, `case_id` and `assignee` to narrow them; empty: any.
        after: time and id of the last one that is known.
    """
    services = asker.parts.services
    await run_due(services)
    known: dict[str, bool] = {}
    found: list[Approval] = []
    listed = await services.approvals.list(asker.principal.tenant, case_id=chosen["case_id"])
    for approval in sorted(listed, key=_place, reverse=True):
        if len(found) == most:
            break
        wanted = chosen["state"] in ("", approval.state) and chosen["assignee"] in ("", approval.assignee)
        if wanted and (after is None or _place(approval) < after) and await _may_read(asker, approval, known):
            found.append(approval)
    return tuple(found)


async def _may_read(asker: Asker, approval: Approval, known: dict[str, bool]) -> bool:
    case_id = approval.call.case_id
    if case_id not in known:
        try:
            await readable(asker.parts.services, asker.principal, approval, session=asker.session)
        except DeniedError:
            known[case_id] = False
        else:
            known[case_id] = True
    return known[case_id]


def _place(approval: Approval) -> Position:
    return approval.created_ns, approval.approval_id
