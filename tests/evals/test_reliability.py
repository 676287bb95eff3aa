"""Growth is told from noise, and a process that keeps something of each review turns the suite red."""

import math
import os
import random
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.approval import Approval
from evals.datasets import read_lines
from evals.scorers.growth import growth
from evals.suite import Materials
from evals.suites.reliability import DATA, ReliabilityCase, ReliabilityExpected, ReliabilityGiven, tried
from evals.world import ReviewWorld


def test_the_growth_of_a_straight_line_is_its_slope_without_doubt() -> None:
    found = growth([5.0, 7.0, 9.0, 11.0])
    assert (found.slope, found.low, found.high) == (2.0, 2.0, 2.0)
    assert found.certain_above(1.9)
    assert not found.certain_above(2.0)


def test_noise_without_growth_is_not_certain_to_grow() -> None:
    chance = random.Random(7)
    found = growth([100 + chance.uniform(-10, 10) for _ in range(12)])
    assert found.low < 0 < found.high


def test_the_interval_is_that_of_student() -> None:
    found = growth([1.0, 2.0, 2.0, 4.0, 5.0])  # residuals 0.2 0.2 -0.8 0.2 0.2: their squares sum to 0.8, spread 10
    assert found.slope == pytest.approx(1.0)
    assert found.high - found.slope == pytest.approx(3.182 * math.sqrt(0.8 / 3 / 10))


def test_two_values_tell_no_growth() -> None:
    with pytest.raises(ValueError, match="three or more"):
        growth([1.0, 2.0])


def test_the_data_cover_rows_restarts_company_and_waits() -> None:
    assert {case.slices["kind"] for case in read_lines(DATA, ReliabilityCase)} == {
        "row",
        "restarts",
        "at-once",
        "waits",
    }


def small(**expected: float) -> ReliabilityCase:
    return ReliabilityCase(
        id="small",
        why="a few reviews in a row, as a test can afford them",
        given=ReliabilityGiven(groups=6),
        expected=ReliabilityExpected(**expected),
    )


@pytest.fixture
def materials(installation: Path, tmp_path: Path) -> Materials:
    return Materials(installation=installation, work=tmp_path, shared=None)


@pytest.mark.thorough
async def test_a_few_reviews_in_a_row_end_as_one_alone_would(materials: Materials) -> None:
    result = await tried(small(seconds=5, resident_kb=1_000), materials)
    assert (result.verdict, result.diagnosis) == ("passed", "")
    assert (result.measures["share_completed"], result.measures["reviews"]) == (1.0, 6.0)


@pytest.mark.thorough
async def test_a_process_that_keeps_a_megabyte_and_a_half_of_each_review_turns_the_suite_red(
    materials: Materials,
) -> None:
    kept: list[bytes] = []

    def leaking(world: ReviewWorld) -> ReviewWorld:
        ledger = world.services.approvals
        vote = ledger.vote

        async def leaks(approval_id: str, **said: Any) -> Approval:
            kept.append(os.urandom(1_500_000))
            return await vote(approval_id, **said)

        ledger.vote = leaks
        return world

    result = await tried(small(seconds=5), materials, also=leaking)
    assert len(kept) == 6
    assert (result.verdict, result.outcomes["flat"]) == ("failed", False)
    assert "resident_kb grows by" in result.happened


@pytest.mark.thorough
async def test_a_process_that_leaves_a_file_open_with_each_look_turns_the_suite_red(materials: Materials) -> None:
    kept: list[int] = []

    def leaking(world: ReviewWorld) -> ReviewWorld:
        outbox = world.services.outbox
        recover = outbox.recover

        async def leaks() -> object:
            kept.append(os.open(os.devnull, os.O_RDONLY))
            return await recover()

        outbox.recover = leaks  # pyright: ignore[reportAttributeAccessIssue]
        return world

    try:
        result = await tried(small(seconds=5, resident_kb=20_000), materials, also=leaking)
    finally:
        for one in kept:
            os.close(one)
    assert (result.verdict, result.outcomes["flat"]) == ("failed", False)
    assert "open_files grows by" in result.happened
