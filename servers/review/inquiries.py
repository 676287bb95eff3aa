"""Tools for questions about the rules: the answer quotes them word for word, sentence by sentence, or abstains.

A question is a run like a review: begun as a row, answered by a worker, read by its asker and auditors.
The same deed as over the API and on the command line.
"""

import re
from typing import Annotated, Any

from pydantic import Field

from casewright.clock import today
from casewright.contracts.base import Contract
from casewright.contracts.recommendation import VerifiedCitation
from casewright.contracts.run import RunStatus
from casewright.errors import DeniedError, InputError
from casewright.services import Services
from servers.guard import current_call
from servers.permission import permitted
from servers.readable import ask_deed, is_own
from servers.review.following import LONGEST_WAIT_SECONDS, follow
from servers.review.permission import hidden, session_of
from servers.review.reviews import Asked, Reviews
from servers.spec import MetByTool, ToolSpec

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LIMITED_WHERE_SEARCHED: frozenset[MetByTool] = frozenset({"limit"})
"""Whoever answers searches through the guard of the search server, which limits it."""
Wait = Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="Wait so long for the answer; 0: not at all.")]


class AnswerToQuestion(Contract):
    """An answer of which every sentence is backed by a verified quote, or an abstention with its reason."""

    answer: str
    abstained: bool
    reason: str = Field(description="Of an abstention: what was missing.")
    citations: tuple[VerifiedCitation, ...]
    release: str = Field(default="", description="The release that answered; empty: none was in force.")


class AskedQuestion(Contract):
    """A question about the rules as it stands now."""

    run_id: str = Field(description="The handle of the question, for `get_answer`.")
    status: RunStatus
    question: str
    as_of: str = Field(description="The day whose rules apply.")
    answer: AnswerToQuestion | None = Field(description="Null as long as it is not answered.")

    @classmethod
    def of(cls, asked: Asked) -> "AskedQuestion":
        kept: Any = None
        if asked.answer is not None:
            kept = {name: asked.answer[name] for name in AnswerToQuestion.model_fields if name in asked.answer}
        return cls(
            run_id=asked.run.run_id,
            status=asked.run.status,
            question=asked.question,
            as_of=asked.as_of,
            answer=kept and AnswerToQuestion.model_validate(kept),
        )


class InquiryTools:
    """The tool functions, bound to the reviews."""

    def __init__(self, services: Services, reviews: Reviews) -> None:
        self._services = services
        self._reviews = reviews

    def specs(self) -> tuple[ToolSpec, ...]:
        return (
            ToolSpec(
                fn=self.ask_question,
                title="Ask about the rules",
                verb="search",
                risk="low",
                resource="none",
                meets=LIMITED_WHERE_SEARCHED,
            ),
            ToolSpec(fn=self.get_answer, title="Read an answer", verb="read", risk="low", resource="none"),
        )

    async def ask_question(
        self,
        question: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")],
        as_of: Annotated[str, Field(max_length=10, description="YYYY-MM-DD; empty: today.")] = "",
        wait_seconds: Wait = 0,
    ) -> AskedQuestion:
        """Ask a question about the rules; the answer quotes them word for word, or says what is missing.

        It answers at once with a handle (`run_id`), or after `wait_seconds` with the answer if it is
        there by then; read it later with `get_answer`.
        """
        caller = current_call().caller
        await self._permit()
        day = as_of or today(self._services.clock).isoformat()
        if not _DAY.fullmatch(day):
            raise InputError(f"as_of={as_of!r} is no day; write YYYY-MM-DD, or leave it out for today")
        self._services.corpus.index_version()  # without an index no question is begun
        begun = await self._reviews.ask(caller.principal, question, day)
        return await self._answered(begun.run_id, wait_seconds)

    async def get_answer(
        self,
        run_id: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")],
        wait_seconds: Wait = 0,
    ) -> AskedQuestion:
        """Read a question of yours and its answer; with `wait_seconds` as soon as it is there."""
        await self._permit()
        return await self._answered(run_id, wait_seconds)

    async def _answered(self, run_id: str, wait_seconds: int) -> AskedQuestion:
        asked = await self._own(run_id)
        if wait_seconds:
            tenant = asked.run.tenant

            async def look() -> Any:
                return (await self._reviews.asked(tenant, run_id)).run

            await follow(self._reviews, asked.run, wait_seconds, look)
            asked = await self._own(run_id)
        return AskedQuestion.of(asked)

    async def _own(self, run_id: str) -> Asked:
        """A question that the caller asked, or may audit; another one reads like none."""
        principal = current_call().caller.principal
        with hidden():
            asked = await self._reviews.asked(principal.tenant, run_id)
        if not is_own(principal, asked.run):
            raise DeniedError(f"run {run_id!r} is another person's question", code="not_own_question")
        return asked

    async def _permit(self) -> None:
        caller = current_call().caller
        await permitted(self._services, caller.principal, ask_deed(caller.principal), session=session_of(caller))
