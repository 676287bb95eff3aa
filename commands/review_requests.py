"""The reviews that the review server serves: the request rows, records and explanations of this data folder.

It gives `servers.review` what it may not import, and drives nothing; everything is imported when it is
first asked for, so that a client that lists tools does not wait for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING

from casewright.contracts.explanation import Explanation
from casewright.contracts.principal import Principal
from casewright.contracts.question import RunQuestion
from casewright.errors import NotFoundError
from casewright.services import Services

if TYPE_CHECKING:
    from graphs.records import RunEvent, RunRecords, RunRow
    from graphs.requests import RunRequests
    from servers.review.reviews import Asked, Review

LONGEST_CHAIN = 20_000
"""Events of an audit that is verified in passing, as over the API; a longer one takes too long for one answer."""


class ReviewRequests:
    """Reviews as rows."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def start(self, principal: Principal, case_id: str, *, fresh: bool) -> "RunRow":
        return await self._requests.start(principal, case_id, fresh=fresh)

    async def find(self, tenant: str, run_id: str) -> "RunRow":
        from graphs.requests import reviewed

        return reviewed(await self._records.get(tenant, run_id))

    async def list(self, tenant: str, *, case_id: str, limit: int) -> "Sequence[RunRow]":
        from graphs.requests import KIND

        rows = await self._records.list(tenant, case_id=case_id, limit=limit)
        return [row for row in rows if row.kind == KIND]

    async def events(self, run_id: str, *, after: int) -> "Sequence[RunEvent]":
        return await self._records.events(run_id, after=after)

    async def answer(self, principal: Principal, run_id: str, question_id: str, value: str) -> RunQuestion:
        return await self._requests.answer(principal, run_id, question_id, value)

    async def ask(self, principal: Principal, question: str, as_of: str) -> "RunRow":
        from graphs.inquiries import Inquiries, Inquiry

        inquiry, run_id = Inquiry(question=question, as_of=as_of), f"ask-{token_hex(8)}"
        return await Inquiries(self._services, self._records).begin(principal, inquiry, run_id=run_id)

    async def asked(self, tenant: str, run_id: str) -> "Asked":
        from graphs.inquiries import KIND, inquiry_of
        from servers.review.reviews import Asked

        row = await self._records.get(tenant, run_id)
        if row.kind != KIND:
            raise NotFoundError(f"run {run_id!r} is no question about the rules")
        inquiry, answer = await inquiry_of(self._records, run_id)
        return Asked(run=row, question=inquiry.question, as_of=inquiry.as_of, answer=answer)

    async def explain(self, review: "Review") -> Explanation:
        from graphs.explanation.explain import explain_run

        row = await self.find(review.tenant, review.run_id)
        as_shown = replace(row, report=review.report)
        return await explain_run(self._services, self._records, as_shown, longest_chain=LONGEST_CHAIN)

    @cached_property
    def _records(self) -> "RunRecords":
        from graphs.records import RunRecords

        return RunRecords(self._services.database, self._services.clock)

    @cached_property
    def _requests(self) -> "RunRequests":
        from graphs.requests import RunRequests

        return RunRequests(self._services, self._records, self._services.questions)
