"""A report is held against the gates once more when a release is made, and a release against the engine."""

from collections.abc import Callable

import pytest

from casewright.access.opa_settings import OpaSettings
from casewright.contracts.evaluation import EvalReport, GateVerdict
from casewright.errors import InputError
from commands.release_evidence import against, present_measure
from commands.release_trial import check_server
from evals.baseline import Baseline
from evals.gates import Measure, read_gates
from evals.lock import DataLock, LockedSuite
from tests.support.releasing import VERSIONS, gated, green

SHIPPED = read_gates()
GATES = SHIPPED.model_copy(
    update={
        "suites": {
            name: gate.model_copy(
                update={"rules": tuple(rule for rule in gate.rules if rule.below_baseline_at_most is None)}
            )
            for name, gate in SHIPPED.suites.items()
        }
    }
)
"""Without the comparisons with a baseline, which a made-up report has none of."""
LOCK = DataLock(
    files={},
    suites={name: LockedSuite(cases=gate.cases, cases_digest=f"of {name}") for name, gate in GATES.suites.items()},
)
MEASURE = Measure(gates=GATES, lock=LOCK, data_problems={}, baseline=Baseline(selections={}))
Change = Callable[[EvalReport], EvalReport]


def without_one(report: EvalReport) -> EvalReport:
    return report.model_copy(update={"suites": report.suites[1:]})


def of_other_cases(report: EvalReport) -> EvalReport:
    first = report.suites[0].model_copy(update={"cases_digest": "0" * 64})
    return report.model_copy(update={"suites": (first, *report.suites[1:])})


def without_controls(report: EvalReport) -> EvalReport:
    return report.model_copy(update={"controls": ()})


def without_figures(report: EvalReport) -> EvalReport:
    return report.model_copy(update={"suites": tuple(one.model_copy(update={"metrics": {}}) for one in report.suites)})


@pytest.mark.proves("H3")
def test_a_report_that_holds_under_the_present_gates_carries_a_release() -> None:
    assert against(gated(green(), MEASURE), VERSIONS, MEASURE) == ()


@pytest.mark.proves("H3")
@pytest.mark.parametrize("changed", [without_one, of_other_cases, without_controls, without_figures])
def test_a_verdict_that_says_green_over_results_that_are_not_is_not_believed(changed: Change) -> None:
    report = changed(gated(green(), MEASURE))
    assert report.gate is not None and report.gate.ok and report.gate.whole
    assert against(report, VERSIONS, MEASURE)


@pytest.mark.proves("H3")
def test_a_report_without_a_verdict_is_not_given_one() -> None:
    assert "the gates were not asked" in against(gated(green(gate=None), MEASURE), VERSIONS, MEASURE)


@pytest.mark.proves("H3")
def test_what_was_found_once_is_said_once_and_stays_although_the_gates_would_pass_it_now() -> None:
    red = GateVerdict(ok=False, checked=3, whole=True, failed=())
    assert against(gated(green(gate=red), MEASURE), VERSIONS, MEASURE) == ("the gate is not green",)


def test_the_gates_that_count_are_those_that_stand_here() -> None:
    assert present_measure().gates == SHIPPED
    assert not present_measure().missing_allowed


@pytest.mark.proves("H3")
def test_policies_that_a_pinned_opa_server_would_not_decide_by_are_not_put_in_force() -> None:
    server = OpaSettings(host="127.0.0.1", port=8181, tls=False, revision="a" * 64)
    check_server(server, "a" * 64)
    check_server(None, "b" * 64)
    with pytest.raises(InputError, match="CASEWRIGHT_OPA_REVISION"):
        check_server(server, "b" * 64)
