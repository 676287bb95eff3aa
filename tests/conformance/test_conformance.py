"""The official conformance suite finds in ours what it finds in the SDK alone, on both sides and in both revisions."""

import pytest

from tests.conformance.node import needed
from tests.conformance.suite import (
    REVISIONS,
    SIDES,
    Comparison,
    Counts,
    Outcome,
    Revision,
    Side,
    compared,
    parsed,
    shown,
)

OUTPUT = """
=== SUMMARY ===
✓ ping: 2 passed, 0 failed
✗ tools-list: 1 passed, 1 failed
✗ tasks-lifecycle: 0 passed, 7 failed

Total: 3 passed, 8 failed

Not scored for 2026-07-28: 1 scenario(s) run, 1 failing. These do not affect conformance.
  ✗ tasks-lifecycle (extension)
"""


def outcome(**scored: int) -> Outcome:
    return Outcome(scored={name: Counts(passed=2, failed=failed) for name, failed in scored.items()}, unscored={})


@pytest.mark.thorough
@pytest.mark.timeout(1_500)
@pytest.mark.proves("I1")
@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("side", SIDES)
def test_ours_comes_out_of_the_official_suite_as_the_sdk_alone_does(side: Side, revision: Revision) -> None:
    needed("conformance")
    comparison = compared(side, revision)
    assert comparison.bare.total.failed == 0
    assert comparison.problems() == [], shown(comparison)


def test_what_the_suite_prints_is_read_as_counts_of_what_is_scored_and_what_is_not() -> None:
    found = parsed(OUTPUT)
    assert dict(found.scored) == {"ping": Counts(passed=2, failed=0), "tools-list": Counts(passed=1, failed=1)}
    assert set(found.unscored) == {"tasks-lifecycle"}
    with pytest.raises(ValueError, match="no summary"):
        parsed("the server did not answer")


def test_a_difference_without_a_reason_is_a_problem_and_so_is_a_run_that_scored_nothing() -> None:
    bare, ours = outcome(ping=0), outcome(ping=1)
    same = Comparison(side="server", revision="2026-07-28", bare=bare, ours=bare)
    differing = Comparison(side="server", revision="2026-07-28", bare=bare, ours=ours)
    empty = Comparison(side="server", revision="2026-07-28", bare=outcome(), ours=outcome())
    assert [problem for problem in same.problems() if "none any more" not in problem] == []
    assert any("ping" in problem for problem in differing.problems())
    assert empty.problems()
