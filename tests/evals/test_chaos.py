"""Faults strike as their data say and never allow anything, and the chaos suite turns red when something does."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from casewright.access.engine import UndefinedRuleError
from casewright.errors import PolicyError
from evals.chaos.policy import OddEngine, Oddity, Strikes
from evals.datasets import read_lines
from evals.suite import Materials
from evals.suites.chaos import DATA, ChaosCase, ChaosExpected, NotMetError, judged_trail, tried
from evals.suites.trajectories import consenting
from evals.unenforced import ACCESS_RULE, allowed
from tests.evals.trails import GOOD, good, with_audit

EXPECTED = ChaosExpected(rests=("queued",), action="pay", amount_minor=5)
ASKED: dict[str, Any] = {
    "mode": "call",
    "tool": {"name": "execute_action", "server": "drafting", "verb": "execute"},
    "principal": {"tenant": "harborline", "labels": []},
}


class Answering:
    """An engine that allows, to be spoiled."""

    def evaluate(self, rule: str, document: object) -> object:
        return allowed(ASKED)


def spoiled(oddity: Oddity) -> object:
    strikes = Strikes(left=1, active=True)
    engine = OddEngine(Answering(), oddity, "execute_action", strikes)  # pyright: ignore[reportArgumentType]
    try:
        return engine.evaluate(ACCESS_RULE, ASKED)
    finally:
        assert strikes.met == 1
        assert engine.evaluate(ACCESS_RULE, ASKED) == allowed(ASKED), "it strikes once"


@pytest.mark.parametrize(
    "oddity", [one for one in get_args(Oddity) if one not in ("undefined", "fails", "breaks", "late")]
)
def test_every_oddity_changes_the_answer_of_the_engine(oddity: Oddity) -> None:
    assert json.dumps(spoiled(oddity)) != json.dumps(allowed(ASKED))


def test_an_engine_that_fails_raises_what_engines_raise() -> None:
    with pytest.raises(UndefinedRuleError):
        spoiled("undefined")
    with pytest.raises(PolicyError):
        spoiled("fails")
    with pytest.raises(RuntimeError):
        spoiled("breaks")


def test_a_fault_strikes_only_at_the_tool_it_is_meant_for_and_only_while_it_is_active() -> None:
    strikes = Strikes(left=5)
    engine = OddEngine(Answering(), "nothing", "save_draft", strikes)  # pyright: ignore[reportArgumentType]
    assert engine.evaluate(ACCESS_RULE, ASKED) == allowed(ASKED)
    strikes.active = True
    assert engine.evaluate(ACCESS_RULE, ASKED) == allowed(ASKED)
    assert strikes.met == 0


def test_a_case_that_came_to_its_one_effect_has_no_deviation_and_a_second_effect_has() -> None:
    whole = replace(good(), runs=(replace(good().last, events=good().last.events),))
    assert judged_trail(whole, EXPECTED) == []
    twice = with_audit(*GOOD[:8], GOOD[7], GOOD[8])
    assert {one.outcome for one in judged_trail(twice, EXPECTED)} == {"executed_once", "effects_exact"}


def test_a_gap_in_the_events_and_a_case_that_was_never_completed_are_seen() -> None:
    run = good().last
    torn = replace(good(), runs=(replace(run, events=run.events[:3] + run.events[4:], status="failed"),))
    found = {one.outcome: one.text for one in judged_trail(torn, EXPECTED)}
    assert "have gaps" in found["events_whole"]
    assert found["ended"].startswith("no run was completed")


def test_every_part_is_struck_in_the_review_or_at_the_execution() -> None:
    cases = read_lines(DATA, ChaosCase)
    assert len(cases) >= 30
    struck = {(case.given.fault.part, case.given.at) for case in cases}
    assert struck >= {(part, "execution") for part in ("policy", "server", "statement", "kill", "clock", "index")}
    assert struck >= {
        (part, "review") for part in ("policy", "model", "server", "statement", "database", "kill", "worker")
    }


def case_of(name: str) -> ChaosCase:
    (found,) = [case for case in read_lines(DATA, ChaosCase) if case.id == name]
    return found


@pytest.fixture
def materials(installation: Path, tmp_path: Path) -> Materials:
    return Materials(installation=installation, work=tmp_path, shared=None)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["policy-answers-true-at-execution", "killed-with-the-effect-on-its-way"])
async def test_cases_pass_on_the_real_parts(materials: Materials, name: str) -> None:
    result = await tried(case_of(name), materials)
    assert (result.verdict, result.diagnosis) == ("passed", "")
    assert (result.outcomes["executed_unapproved"], result.outcomes["recovered"]) == (False, True)


@pytest.mark.thorough
async def test_a_fault_that_is_never_met_is_no_result(materials: Materials) -> None:
    case = case_of("policy-answers-nothing")
    nowhere = case.given.fault.model_copy(update={"where": "no_such_tool"})
    given = case.given.model_copy(update={"fault": nowhere})
    with pytest.raises(NotMetError):
        await tried(case.model_copy(update={"given": given}), materials)


@pytest.mark.thorough
async def test_an_effect_that_nobody_approved_while_a_part_failed_turns_the_suite_red(materials: Materials) -> None:
    result = await tried(case_of("clock-jumps-back-before"), materials, also=consenting)
    assert (result.verdict, result.stage) == ("failed", "approval")
    assert result.outcomes["executed_unapproved"] is True
    assert "approved_first" in result.forbidden
