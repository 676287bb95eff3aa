"""An assessment is made once for one case as it is seen, one day and one policy, and anew for any other."""

import pytest

from casewright.access.scripted import ScriptedAnswer, ScriptedEngine
from casewright.cases.assessing import MOST_KEPT, Assessments
from casewright.cases.assessment import EVIDENCE_RULE, OUTCOME_RULE, PARAMETERS_RULE
from casewright.clock import ManualClock
from casewright.contracts.case import CaseFile
from casewright.errors import PolicyError
from tests.unit.cases.case_files import small_case
from tests.unit.cases.test_assessment import OUTCOME, PARAMETERS, REPORT

RULES = ((EVIDENCE_RULE, REPORT), (PARAMETERS_RULE, PARAMETERS), (OUTCOME_RULE, OUTCOME))
DAY_SECONDS = 86_400


def engine(times: int, *, blocking: bool = False, next_revision: str = "") -> ScriptedEngine:
    """An engine that assesses so often; the last rule of each time changes the policy where a revision is named."""
    steps = [ScriptedAnswer(rule=rule, value=value) for _ in range(times) for rule, value in RULES]
    if next_revision:
        steps = [ScriptedAnswer(rule=rule, value=value, next_revision=next_revision) for rule, value in RULES] + steps
    return ScriptedEngine(steps, revision="r1", blocking=blocking)


def other_case() -> CaseFile:
    return small_case().model_copy(update={"title": "Another title"})


async def test_the_same_case_is_assessed_once() -> None:
    once = engine(1)
    assessments = Assessments(once, ManualClock(1))
    assert await assessments.of(small_case()) == await assessments.of(small_case())
    once.finish()


async def test_another_case_and_another_day_are_assessed_anew() -> None:
    thrice, clock = engine(3), ManualClock(1)
    assessments = Assessments(thrice, clock)
    await assessments.of(small_case())
    await assessments.of(other_case())
    clock.advance(seconds=DAY_SECONDS)
    await assessments.of(small_case())
    thrice.finish()


async def test_another_policy_is_asked_anew() -> None:
    changing = engine(1, next_revision="r2")  # changed while it was asked, so that it is asked again
    assessments = Assessments(changing, ManualClock(1))
    assert (await assessments.of(small_case())).policy_revision == "r2"
    assert (await assessments.of(small_case())).policy_revision == "r2"
    changing.finish()
    with pytest.raises(AssertionError, match="no steps left"):
        await assessments.of(other_case())


async def test_what_another_process_decides_is_never_kept() -> None:
    twice = engine(2, blocking=True)
    assessments = Assessments(twice, ManualClock(1))
    await assessments.of(small_case())
    await assessments.of(small_case())
    twice.finish()


async def test_a_failed_assessment_is_tried_again() -> None:
    wrong = [ScriptedAnswer(rule=EVIDENCE_RULE, value=None)]
    steps = [*wrong, *(ScriptedAnswer(rule=rule, value=value) for rule, value in RULES)]
    failing = ScriptedEngine(steps, revision="r1")
    assessments = Assessments(failing, ManualClock(1))
    with pytest.raises(PolicyError):
        await assessments.of(small_case())
    assert (await assessments.of(small_case())).outcome.amount_minor == OUTCOME["amount_minor"]
    failing.finish()


async def test_only_the_newest_are_kept() -> None:
    many = engine(MOST_KEPT + 2)
    assessments = Assessments(many, ManualClock(1))
    cases = [small_case().model_copy(update={"title": str(number)}) for number in range(MOST_KEPT + 1)]
    for case in cases:
        await assessments.of(case)
    await assessments.of(cases[-1])
    await assessments.of(cases[0])  # the oldest one is gone
    many.finish()
