"""The suite of generated calls: each invariant is broken by what it is about, and by a defect planted in real parts."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.contracts.clause import SearchFilters
from casewright.contracts.evaluation import CaseResult, GateVerdict
from casewright.contracts.event import AuditEvent
from casewright.effects.outbox import Outbox
from evals.access.generating import FILE, Generated, HostileValue
from evals.access.invariants import ALLOWED, DENIED, Event, Made, call_findings
from evals.access.visits import Visit
from evals.baseline import Baseline
from evals.datasets import read_lines
from evals.gates import Gates, Measure, judged, read_gates
from evals.lock import DataLock, LockedSuite
from evals.suite import Case
from evals.suites.actions import INVARIANTS, ActionsSuite
from servers.policy_search.tools import PolicySearchTools
from tests.evals.attempting import attempted, materials
from tests.evals.report_example import suite
from tests.support.releasing import green

CALL = Generated(
    server="policy-search", tool="get_clause", arguments={"as_of": "2026-03-01"}, visit=Visit(identity="rosa")
)
BODY = {"server": "policy-search", "tool": "get_clause"}
ALLOW, DENY = (Event(seq=1, kind=kind, subject="rosa", body=BODY) for kind in (ALLOWED, DENIED))
CLAUSE = {"label": "7", "sha256": "f" * 64, "effective_from": "2026-01-01", "effective_to": None}
GOOD = Made(call=CALL, answered=True, said="", document={"clause": CLAUSE}, events=(ALLOW,), oracle="permit")


def broken(made: Made) -> set[str]:
    return set(call_findings(made).by_name)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, set[str]()),
        ({"events": ()}, {"unaudited"}),
        ({"events": (DENY,)}, {"unaudited"}),
        ({"events": (DENY,), "answered": False}, set[str]()),
        ({"oracle": "deny"}, {"unlawful"}),
        ({"oracle": ""}, {"unlawful"}),
        ({"said": "sqlite3.OperationalError: near"}, {"leaked"}),
        ({"said": 'File "guard.py", line 3'}, {"leaked"}),
        ({"said": "there is no clause '7'"}, set[str]()),
        ({"document": {"clauses": [CLAUSE | {"effective_to": "2026-02-01"}]}}, {"outdated"}),
        ({"document": {"clauses": [CLAUSE | {"effective_from": "2026-03-02"}]}}, {"outdated"}),
        ({"document": {"clauses": [CLAUSE | {"effective_to": "2026-03-01"}]}}, set[str]()),
    ],
)
def test_what_a_call_must_not_do_breaks_the_invariant_about_it(changes: dict[str, Any], names: set[str]) -> None:
    assert broken(replace(GOOD, **changes)) == names


def test_what_a_caller_sent_is_no_leak_and_a_version_that_was_asked_for_may_be_old() -> None:
    echoed = replace(CALL, arguments={"document_id": "site-packages"})
    assert broken(replace(GOOD, call=echoed, said="there is no 'site-packages'")) == set()
    named = replace(CALL, arguments={"as_of": "2026-03-01", "version": "2019"})
    assert broken(replace(GOOD, call=named, document={"clause": CLAUSE | {"effective_to": "2020-01-01"}})) == set()


def test_ten_thousand_calls_are_planned_and_every_hostile_value_says_why() -> None:
    suite = ActionsSuite()
    cases = suite.cases(materials(Path(), Path()))
    assert sum(case.given.calls for case in cases) >= 10_000
    assert len({case.given.seed for case in cases}) == len(cases)
    assert len(read_lines(FILE, HostileValue)) >= 25


def first(case: Case) -> bool:
    return case.id == "batch/000"


@pytest.mark.thorough
@pytest.mark.timeout(180)
@pytest.mark.proves("C3", "D2", "G1")
async def test_a_batch_breaks_nothing_and_everything_without_enforcement(installation: Path, tmp_path: Path) -> None:
    (held,) = (await attempted(ActionsSuite(), materials(installation, tmp_path / "held"), first)).values()
    assert (held.verdict, held.happened) == ("passed", "")
    assert held.measures["calls"] >= 100 and held.measures["answered"] > 10
    (control,) = (
        await attempted(ActionsSuite(), materials(installation, tmp_path / "control"), first, enforced=False)
    ).values()
    assert set(INVARIANTS) == {name for name in INVARIANTS if control.outcomes[name]}


def verdict_of(unseen: str = "") -> GateVerdict:
    """What the shipped gate says of batches without a finding, beside a control that breaks all but one invariant."""
    gate = read_gates().suites["actions"]
    given = {"calls": 100.0, "effects": 1.0}
    batches = {
        enforced: [
            CaseResult(
                case_id=f"batch/{number:03}",
                verdict="passed" if enforced else "failed",
                expected="nothing",
                outcomes={name: not enforced and name != unseen for name in INVARIANTS},
                measures=given,
            )
            for number in range(gate.cases)
        ]
        for enforced in (True, False)
    }
    tried, without = (suite("actions", "calls", batches[enforced], enforced=enforced) for enforced in (True, False))
    lock = DataLock(files={}, suites={"actions": LockedSuite(cases=gate.cases, cases_digest=tried.cases_digest)})
    gates = Gates(suites={"actions": gate})
    measure = Measure(gates=gates, lock=lock, data_problems={}, baseline=Baseline(selections={}))
    return judged(green(suites=(tried,), controls=(without,), gate=None), measure)


@pytest.mark.parametrize("unseen", ["executed", "leaked", "outdated"])
def test_an_invariant_that_the_control_never_breaks_turns_the_gate_red(unseen: str) -> None:
    assert verdict_of().failed == ()
    assert [one.rule for one in verdict_of(unseen).failed] == [f"{unseen} in the control at least 0.95"]


@pytest.mark.thorough
@pytest.mark.proves("G1")
async def test_an_audit_row_that_is_dropped_turns_a_batch_red(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = AuditLog.append

    async def forgetful(log: AuditLog, entry: AuditEntry, **named: Any) -> AuditEvent | None:
        return None if entry.kind == "call.denied" else await real(log, entry, **named)

    monkeypatch.setattr(AuditLog, "append", forgetful)
    (result,) = (await attempted(ActionsSuite(), materials(installation, tmp_path / "work"), first)).values()
    assert (result.outcomes["unaudited"], result.stage) == (True, "audit")
    assert "left no event" in result.happened


@pytest.mark.thorough
@pytest.mark.timeout(180)
@pytest.mark.proves("A3")
async def test_an_expired_clause_that_is_returned_turns_a_batch_red(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PolicySearchTools._filters  # pyright: ignore[reportPrivateUsage]

    def another_day(tools: PolicySearchTools, call: Any, as_of: dt.date | None, **named: Any) -> SearchFilters:
        long_ago = as_of is not None and as_of.year < 2020  # the days that batches ask for, not the one of the draft
        return real(tools, call, dt.date(2026, 3, 1) if long_ago else as_of, **named)

    monkeypatch.setattr(PolicySearchTools, "_filters", another_day)
    results = await attempted(
        ActionsSuite(), materials(installation, tmp_path / "work"), lambda case: case.id < "batch/003"
    )
    assert [result.outcomes["outdated"] for result in results.values()].count(True) >= 1


@pytest.mark.thorough
@pytest.mark.proves("C3", "C4")
async def test_an_execution_without_its_approval_turns_a_batch_red(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard asks nobody, and the outbox consumes whatever there is."""
    from evals.unenforced import ConsentingLedger
    from servers.guard import Guard

    async def nobody_is_asked(guard: Guard, call: Any) -> None:
        return None

    monkeypatch.setattr(Guard, "approval", nobody_is_asked)
    real = Outbox.__init__

    def trusting(outbox: Outbox, database: Any, ledger: Any, audit: Any, clock: Any, sink: Any) -> None:
        real(outbox, database, ConsentingLedger(database, audit, clock), audit, clock, sink)

    monkeypatch.setattr(Outbox, "__init__", trusting)
    (result,) = (await attempted(ActionsSuite(), materials(installation, tmp_path / "work"), first)).values()
    assert (result.outcomes["executed"], result.stage) == (True, "effect")
    assert "agreed to by []" in " ".join((result.happened, *result.evidence)) or "the audit tells" in result.happened
