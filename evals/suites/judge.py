"""The calibration of the judge: each rubric over every labelled example, with a model that the options name.

A case is a rubric, since kappa is of all examples together. What it found is written to `admissions.json` in the work
folder and, with `-o keep=FOLDER`, there, for `casewright eval run quality -o judge=FILE`.
"""

import json
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from casewright.config import Budgets, Settings
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import InputError
from casewright.models.judging import JudgeInput
from casewright.models.layer import CallContext
from casewright.services import Services
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.judging.judge import LEAST_KAPPA, RUBRICS, Admission, Asked, JudgeExample, Rubric, admission, asked
from evals.provider import judge_gateway, judge_prompts, with_provider
from evals.suite import Attempt, Case, Materials
from evals.world import POLICIES, copied

if TYPE_CHECKING:
    from casewright.models.gateway import Gateway
    from casewright.models.prompts import PromptLibrary

EXAMPLES_FILE = "judge-examples.jsonl"
ADMISSIONS_FILE = "admissions.json"
TENANT = "harborline"
_WORST = 10
_WHY: Mapping[Rubric, str] = {
    "tone": "A wrong tone harms a customer whom the right decision reaches, and no rule in code can hear it.",
    "clarity": "An answer that has to be read twice is followed wrongly, and its length says nothing of that.",
    "completeness": "Half an answer looks whole to a check of its citations, which only sees what is there.",
}


class GivenRubric(Contract):
    rubric: Rubric


class ExpectedAgreement(Contract):
    least_kappa: float = LEAST_KAPPA


class Calibration:
    """See `evals.suite.Suite`."""

    name = "judge"
    title = "The judge of tone, clarity and completeness agrees with the labels"
    files: Mapping[str, type[Contract]] = {EXAMPLES_FILE: JudgeExample}
    fast_cases = 0
    shards = 1
    case_seconds = 3_600.0
    has_control = False

    def cases(self, materials: Materials) -> Sequence[Case]:
        """One for each rubric."""
        return [
            EvalCase[GivenRubric, ExpectedAgreement](
                id=rubric,
                why=_WHY[rubric],
                given=GivenRubric(rubric=rubric),
                expected=ExpectedAgreement(),
                slices={"rubric": rubric},
            )
            for rubric in RUBRICS
        ]

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        """A gateway of the judge over a data folder of its own, so that every call is recorded and paid for."""
        home = copied(materials.installation, materials.work / "home")
        services = Services(with_provider(_settings(materials, home), materials))
        prompts = judge_prompts()
        keep = _kept_in(materials) / ADMISSIONS_FILE
        try:
            async with judge_gateway(services, prompts) as gateway:
                yield Rater(
                    gateway=gateway,
                    prompts=prompts,
                    home=home,
                    keep=keep,
                    budgets=services.settings.budgets,
                ).attempt
        finally:
            await services.close()


@dataclass(frozen=True, kw_only=True)
class Rater:
    """Rates every example by one rubric after the other."""

    gateway: "Gateway"
    prompts: "PromptLibrary"
    home: Path
    keep: Path
    budgets: Budgets

    async def attempt(self, case: Case) -> CaseResult:
        """Calibrate one rubric, and write down what came of it."""
        rubric: Rubric = case.given.rubric
        examples = read_lines(EXAMPLES_FILE, JudgeExample)
        rated = [(example, await self._rated(rubric, example)) for example in examples]
        found = admission(rubric, rated, self.prompts)
        keep_admission(self.keep, found)
        wrong = [(example, rating) for example, rating in rated if example.label(rubric) != rating.grade]
        return CaseResult(
            case_id=case.id,
            verdict="failed" if found.refusal else "passed",
            expected=f"kappa of at least {LEAST_KAPPA} over {len(examples)} examples",
            happened=found.refusal or f"kappa {found.kappa:.2f} ({found.low:.2f} to {found.high:.2f}), n = {found.n}",
            stage="model" if found.refusal else "",
            diagnosis=f"{len(wrong)} of {found.n} grades differ from the labels" if found.refusal else "",
            evidence=tuple(
                f"{example.id}: labelled {example.label(rubric)}, graded {rating.grade}: {rating.reason}"
                for example, rating in wrong[:_WORST]
            ),
            trace=f"casewright --home {self.home} models costs",
            measures={"kappa": found.kappa, "kappa_low": found.low, "kappa_high": found.high, "agreed": found.observed},
            tokens=sum(rating.tokens for _, rating in rated),
            cost_micro=sum(rating.cost_micro for _, rating in rated),
        )

    async def _rated(self, rubric: Rubric, example: JudgeExample) -> Asked:
        text = JudgeInput(question=example.question, answer=example.answer)
        return await asked(self.gateway, rubric, text, judge_context(self.budgets))


def judge_context(budgets: Budgets) -> CallContext:
    """A run of its own for each text, of nobody's case, with what a run may spend."""
    from graphs.budget import whole_allowance

    return CallContext(
        run_id=f"judge-{secrets.token_hex(8)}",
        case_id="",
        tenant=TENANT,
        agent="",
        allowance=whole_allowance(budgets),
    )


def keep_admission(path: Path, found: Admission) -> None:
    """Put an admission in the place of an earlier one of its rubric."""
    known = read_admissions(path) if path.exists() else ()
    kept = [one for one in known if one.rubric != found.rubric]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps([one.model_dump(mode="json") for one in (*kept, found)], indent=1) + "\n", encoding="utf-8"
    )


def read_admissions(path: Path) -> tuple[Admission, ...]:
    """The admissions of a file.

    Raises:
        InputError: it cannot be read or is not in the format.
    """
    try:
        return TypeAdapter(tuple[Admission, ...]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{str(path)!r} holds no admissions of a judge ({error}); calibrate it anew") from error


def _kept_in(materials: Materials) -> Path:
    """The folder that the run's options name, else the work folder."""
    named = materials.options.get("keep", "")
    return Path(named).expanduser() if named else materials.work


def _settings(materials: Materials, home: Path | None = None) -> Settings:
    return Settings(home=home or materials.installation, policies=POLICIES)
