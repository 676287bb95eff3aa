"""The tasks `judge.tone`, `judge.clarity` and `judge.completeness`: how a written answer reads, and nothing else.

They are asked by evaluations alone (`evals.judging`), after a calibration; no review and no answer asks them, and there
is no task that judges support, access or effects.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.models.task import Task

Grade = Literal["meets", "fails"]


class JudgeInput(Contract):
    """An answer and the question that it was given to."""

    question: Annotated[str, StringConstraints(max_length=4_000)]
    answer: Annotated[str, StringConstraints(max_length=20_000)]


class JudgeOutput(Contract):
    """The grade, with the reason before it, so that it is written first."""

    reason: Annotated[str, StringConstraints(max_length=1_000)]
    """One or two sentences."""
    grade: Grade = Field(description="`fails` if any point of the rubric is missed, else `meets`.")


def check_grade(value: JudgeInput, output: JudgeOutput) -> tuple[str, ...]:
    """A grade without a reason cannot be looked into."""
    return () if output.reason.strip() else ("reason: say in one or two sentences why",)


def _judging(rubric: str) -> Task[JudgeInput, JudgeOutput]:
    return Task(
        name=f"judge.{rubric}",
        version=1,
        input=JudgeInput,
        output=JudgeOutput,
        prompt=f"judge_{rubric}.md",
        risk="low",
        max_output_tokens=1_000,
        timeout_seconds=45.0,
        untrusted_fields=("question", "answer"),
        check=check_grade,
        may_degrade=False,
        data_class=Classification.INTERNAL,
        holds_case=False,
        personal_data=False,
        deterministic=True,
        max_cost_micro=200_000,
    )


JUDGE_TONE = _judging("tone")
JUDGE_CLARITY = _judging("clarity")
JUDGE_COMPLETENESS = _judging("completeness")
