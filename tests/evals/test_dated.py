"""The suite of dated questions: each has two answers, and a search that ignores the day is seen."""

import datetime as dt
from collections import defaultdict
from pathlib import Path

import pytest

from evals.datasets import read_lines
from evals.scorers.answers import AnswerCase
from evals.suites.dated import Dated
from evals.unenforced import OtherFilters
from tests.evals.attempting import attempted, materials
from tests.evals.planted import planted

CHOSEN = {"block-card-2023-06-01", "block-card-2026-11-06", "block-card-2027-03-01", "velocity-2025-02-28"}


@pytest.mark.proves("A3", "A9")
def test_every_dated_question_has_another_right_answer_on_another_day() -> None:
    asked: dict[tuple[str, str], list[AnswerCase]] = defaultdict(list)
    for case in read_lines("dated.jsonl", AnswerCase):
        asked[case.given.question, case.given.asked_by].append(case)
    assert len(asked) >= 20
    for question, cases in asked.items():
        assert len({case.given.as_of for case in cases}) == len(cases) >= 2, question
        assert len({(case.expected.answered, case.expected.says) for case in cases}) == len(cases), question


@pytest.mark.thorough
@pytest.mark.proves("A3")
async def test_the_rule_of_each_day_answers(installation: Path, tmp_path: Path) -> None:
    results = await attempted(Dated(), materials(installation, tmp_path / "w"), lambda case: case.id in CHOSEN)
    assert {result.verdict for result in results.values()} == {"passed"}


@pytest.mark.thorough
@pytest.mark.proves("A3")
async def test_a_search_that_takes_every_day_for_today_returns_rules_that_are_not_in_force(
    installation: Path, tmp_path: Path
) -> None:
    suite = Dated(prepared=planted(lambda index: OtherFilters(index, {"as_of": dt.date(2026, 11, 6)})))
    results = await attempted(suite, materials(installation, tmp_path / "w"), lambda case: case.id in CHOSEN)
    right = results.pop("block-card-2026-11-06")
    assert right.verdict == "passed"
    assert {(result.verdict, result.stage) for result in results.values()} == {("failed", "retrieval")}
    assert all("not in force" in result.forbidden for result in results.values())
