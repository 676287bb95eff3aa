"""Production: what once went wrong, or right, for somebody, tried again as it was, without what points to a person.

A question is asked and a case reviewed by the product as it ships. There is no control: nothing is attacked. A case
that fails here is a failure that was known and has come back.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import InputError, UnavailableError
from evals.datasets import read_lines
from evals.production.cases import DATA, Observed, ProductionCase, ProductionGiven, expected_words, scored
from evals.production.pseudonyms import REVIEWER
from evals.suite import DATASETS, Attempt, Case, Materials
from evals.world import POLICIES, ReviewWorld, copied, opened_reviews

if TYPE_CHECKING:
    from casewright.contracts.run import RunReport

OPTION = "production"
"""Option with another data file, such as the data folder's own."""


class Production:
    """See the module."""

    name = "production"
    title = "what people corrected, what failed and what was right before is right now"
    files: Mapping[str, type[Contract]] = {DATA: ProductionCase}
    fast_cases = 20
    shards = 1
    case_seconds = 60.0
    has_control = False

    def __init__(self, policies: Path = POLICIES) -> None:
        self._policies = policies

    def cases(self, materials: Materials) -> Sequence[Case]:
        return cast("Sequence[Case]", read_lines(*_place(materials), folder=_folder(materials)))

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        if not enforced:
            raise InputError("the suite 'production' has no control; leave it out of that run")
        return _opened(materials, self._policies)


def _place(materials: Materials) -> tuple[str, type[ProductionCase]]:
    named = materials.options.get(OPTION, "")
    return (Path(named).name if named else DATA), ProductionCase


def _folder(materials: Materials) -> Path:
    named = materials.options.get(OPTION, "")
    return Path(named).parent if named else DATASETS


@asynccontextmanager
async def _opened(materials: Materials, policies: Path) -> AsyncGenerator[Attempt]:
    home = copied(materials.installation, materials.work / "home")
    async with opened_reviews(home, policies=policies) as world:
        yield _Trial(world=world, home=home).attempt


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """Tries cases over one installation."""

    world: ReviewWorld
    home: Path

    async def attempt(self, case: Case) -> CaseResult:
        """Ask or review, and hold what came of it against what is right."""
        known = ProductionCase.model_validate(case.model_dump())
        given = known.given
        run_id, seen = await (self._reviewed(given) if given.case is not None else self._asked(given, known.id))
        found = scored(known.expected, seen)
        return CaseResult(
            case_id=known.id,
            verdict="failed" if found.wrong else "passed",
            expected=expected_words(known.expected),
            happened=found.happened,
            forbidden=found.wrong,
            stage=found.stage,
            diagnosis=seen.because if found.wrong else "",
            evidence=tuple(filter(None, (known.expected.said, *seen.cited))) if found.wrong else (),
            trace=f"casewright --home {self.home} runs explain {run_id}",
            slices=known.slices,
            outcomes={"right": not found.wrong},
        )

    async def _reviewed(self, given: ProductionGiven) -> tuple[str, Observed]:
        if given.case is None:
            raise InputError("the case has no case file; mend its line")
        person = self.world.person(REVIEWER)
        report = await self.world.services.cases.import_cases([given.case], importer=person)
        if report.skipped:
            raise InputError(f"the case is not imported: {report.skipped[0]}")
        reviewed = await self.world.runner.start(person, given.case.case_id)
        return reviewed.run_id, _of_report(reviewed)

    async def _asked(self, given: ProductionGiven, case_id: str) -> tuple[str, Observed]:
        from commands.orchestrator import build_question_driver
        from graphs.inquiries import Inquiries, Inquiry, inquiry_of

        services, person, run_id = self.world.services, self.world.person(REVIEWER), f"ask-{case_id}"
        asked = Inquiry(question=given.question, as_of=given.as_of)
        await Inquiries(services, self.world.records).begin(person, asked, run_id=run_id)
        change = await build_question_driver(services, self.world.gateway).resume(person.tenant, run_id)
        _, answered = await inquiry_of(self.world.records, run_id)
        if answered is None:
            raise UnavailableError(f"run {run_id!r} ended {change.status!r}: {change.because}")
        cited = tuple(f"{one['document_id']} {one['label']}" for one in answered["citations"])
        return run_id, Observed(
            text=answered["answer"], abstained=answered["abstained"], cited=cited, because=answered["reason"]
        )


def _of_report(report: "RunReport") -> Observed:
    found = report.recommendation
    if found is None:
        return Observed(abstained=True, because=f"{report.status}: {report.because}")
    return Observed(
        text=" ".join(finding.claim for finding in found.summary),
        action=found.action.kind,
        amount_minor=found.action.amount_minor,
        cited=tuple(f"{one.document_id} {one.label}" for finding in found.summary for one in finding.citations),
        because=f"{report.status}: {report.because}",
    )
