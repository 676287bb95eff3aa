"""Quality under a model of a provider: the questions of `golden`, `dated` and `unanswerable`, asked of a model once,
recorded, and compared offline as often as one likes.

`-o model=NAME -o key_file=FILE -o keep=FOLDER` asks and keeps the data folder with every exchange. `-o recorded=FOLDER`
asks nobody: it scores the kept answers by today's scorer and replays each call with today's prompts and layers.
`-o judge=FILE` (with a model) adds soft grades of an admitted judge; they decide nothing.
"""

import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from casewright.config import Settings
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.contracts.recommendation import VerifiedCitation
from casewright.errors import InputError, NotFoundError, StorageError
from casewright.models.gateway import Gateway
from casewright.models.judging import JudgeInput
from casewright.models.kept_calls import KeptCall, KeptCalls, LostCall
from casewright.models.prompts import PromptLibrary
from casewright.models.replaying import Replayer
from casewright.services import Services
from evals.datasets import read_lines
from evals.judging.judge import Judge, JudgeExample, examples_digest
from evals.provider import described, judge_gateway, judge_prompts, with_provider
from evals.scorers.answers import AnswerCase, GivenAnswer
from evals.suite import Attempt, Case, Materials, SuiteUnavailableError
from evals.suites.answering import Questions, published, with_forbidden
from evals.suites.judge import EXAMPLES_FILE, judge_context, read_admissions
from evals.world import POLICIES, copied

FILES = ("golden.jsonl", "dated.jsonl", "unanswerable.jsonl")


class Quality:
    """See `evals.suite.Suite`."""

    name = "quality"
    title = "Questions are answered right by the model of a provider; recorded once, compared offline"
    files: Mapping[str, type[Contract]] = {**dict.fromkeys(FILES, AnswerCase), EXAMPLES_FILE: JudgeExample}
    fast_cases = 24
    shards = 1
    case_seconds = 180.0
    has_control = False

    def cases(self, materials: Materials) -> Sequence[Case]:
        """The questions of all files, each named by its file."""
        return [_named(name, case) for name in FILES for case in read_lines(name, AnswerCase)]

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        """A data folder where a model is asked, or a copy of one where it was."""
        _check_options(materials)
        recorded = materials.options.get("recorded", "")
        home = materials.work / "home"
        if recorded:
            copied(_folder(recorded), home)
            async with _recorded(home) as attempt:
                yield attempt
            return
        copied(materials.installation, home)
        async with _asking(home, materials) as attempt:
            yield attempt
        _keep(home, materials)


@asynccontextmanager
async def _asking(home: Path, materials: Materials) -> AsyncGenerator[Attempt, None]:
    """Ask the model of the options, and nobody in its place."""
    from commands.orchestrator import build_gateway

    services = Services(with_provider(Settings(home=home, policies=POLICIES), materials))
    try:
        async with build_gateway(services, described(services.settings)) as gateway:
            questions = _questions(services, gateway, Questions)
            named = materials.options.get("judge", "")
            if not named:
                yield Measured(questions=questions).attempt
                return
            prompts = judge_prompts()
            async with judge_gateway(services, prompts) as judging:
                examples = examples_digest(read_lines(EXAMPLES_FILE, JudgeExample))
                judge = Judge(judging, prompts, read_admissions(Path(named)), examples)
                yield Measured(questions=questions, judge=judge).attempt
    finally:
        await services.close()


@asynccontextmanager
async def _recorded(home: Path) -> AsyncGenerator[Attempt, None]:
    """Read what was recorded; the gateway here has the offline provider alone and is never asked."""
    from commands.orchestrator import build_gateway, build_protection

    services = Services(Settings(home=home, policies=POLICIES))
    try:
        async with build_gateway(services) as gateway:
            questions = _questions(services, gateway, RecordedQuestions)
            prompts = PromptLibrary(services.release.current().prompts)
            yield Measured(questions=questions, replayer=Replayer(prompts, [build_protection(services)])).attempt
    finally:
        await services.close()


