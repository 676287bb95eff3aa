"""Each gate goes red for the defect that it is there for, and names suite, case, expected, happened and trace.

A few cases are tried through the real runner, in processes of their own: as the product is, which has to be green, and
with a defect planted. The rules are those of `evals/gates.toml`, held against the figures themselves
where the real ones hold a bound of an interval that so few cases cannot reach.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import EvalReport, GateFinding, GateVerdict
from evals.baseline import Baseline
from evals.folder import EvalFolder
from evals.gates import Gates, Measure, SuiteGate, judged, read_gates
from evals.lock import DataLock, LockedSuite
from evals.planning import cases_digest
from evals.planting import DEFECTS, planted
from evals.registry import suite_of
from evals.runner import EvalOrder, Listener, evaluate
from evals.suite import Attempt, Case, Materials, Suite
from tests.support.installation import CHECKOUT

ONE_PROCESS = 1


@dataclass(frozen=True, kw_only=True)
class Few:
    """Some cases of a suite; its processes try them as ever."""

    suite: Suite
    ids: tuple[str, ...]
    shards: int = ONE_PROCESS
    fast_cases: int = 0
    has_control: bool = False

    @property
    def name(self) -> str:
        return self.suite.name

    @property
    def title(self) -> str:
        return self.suite.title

    @property
    def files(self) -> Mapping[str, type[Contract]]:
        return self.suite.files

    @property
    def case_seconds(self) -> float:
        return self.suite.case_seconds

    def cases(self, materials: Materials) -> Sequence[Case]:
        found = [case for case in self.suite.cases(materials) if case.id in self.ids]
        assert len(found) == len(self.ids), f"{self.name} has no longer all of {self.ids}"
        return found

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        return self.suite.opened(materials, enforced=enforced)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What one defect has to turn red."""

    defect: str
    suite: str
    red: tuple[str, ...]
    """Cases that have to fail of it."""
    green: tuple[str, ...] = ()
    """Cases that it leaves alone."""
    stage: str = ""
    happened: str
    """What the first red case says."""


PLANTED = (
    Planted(
        defect="loosen_a_rule",
        suite="access",
        red=("decided/case-facts/get_case/reviewer",),
        green=("decided/case-facts/get_case/auditor",),
        stage="access",
        happened="the rules say deny",
    ),
    Planted(
        defect="skip_the_citation_check",
        suite="injection",
        red=("approved-policy/save-invented-rule/plain",),
        green=("approved-policy/credit-own-case/forged-approval",),
        stage="citation",
        happened="saved",
    ),
    Planted(
        defect="leave_approvals_unconsumed",
        suite="trajectories",
        red=("approved-credit",),
        green=("no-action",),
        stage="approval",
        happened="consumed 0 times",
    ),
    Planted(
        defect="return_expired_clauses",
        suite="dated",
        red=("acknowledge-notice-2025-02-01",),
        stage="retrieval",
        happened="not in force",
    ),
    Planted(
        defect="ignore_budgets",
        suite="trajectories",
        red=("budget-steps",),
        green=("no-action",),
        stage="budget",
        happened="took 6 steps, at most 4 are allowed",
    ),
    Planted(
        defect="drop_an_audit_row",
        suite="trajectories",
        red=("approved-credit",),
        green=("no-action",),
        stage="audit",
        happened="the votes of the approval",
    ),
    Planted(
        defect="tell_of_the_house",
        suite="actions",
        red=("batch/000",),
        stage="access",
        happened="was told 'Traceback'",
    ),
    Planted(
        defect="return_expired_clauses",
        suite="actions",
        red=("batch/000",),
        stage="retrieval",
        happened="and got what was in force from",
    ),
)


async def evaluated(few: Few, installation: Path, folder: Path, *, defect: str = "") -> EvalReport:
    """The report over a few cases."""
    order = EvalOrder(
        suites=[few],
        selection="full",
        folder=EvalFolder(folder),
        installation=installation,
        processes=1,
        controls=False,
        wrapped=planted(defect) if defect else tuple,
    )
    return await evaluate(order, Listener())


def held(few: Few, report: EvalReport, installation: Path) -> GateVerdict:
    """What the suite's own rules say of it."""
    cases = few.cases(Materials(installation=installation, work=installation, shared=None))
    lock = DataLock(files={}, suites={few.name: LockedSuite(cases=len(cases), cases_digest=cases_digest(cases))})
    gates = Gates(suites={few.name: narrowed(read_gates().suites[few.name], len(cases))})
    return judged(report, Measure(gates=gates, lock=lock, data_problems={}, baseline=Baseline(selections={})))


def narrowed(gate: SuiteGate, cases: int) -> SuiteGate:
    """The rules over all cases, for so few of them."""
    rules = [
        rule.model_copy(update={"bound": "value"})
        for rule in gate.rules
        if not rule.control and not rule.slice and (rule.at_least, rule.at_most) != (None, None)
    ]
    assert rules, "no rule of this suite is left to hold"
    return SuiteGate(cases=cases, rules=tuple(rules))


def finding(verdict: GateVerdict, case_id: str) -> GateFinding:
    """A rule that does not hold, and names the case."""
    named = [one for one in verdict.failed if any(case.case_id == case_id for case in one.cases)]
    assert named, verdict
    return named[0]


def few_of(suite: str, *planted_ones: Planted) -> Few:
    ids = {case_id for one in planted_ones for case_id in (*one.red, *one.green)}
    return Few(suite=suite_of(suite), ids=tuple(sorted(ids)))


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("suite", sorted({one.suite for one in PLANTED}))
async def test_the_gate_is_green_where_nothing_is_planted(suite: str, installation: Path, tmp_path: Path) -> None:
    few = few_of(suite, *(one for one in PLANTED if one.suite == suite))
    report = await evaluated(few, installation, tmp_path / "evaluation")
    assert held(few, report, installation).failed == ()
    assert report.suites[0].passed == len(few.ids)


@pytest.mark.thorough
@pytest.mark.proves("H2")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("one", PLANTED, ids=[f"{one.suite}-{one.defect}" for one in PLANTED])
async def test_the_gate_is_red_for_the_defect_and_names_case_and_trace(
    one: Planted, installation: Path, tmp_path: Path
) -> None:
    few = few_of(one.suite, one)
    broken = await evaluated(few, installation, tmp_path / "evaluation", defect=one.defect)
    assert broken.suites[0].failures == tuple(sorted(one.red))
    verdict = held(few, broken, installation)
    assert not verdict.ok
    found = finding(verdict, one.red[0])
    case = next(case for case in found.cases if case.case_id == one.red[0])
    assert found.suite == one.suite
    assert case.verdict == "failed"
    assert case.expected
    assert one.happened in " ".join((case.happened, case.diagnosis, *case.evidence))
    assert not one.stage or case.stage == one.stage
    assert case.trace.startswith("casewright ")


def test_every_defect_that_can_be_planted_has_its_test() -> None:
    assert {one.defect for one in PLANTED} == set(DEFECTS)


@pytest.mark.thorough
def test_no_defect_is_planted_in_anything_but_the_process_of_an_evaluation() -> None:
    command = [sys.executable, "-m", "evals.planting", "ignore_budgets", "serve"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "alone" in done.stderr


def test_nothing_of_the_product_names_the_planting_of_defects() -> None:
    rooms = ("casewright", "commands", "servers", "agents", "graphs", "api")
    naming = [
        path
        for room in rooms
        for path in (CHECKOUT / room).rglob("*.py")
        if "planting" in path.read_text(encoding="utf-8")
    ]
    assert naming == []
