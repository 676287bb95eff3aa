"""What the review server needs of the reviews themselves: a seam, because servers know no graph.

An implementation reads and commits rows (`commands.review_requests` gives the one over the request rows
and records); it drives nothing and asks for no permission: the server does that before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from casewright.contracts.explanation import Explanation
from casewright.contracts.principal import Principal
from casewright.contracts.question import RunQuestion
from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import UnavailableError


class Review(Protocol):
    """A review as its row has it."""

    @property
    def run_id(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def case_id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def status(self) -> RunStatus: ...
    @property
    def created_ns(self) -> int: ...
    @property
    def updated_ns(self) -> int: ...
    @property
    def report(self) -> RunReport | None: ...
    @property
    def waiting_for(self) -> str: ...
    @property
    def wanted(self) -> str: ...


class ReviewEvent(Protocol):
    """One thing that a review did."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question about the rules, and its answer if it has one."""

    run: Review
    question: str
    as_of: str
    answer: Mapping[str, Any] | None


class Reviews(Protocol):
    """Begins, finds and explains the reviews of a tenant."""

    async def start(self, principal: Principal, case_id: str, *, fresh: bool) -> Review:
        """The open review of the case, or a new one that is queued; with `fresh` always a new one."""
        ...

    async def find(self, tenant: str, run_id: str) -> Review:
        """One review as it stands now.

        Raises:
            NotFoundError: the tenant has none with this id.
        """
        ...

    async def list(self, tenant: str, *, case_id: str, limit: int) -> Sequence[Review]:
        """The newest reviews of the tenant, or of one case; empty: of any."""
        ...

    async def events(self, run_id: str, *, after: int) -> Sequence[ReviewEvent]:
        """What it did since the event with this number, oldest first."""
        ...

    async def answer(self, principal: Principal, run_id: str, question_id: str, value: str) -> RunQuestion:
        """Answer what it asks; the same answer again changes nothing.

        Raises:
            NotFoundError: it has no such question.
            InputError: no option has this value.
            ConflictError: it was answered with another value, or withdrawn.
        """
        ...

    async def ask(self, principal: Principal, question: str, as_of: str) -> Review:
        """Queue a question about the rules of a day (YYYY-MM-DD)."""
        ...

    async def asked(self, tenant: str, run_id: str) -> Asked:
        """A question about the rules as it stands now.

        Raises:
            NotFoundError: the tenant has none with this id.
        """
        ...

    async def explain(self, review: Review) -> Explanation:
        """The auditor's questions about it, answered from records."""
        ...


class NoReviews:
    """Where a server was built for its definitions alone: everything is unavailable."""

    async def start(self, principal: Principal, case_id: str, *, fresh: bool) -> NoReturn:
        raise _none()

    async def find(self, tenant: str, run_id: str) -> NoReturn:
        raise _none()

    async def list(self, tenant: str, *, case_id: str, limit: int) -> NoReturn:
        raise _none()

    async def events(self, run_id: str, *, after: int) -> NoReturn:
        raise _none()

    async def answer(self, principal: Principal, run_id: str, question_id: str, value: str) -> NoReturn:
        raise _none()

    async def ask(self, principal: Principal, question: str, as_of: str) -> NoReturn:
        raise _none()

    async def asked(self, tenant: str, run_id: str) -> NoReturn:
        raise _none()

    async def explain(self, review: Review) -> NoReturn:
        raise _none()


def _none() -> UnavailableError:
    return UnavailableError("this process was given no reviews to serve; use `casewright mcp review`")
