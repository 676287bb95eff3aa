"""The judge: three rubrics, admitted one by one after a calibration, and what it may say.

What it gives is a `SoftGrade`, which no suite turns into an outcome that a gate could hold: the suites of access,
approvals, effects and citations do not import this package (a test holds them to it), and there is no rubric for any of
them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from casewright.canonical import digest
from casewright.contracts.base import Contract
from casewright.errors import InputError
from casewright.models.gateway import Gateway
from casewright.models.judging import Grade, JudgeInput
from casewright.models.layer import CallContext
from casewright.models.prompts import PromptLibrary
from casewright.models.tasks import JUDGING
from evals.case import CaseId
from evals.judging.kappa import agreement

Rubric = Literal["tone", "clarity", "completeness"]
RUBRICS: tuple[Rubric, ...] = ("tone", "clarity", "completeness")
LEAST_KAPPA = 0.6
LEAST_EXAMPLES = 100


class JudgeExample(Contract):
    """A written answer with the grades that it deserves."""

    id: CaseId
    why: Annotated[str, Field(min_length=10)]
    """Why it has these grades."""
    question: str
    answer: str
    tone: Grade
    clarity: Grade
    completeness: Grade

    def label(self, rubric: Rubric) -> Grade:
        labels: dict[Rubric, Grade] = {
            "tone": self.tone,
            "clarity": self.clarity,
            "completeness": self.completeness,
        }
        return labels[rubric]


class Admission(Contract):
    """What a calibration found of one rubric with one model and prompt."""

    rubric: Rubric
    model: str
    """As the replies named it; more than one are joined."""
    prompt: str
    """SHA-256 of the prompt's bytes."""
    examples: str
    """Digest over the examples."""
    n: int
    kappa: float
    low: float
    high: float
    observed: float

    @property
    def refusal(self) -> str:
        """Why the rubric is not admitted; empty: it is."""
        if self.n < LEAST_EXAMPLES:
            return f"{self.n} examples were rated, and {LEAST_EXAMPLES} are needed"
        if self.kappa < LEAST_KAPPA:
            return f"kappa is {self.kappa:.2f} ({self.low:.2f} to {self.high:.2f}), and {LEAST_KAPPA} is needed"
        return ""


class SoftGrade(Contract):
    """What the judge says of one text."""

    rubric: Rubric
    grade: Grade
    reason: str
    kappa: float
    """Of the calibration that admitted it, so that nobody reads the grade without it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A grade as the model gave it."""

    grade: Grade
    reason: str
    model: str
    tokens: int
    cost_micro: int


async def asked(gateway: Gateway, rubric: Rubric, text: JudgeInput, context: CallContext) -> Asked:
    """Have one rubric applied to one text; for calibrations, and for a judge that is admitted.

    Raises:
        ModelError: no model gave a grade.
    """
    result = await gateway.run(JUDGING[f"judge.{rubric}"], text, context=context)
    record = result.record
    return Asked(
        grade=result.output.grade,
        reason=result.output.reason,
        model=f"{record.provider}/{record.model}",
        tokens=record.input_tokens + record.output_tokens,
        cost_micro=record.cost_micro,
    )


def admission(rubric: Rubric, rated: Sequence[tuple[JudgeExample, Asked]], prompts: PromptLibrary) -> Admission:
    """What the ratings of the examples say of the judge.

    Raises:
        InputError: nothing was rated, or everything was rated alike.
    """
    found = agreement([(example.label(rubric), rating.grade) for example, rating in rated])
    return Admission(
        rubric=rubric,
        model=", ".join(sorted({rating.model for _, rating in rated})),
        prompt=prompts.for_task(JUDGING[f"judge.{rubric}"]).sha256,
        examples=examples_digest(example for example, _ in rated),
        n=found.n,
        kappa=found.kappa,
        low=found.low,
        high=found.high,
        observed=found.observed,
    )


def examples_digest(examples: Iterable[JudgeExample]) -> str:
    """SHA-256 over the examples, in the order of their ids."""
    return digest(sorted((example.model_dump(mode="json") for example in examples), key=lambda one: str(one["id"])))


class Judge:
    """A judge that was admitted for some rubrics, with the model and the prompts that were calibrated."""

    def __init__(
        self, gateway: Gateway, prompts: PromptLibrary, admissions: Sequence[Admission], examples: str
    ) -> None:
        """Take admissions over the examples with this digest.

        Raises:
            InputError: one is of other examples or another prompt, falls short, or is there twice.
        """
        self._gateway = gateway
        self._admitted: dict[Rubric, Admission] = {}
        by_rubric: dict[Rubric, list[Admission]] = defaultdict(list)
        for one in admissions:
            by_rubric[one.rubric].append(one)
        for rubric, found in by_rubric.items():
            if problem := _problem(found, prompts, examples):
                raise InputError(f"the judge of {rubric!r} is not admitted: {problem}; calibrate it anew")
            self._admitted[rubric] = found[0]

    @property
    def rubrics(self) -> tuple[Rubric, ...]:
        """For which it may be asked."""
        return tuple(rubric for rubric in RUBRICS if rubric in self._admitted)

    async def grade(self, rubric: Rubric, text: JudgeInput, context: CallContext) -> SoftGrade:
        """The grade of one text.

        Raises:
            InputError: the judge is not admitted for the rubric, or another model answered than was calibrated.
            ModelError: no model gave a grade.
        """
        known = self._admitted.get(rubric)
        if known is None:
            raise InputError(f"the judge is not admitted for {rubric!r}; calibrate it: `casewright eval run judge`")
        found = await asked(self._gateway, rubric, text, context)
        if found.model not in known.model.split(", "):
            raise InputError(f"{found.model!r} answered, and {known.model!r} was calibrated; calibrate it anew")
        return SoftGrade(rubric=rubric, grade=found.grade, reason=found.reason, kappa=known.kappa)


def _problem(found: Sequence[Admission], prompts: PromptLibrary, examples: str) -> str:
    one = found[0]
    if len(found) > 1:
        return "there are two admissions"
    if one.prompt != prompts.for_task(JUDGING[f"judge.{one.rubric}"]).sha256:
        return "its prompt has changed since"
    if one.examples != examples:
        return "it was calibrated with other examples"
    return one.refusal
