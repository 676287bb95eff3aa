"""Tools of the review server: begin a review, follow it, answer what it asks, decide what waits, explain it.

Each asks the policy for the same deed as the API and the command line, on the case that it finds; what
the guard decided before is who may use the tool at all. A token that names a case is for that case
alone. It drives no review: a worker does. Answers and decisions are recorded before anything goes on.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from mcp_types import InputRequiredResult
from pydantic import Field

from casewright.contracts.approval import Approval, ApprovalState
from casewright.contracts.decision import Risk, Verb
from casewright.contracts.explanation import Explanation
from casewright.errors import InputError
from casewright.services import Services
from servers.approval_links import approval_url, how_to_approve
from servers.approval_page.page import SHOWN_ON_PAGE
from servers.client_side import can_be_asked
from servers.guard import current_call
from servers.review.following import LONGEST_WAIT_SECONDS, follow
from servers.review.permission import (
    explained_review,
    hidden,
    permit_case,
    permit_listing,
    permit_review,
    permitted_reviews,
    session_of,
)
from servers.review.questions import answered_in_place
from servers.review.reviews import Reviews
from servers.review.views import (
    ApprovalList,
    ApprovalView,
    DecisionResult,
    QuestionAnswer,
    ReviewList,
    ReviewSummary,
    ReviewView,
)
from servers.spec import MetByTool, ToolSpec

if TYPE_CHECKING:
    from servers.approving import Approving

_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
RunId = Annotated[str, Field(max_length=100, pattern=_ID, description="The handle that `start_review` gave.")]
ApprovalId = Annotated[str, Field(max_length=100, pattern=_ID)]
CaseId = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
        description="A case that you may review; empty: the one that the token names.",
    ),
]
OptionalId = Annotated[str, Field(max_length=100, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")]
Wait = Annotated[
    int,
    Field(ge=0, le=LONGEST_WAIT_SECONDS, description="Wait so long for it to need people or to end; 0: not at all."),
]
SHOWN_AS_TO_PEOPLE: frozenset[MetByTool] = frozenset({"redact"})
"""A report is read as its reader may see the case, and so it is over the API."""
ON_PAGE = frozenset({"list_approvals", "get_approval", "decide_approval"})
"""Tools whose answers a client may show on the approval page."""
MOST_LISTED = 50
MOST_LOOKED_AT = 300
"""Reviews of which the readable ones are listed."""


class ReviewTools:
    """The tool functions, bound to the stores and to the reviews."""

    def __init__(self, services: Services, reviews: Reviews) -> None:
        self._services = services
        self._reviews = reviews

    def specs(self) -> tuple[ToolSpec, ...]:
        declared: tuple[tuple[Callable[..., Any], str, Verb, Risk], ...] = (
            (self.start_review, "Begin a review", "write", "medium"),
            (self.list_reviews, "List reviews", "list", "low"),
            (self.get_review, "Follow a review", "read", "low"),
            (self.answer_question, "Answer a review", "write", "medium"),
            (self.list_approvals, "List approvals", "list", "low"),
            (self.get_approval, "Read an approval", "read", "low"),
            (self.decide_approval, "Decide on an approval", "write", "high"),
            (self.explain_review, "Explain a review", "read", "low"),
        )
        return tuple(
            ToolSpec(
                fn=fn,
                title=title,
                verb=verb,
                risk=risk,
                resource="none",
                meets=SHOWN_AS_TO_PEOPLE,
                meta=SHOWN_ON_PAGE if fn.__name__ in ON_PAGE else {},
            )
            for fn, title, verb, risk in declared
        )

    async def start_review(self, case_id: CaseId = "", fresh: bool = False) -> ReviewView:
        """Begin the review of a case, or give the one that is open.

        It answers at once with a handle (`run_id`); follow it with `get_review`. With `fresh` a new
        review is begun even if one is open.
        """
        caller = current_call().caller
        named = case_id or caller.actor.case_id
        if not named:
            raise InputError("name the case with case_id; the token names none")
        await permit_case(self._services, caller, named)
        self._services.corpus.index_version()  # without an index no review is begun, let alone ended as incomplete
        begun = await self._reviews.start(caller.principal, named, fresh=fresh)
        return ReviewView.of(await permit_review(self._services, self._reviews, begun.run_id))

    async def list_reviews(self, case_id: OptionalId = "") -> ReviewList:
        """List the newest reviews you may read, or those of one case."""
        caller = current_call().caller
        await permit_listing(self._services, caller)
        found = await self._reviews.list(caller.principal.tenant, case_id=case_id, limit=MOST_LOOKED_AT)
        readable = await permitted_reviews(self._services, found)
        return ReviewList(reviews=tuple(ReviewSummary.listed(review) for review in readable[:MOST_LISTED]))

    async def get_review(self, run_id: RunId, wait_seconds: Wait = 0) -> ReviewView:
        """Read a review: how it stands, its latest report, and what comes next.

        With `wait_seconds` it waits until the review needs people or has ended, and reports each
        step as progress. Call it again if it is still running then.
        """
        review = await permit_review(self._services, self._reviews, run_id)
        if wait_seconds:
            await follow(self._reviews, review, wait_seconds, lambda: self._reviews.find(review.tenant, run_id))
            review = await permit_review(self._services, self._reviews, run_id)
        return ReviewView.of(review)

    async def answer_question(
        self,
        run_id: RunId,
        question_id: OptionalId = "",
        value: Annotated[str, Field(max_length=100, description="One of the options; empty: ask the user.")] = "",
    ) -> QuestionAnswer | InputRequiredResult:
        """Answer what a review asks; without `value` the user is asked in place, where the client can do that.

        The answer is one of the question's options and final. The same answer again changes nothing.
        """
        return await answered_in_place(self._services, self._reviews, run_id, question_id, value)

    async def list_approvals(
        self,
        state: Annotated[
            ApprovalState | None, Field(description="Only these, as they stand now; null: in any state.")
        ] = "pending",
        case_id: OptionalId = "",
    ) -> ApprovalList:
        """List the approvals you may read, newest first; `pending` is the queue of those who decide."""
        caller = current_call().caller
        await permit_listing(self._services, caller)
        found = await self._approving().queue(state=state, case_id=case_id)
        views = tuple(_view(item.approval) for item in found[:MOST_LISTED])
        return ApprovalList(approvals=views, more=len(found) > MOST_LISTED)

    async def get_approval(self, approval_id: ApprovalId) -> ApprovalView:
        """Read an approval exactly as it would be executed."""
        with hidden():
            return _view((await self._approving().read(approval_id)).approval)

    async def decide_approval(self, approval_id: ApprovalId) -> DecisionResult | InputRequiredResult:
        """Let the user decide on exactly what an approval would execute.

        The user is shown the canonical call and approves or rejects it in their client; nobody can
        answer for them, so there is no argument for the decision. The requester can never approve. A
        client that cannot ask its user gets `approval_required` with the way to decide elsewhere.
        """
        from servers.asking import send_to
        from servers.deciding import Deciding

        settings = self._services.settings
        with hidden():
            approval = await self._approving().votable(approval_id)
        if not can_be_asked():
            how, url = how_to_approve(settings, approval), approval_url(settings, approval_id)
            if url and (offered := await send_to(f"Decide on {approval_id} there.", url)):
                return offered
            return DecisionResult(status="approval_required", approval=_view(approval), url=url, how=how)
        decided = await Deciding(self._services).asked(current_call().caller, approval_id)
        if isinstance(decided, InputRequiredResult):
            return decided
        if decided is None:
            how = "the user did not answer; nothing is recorded, and it can be decided later"
            url = approval_url(settings, approval_id)
            return DecisionResult(status="not_decided", approval=_view(approval), url=url, how=how)
        return DecisionResult(status="recorded", approval=_view(decided), url="", how=_after(decided))

    async def explain_review(self, run_id: RunId) -> Explanation:
        """Say what a review answered, why, from what, under what permission, and how one would know if it was wrong.

        Every statement names the events of the records that it stands on.
        """
        return await explained_review(self._services, self._reviews, run_id)

    def _approving(self) -> "Approving":
        from servers.approving import Approving

        caller = current_call().caller
        return Approving(self._services, caller.principal, session=session_of(caller), bound=caller.actor.case_id)


def _view(approval: Approval) -> ApprovalView:
    from servers.approving import approval_document

    return ApprovalView.model_validate(approval_document(approval))


def _after(approval: Approval) -> str:
    if approval.state == "pending":
        return f"the vote counts; {approval.remaining} more needed"
    return f"it is {approval.state}; whoever waits for it goes on by itself"
