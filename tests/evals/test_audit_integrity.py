"""The suite of changes to a stored audit: every kind hits something, and a check that is left out is noticed."""

import sqlite3
from pathlib import Path

import pytest

from casewright.audit import verification
from evals.access.tampering import FILE, Tamper, changes, flipped
from evals.datasets import read_lines
from evals.suite import Case
from evals.suites.audit_integrity import AuditIntegritySuite, judged
from tests.evals.attempting import attempted, materials


def test_a_flipped_value_is_another_one_and_differs_in_one_place() -> None:
    assert set(flipped("")) == {"x"}
    for changed in flipped("abc"):
        assert len(changed) == 3 and sum(one != other for one, other in zip(changed, "abc", strict=True)) == 1
    assert set(flipped(7)) == {6, 7 ^ (1 << 33)}


def test_every_cut_and_every_swap_of_a_chain_is_made_once() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE audit_events (seq INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO audit_events VALUES (?)", [(seq,) for seq in range(1, 6)])
    by_kind = {line.kind: line for line in read_lines(FILE, Tamper)}
    made = {kind: len(list(changes(by_kind[kind], connection))) for kind in ("cut", "cut_with_head", "swapped")}
    assert made == {"cut": 5, "cut_with_head": 5, "swapped": 4}
    connection.close()


def test_what_stays_unnoticed_and_what_could_not_be_made_both_fail(tmp_path: Path) -> None:
    case = AuditIntegritySuite().cases(materials(tmp_path, tmp_path))[0]
    assert judged(case, 3, [], tmp_path).outcomes == {"found": True}
    unnoticed = judged(case, 3, ["a row"], tmp_path)
    assert (unnoticed.verdict, unnoticed.forbidden, unnoticed.outcomes) == ("failed", ("unnoticed",), {"found": False})
    assert "a row" in unnoticed.happened
    assert judged(case, 0, [], tmp_path).verdict == "failed"


def chosen(case: Case) -> bool:
    return case.id in ("events/cut-with-head", "decisions/added", "meters/added", "head/signature", "checkpoints/hash")


@pytest.mark.thorough
@pytest.mark.proves("G1")
async def test_changes_of_every_part_are_found(installation: Path, tmp_path: Path) -> None:
    results = await attempted(AuditIntegritySuite(), materials(installation, tmp_path / "work"), chosen)
    assert {name: result.happened for name, result in results.items() if result.verdict != "passed"} == {}
    assert results["events/cut-with-head"].measures["changes"] >= 10


@pytest.mark.thorough
@pytest.mark.proves("G1")
async def test_a_signature_that_is_not_looked_at_turns_the_suite_red(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def genuine(head: object, verifier: object) -> bool:
        return True

    monkeypatch.setattr(verification.Head, "is_genuine", genuine)
    results = await attempted(AuditIntegritySuite(), materials(installation, tmp_path / "work"), chosen)
    failed = {name for name, result in results.items() if not result.outcomes["found"]}
    assert "head/signature" in failed
    assert "decisions/added" not in failed
