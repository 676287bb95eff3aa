"""What the suites that ask questions share: the product's own way from a question to a kept answer.

A question is begun as a run and answered by the driver that a worker uses: the asker's own token, the guarded search,
the offline provider, quotes verified by the server. The answer is read from the run's events. Each suite names its
data file; `prepared` may put another part into the services, by which the suites' tests plant their defects.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from casewright.config import Settings
from casewright.contracts.base import Contract
from casewright.contracts.clause import SearchFilters
from casewright.contracts.evaluation import CaseResult
from casewright.contracts.recommendation import VerifiedCitation
from casewright.corpus.manifest import Submission
from casewright.errors import InputError, UnavailableError
from casewright.services import Services
from evals.datasets import read_lines
from evals.scorers.answers import FORBIDDEN, AnswerCase, GivenAnswer, Score, expected_words, scored
from evals.scorers.shelf import Shelf
from evals.suite import Attempt, Case, Materials
from evals.world import POLICIES, copied

if TYPE_CHECKING:
    from evals.scorers.diagnosis import Diagnosis, Examiner
    from graphs.answering import QuestionDriver
    from graphs.inquiries import Inquiries
    from graphs.records import RunRecords

REGULATIONS = Path("corpora") / "us-consumer-finance"
READER = "harborline"
"""The tenant that has the regulations beside its own rules."""


def as_it_is(services: Services) -> None:
    """Leave the services as they are."""


@dataclass(frozen=True, kw_only=True)
class AnsweringSuite:
    """Asks the questions of one file."""

    name: str
    title: str
    file: str
    fast_cases: int
    with_regulations: bool = False
    shards: int = 1
    case_seconds: float = 30.0
    has_control: bool = False
    prepared: Callable[[Services], None] = field(default=as_it_is)

    @property
    def files(self) -> Mapping[str, type[Contract]]:
        return {self.file: AnswerCase}

    def cases(self, materials: Materials) -> Sequence[Case]:
        if self.with_regulations:
            materials.corpora()
        return [with_forbidden(case) for case in read_lines(self.file, AnswerCase)]

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        if not enforced:
            raise InputError(f"the suite {self.name!r} has no control; leave it out of that run")
        return _opened(self, materials)


def with_forbidden(case: AnswerCase) -> Case:
    """The case with every outcome that none may have."""
    always = FORBIDDEN if not case.expected.answered else FORBIDDEN[1:]
    return case.model_copy(update={"forbidden": tuple(dict.fromkeys((*case.forbidden, *always)))})


@asynccontextmanager
async def _opened(suite: AnsweringSuite, materials: Materials) -> AsyncGenerator[Attempt]:
    from commands.orchestrator import build_gateway, build_question_driver, build_records
    from graphs.inquiries import Inquiries

    home = copied(materials.installation, materials.work / "home")
    services = Services(Settings(home=home, policies=POLICIES))
    if suite.with_regulations:
        with_regulations(services, materials.corpora())
    suite.prepared(services)
    records = build_records(services)
    try:
        async with build_gateway(services) as gateway:
            yield Questions(
                services=services,
                records=records,
                inquiries=Inquiries(services, records),
                driver=build_question_driver(services, gateway),
                shelf=published(materials.corpora() if suite.with_regulations else None),
            ).attempt
    finally:
        await services.close()


def with_regulations(services: Services, shared: Path) -> None:
    """Ingest the shared regulations for the tenant that asks about them.

    Raises:
        InputError: one of them could not be read.
    """
    submission = Submission(by="evals", at="2026-01-01T00:00:00Z", approved=True)
    report = services.corpus.ingest([shared / REGULATIONS], tenant=READER, submission=submission)
    if report.quarantined:
        raise InputError(f"of the regulations in {str(shared)!r} some could not be read: {report.quarantined!r}")


def published(shared: Path | None) -> Shelf:
    """The sample's documents, and with a folder of shared corpora the regulations as well."""
    from commands.initialise import sample_folder

    folders = {path.name: [path / "documents"] for path in sorted(sample_folder().iterdir()) if path.is_dir()}
    folders = {tenant: places for tenant, places in folders.items() if places[0].is_dir()}
    if shared is not None:
        folders[READER] = [*folders[READER], shared / REGULATIONS]
    return Shelf.read(folders)


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Asks questions over one installation."""

    services: Services
    records: "RunRecords"
    inquiries: "Inquiries"
    driver: "QuestionDriver"
    shelf: Shelf

    async def attempt(self, case: Case) -> CaseResult:
        """Ask, and hold the answer against the case."""
        asked = AnswerCase.model_validate(case.model_dump())
        run_id = f"ask-{case.id}"
        answer = await self.answer(asked, run_id)
        score = scored(asked, answer, self.services.identities.find(asked.given.asked_by), self.shelf)
        diagnosis = None if score.passed else await self._diagnosis(asked, answer, score, run_id)
        return self._result(asked, answer, score, diagnosis, run_id)

    async def answer(self, case: AnswerCase, run_id: str) -> GivenAnswer:
        """Ask a case's question as its asker, and read the answer from the run.

        Raises:
            UnavailableError: the run did not complete.
        """
        from graphs.inquiries import Inquiry, inquiry_of

        person = self.services.identities.find(case.given.asked_by)
        inquiry = Inquiry(question=case.given.question, as_of=case.given.as_of.isoformat())
        await self.inquiries.begin(person, inquiry, run_id=run_id)
        change = await self.driver.resume(person.tenant, run_id)
        _, document = await inquiry_of(self.records, run_id)
        if change.status != "completed" or document is None:
            raise UnavailableError(f"run {run_id!r} ended {change.status!r}: {change.because}; see its log")
        return GivenAnswer(
            text=document["answer"],
            abstained=document["abstained"],
            reason=document["reason"],
            citations=tuple(VerifiedCitation.model_validate(one) for one in document["citations"]),
        )

    async def _diagnosis(self, case: AnswerCase, answer: GivenAnswer, score: Score, run_id: str) -> "Diagnosis":
        from agents.answerer import HITS
        from evals.scorers.diagnosis import Asked

        person = self.services.identities.find(case.given.asked_by)
        asked = Asked(
            question=case.given.question,
            filters=SearchFilters(tenant=person.tenant, labels=person.labels, as_of=case.given.as_of),
            limit=HITS,
            received=await self.services.retrievals.of_run(person.tenant, run_id),
        )
        return self._examiner.of_answer(case, answer, score, asked)

    @cached_property
    def _examiner(self) -> "Examiner":
        """Opened with the first case that fails."""
        from evals.scorers.diagnosis import Examiner

        return Examiner(self.services.settings.index)

    def _result(
        self, case: AnswerCase, answer: GivenAnswer, score: Score, diagnosis: "Diagnosis | None", run_id: str
    ) -> CaseResult:
        quotes = tuple(f"{one.document_id} {one.version} {one.label}: {one.quote}" for one in answer.citations)
        shown = {"day": case.given.as_of.isoformat(), "asked_by": case.given.asked_by}
        asked = f"asked by {shown['asked_by']} for {shown['day']}: {case.given.question}"
        return CaseResult(
            case_id=case.id,
            verdict="passed" if score.passed else "failed",
            expected=expected_words(case),
            happened=score.happened,
            forbidden=score.forbidden,
            stage=diagnosis.stage if diagnosis else "",
            diagnosis=diagnosis.because if diagnosis else "",
            evidence=() if score.passed else (asked, *quotes),
            trace=f"casewright --home {self.services.settings.home} runs explain {run_id} --as {case.given.asked_by}",
            outcomes=score.outcomes,
        )