@dataclass(frozen=True, kw_only=True)
class RecordedQuestions(Questions):
    """The answers that were given when the folder was recorded."""

    async def answer(self, case: AnswerCase, run_id: str) -> GivenAnswer:
        """The kept answer of a case.

        Raises:
            NotFoundError: the case was not asked there, or its run has no answer.
        """
        document = await kept_answer(self, run_id)
        if document is None:
            raise NotFoundError(f"the folder has no answer of {case.id!r}; record it anew with a model and a key")
        return document


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Scores a question as the suites of answers do, and adds what its model calls were."""

    questions: Questions
    judge: Judge | None = None
    replayer: Replayer | None = None

    async def attempt(self, case: Case) -> CaseResult:
        """Ask or read, score, and say what was spent, what would be asked otherwise, and how it reads."""
        result = await self.questions.attempt(case)
        calls = await self._calls(case)
        outcomes = result.outcomes | {"model_answered": bool(calls) and all(_is_answered(call) for call in calls)}
        evidence = result.evidence
        if self.replayer is not None:
            replayed = [await self.replayer.replay(call) for call in calls]
            outcomes["replayed_same"] = all(one.verdict == "same" for one in replayed)
            evidence += tuple(f"{one.task}: {one.where}" for one in replayed if one.verdict != "same")
        soft, said = await self._grades(case)
        return result.model_copy(
            update={
                "outcomes": outcomes | soft,
                "evidence": (*evidence, *said),
                "tokens": sum(call.record.input_tokens + call.record.output_tokens for call in calls),
                "cost_micro": sum(call.record.cost_micro for call in calls),
            }
        )

    async def _calls(self, case: Case) -> tuple[KeptCall | LostCall, ...]:
        services = self.questions.services
        tenant = services.identities.find(case.given.asked_by).tenant
        return await KeptCalls(services.database, services.contents).of_run(tenant, _run_id(case))

    async def _grades(self, case: Case) -> tuple[dict[str, bool], tuple[str, ...]]:
        """What the judge says of an answer; nothing of what is not admitted and of what was declined."""
        answer = await kept_answer(self.questions, _run_id(case)) if self.judge is not None else None
        if self.judge is None or answer is None or answer.abstained:
            return {}, ()
        text = JudgeInput(question=case.given.question, answer=answer.text)
        context = judge_context(self.questions.services.settings.budgets)
        grades = [await self.judge.grade(rubric, text, context) for rubric in self.judge.rubrics]
        return (
            {f"soft_{one.rubric}": one.grade == "meets" for one in grades},
            tuple(f"{one.rubric} {one.grade} (kappa {one.kappa:.2f}): {one.reason}" for one in grades),
        )


async def kept_answer(questions: Questions, run_id: str) -> GivenAnswer | None:
    """The answer that a run has on record; None: it has none."""
    from graphs.inquiries import inquiry_of

    try:
        _, document = await inquiry_of(questions.records, run_id)
    except StorageError:
        return None
    if document is None:
        return None
    return GivenAnswer(
        text=document["answer"],
        abstained=document["abstained"],
        reason=document["reason"],
        citations=tuple(VerifiedCitation.model_validate(one) for one in document["citations"]),
    )


def _named(name: str, case: AnswerCase) -> Case:
    kind = name.removesuffix(".jsonl")
    named = case.model_copy(update={"id": f"{kind}-{case.id}", "slices": case.slices | {"kind": kind}})
    return with_forbidden(named)


def _run_id(case: Case) -> str:
    return f"ask-{case.id}"


def _is_answered(call: KeptCall | LostCall) -> bool:
    return call.record.outcome == "answered" and not call.record.degraded


def _check_options(materials: Materials) -> None:
    """Either a model with a key, or a folder that was recorded.

    Raises:
        SuiteUnavailableError: neither is named.
        InputError: both are, or the folder is no recording, or the one to keep is not new.
    """
    options = materials.options
    if options.get("recorded"):
        if options.get("model"):
            raise InputError("the options name a model and a recording; name one of them")
        _folder(options["recorded"])
        return
    with_provider(Settings(home=materials.installation, policies=POLICIES), materials)
    if options.get("keep") and Path(options["keep"]).expanduser().exists():
        raise InputError(f"{options['keep']!r} is there already; name a new folder to keep the recording in")


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if not Settings(home=folder, policies=POLICIES).database.is_file():
        raise SuiteUnavailableError(f"{name!r} holds no recording; record one with -o model=… -o key_file=… -o keep=…")
    return folder


def _keep(home: Path, materials: Materials) -> None:
    named = materials.options.get("keep", "")
    if named:
        shutil.copytree(home, Path(named).expanduser())


def _questions(services: Services, gateway: Gateway, kind: type[Questions]) -> Questions:
    from commands.orchestrator import build_question_driver, build_records
    from graphs.inquiries import Inquiries

    records = build_records(services)
    return kind(
        services=services,
        records=records,
        inquiries=Inquiries(services, records),
        driver=build_question_driver(services, gateway),
        shelf=published(None),
    )
