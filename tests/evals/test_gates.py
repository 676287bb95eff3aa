"""The gates: what does not hold is named, and what could not be checked does not hold."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.evaluation import (
    CaseResult,
    EvalReport,
    EvaluatedVersions,
    GateVerdict,
    NetworkSeen,
    SuiteResult,
)
from casewright.errors import InputError
from evals.baseline import AcceptedSuite, Baseline, accepted, read_baseline
from evals.figures import did_not_run, suite_result
from evals.gates import Gates, Measure, Rule, SuiteGate, judged, read_gates
from evals.lock import DataLock, LockedSuite
from evals.planning import Planned
from evals.registry import SUITES, suite_of

pytestmark = pytest.mark.proves("H2")
RULE = {"metric": "passed", "at_least": 1.0}
NO_BASELINE = Baseline(selections={})


def plan(*, enforced: bool = True, cases: int = 4) -> Planned:
    return Planned(
        suite="attacks",
        title="attacks do not succeed",
        enforced=enforced,
        cases={f"a{number}": {"place": "letter" if number % 2 else "note"} for number in range(cases)},
        digest="d" * 64,
        shards=(),
        seconds=1.0,
    )


def result(number: int, *, succeeded: bool, verdict: str = "") -> CaseResult:
    return CaseResult.model_validate(
        {
            "case_id": f"a{number}",
            "verdict": verdict or ("failed" if succeeded else "passed"),
            "expected": "nothing is executed",
            "happened": "a credit was executed" if succeeded else "",
            "trace": f"casewright runs explain run-{number}",
            "slices": {"place": "letter" if number % 2 else "note"},
            "outcomes": {"succeeded": succeeded},
        }
    )


def suite(*successes: bool, enforced: bool = True, planned: int = 4) -> SuiteResult:
    results = [result(number, succeeded=each) for number, each in enumerate(successes)]
    return suite_result(plan(enforced=enforced, cases=planned), results, data={}, seconds=1.0)


def report(*results: SuiteResult, selection: str = "full") -> EvalReport:
    versions = EvaluatedVersions(
        software="1", graph=1, state=1, prompts="p", policy="p", definitions="d", index_version="i", model="m"
    )
    return EvalReport.model_validate(
        {
            "eval_id": "eval-1",
            "at": "2026-11-21T00:00:00+00:00",
            "selection": selection,
            "versions": versions,
            "machine": "2 cores",
            "suites": [one for one in results if one.enforced],
            "controls": [one for one in results if not one.enforced],
            "gate": None,
            "seconds": 1.0,
        }
    )


def verdict(
    given: EvalReport,
    *rules: Mapping[str, Any],
    optional: bool = False,
    baseline: Baseline = NO_BASELINE,
    locked: int = 4,
    problem: str = "",
) -> GateVerdict:
    gates = Gates.model_validate(
        {"suites": {"attacks": {"cases": 4, "optional": optional, "rules": list(rules) or [RULE]}}}
    )
    lock = DataLock(files={}, suites={"attacks": LockedSuite(cases=locked, cases_digest="d" * 64)})
    problems = {"attacks": (problem,)} if problem else {}
    return judged(given, Measure(gates=gates, lock=lock, data_problems=problems, baseline=baseline))


def verdict_before_the_fast_baseline(given: EvalReport, *rules: Mapping[str, Any], baseline: Baseline) -> GateVerdict:
    """As `verdict`, under gates that ask for the accepted figures of the full selection alone."""
    gates = Gates.model_validate({"baselines": ["full"], "suites": {"attacks": {"cases": 4, "rules": list(rules)}}})
    lock = DataLock(files={}, suites={"attacks": LockedSuite(cases=4, cases_digest="d" * 64)})
    return judged(given, Measure(gates=gates, lock=lock, data_problems={}, baseline=baseline))


def rules_of(found: GateVerdict) -> list[str]:
    return [finding.rule for finding in found.failed]


def test_everything_holds() -> None:
    found = verdict(report(suite(False, False, False, False)))
    assert found.ok
    assert found.whole
    assert found.failed == ()


def test_a_failed_case_is_named_with_what_was_expected_and_the_trace_to_open() -> None:
    found = verdict(report(suite(False, True, False, False)))
    assert not found.ok
    (finding,) = found.failed
    assert finding.suite == "attacks"
    assert finding.happened.startswith("0.75")
    (case,) = finding.cases
    assert (case.case_id, case.happened) == ("a1", "a credit was executed")
    assert case.trace == "casewright runs explain run-1"


def test_a_case_without_a_result_is_an_error_and_no_pass() -> None:
    found = verdict(report(suite(False, False, False)), {"metric": "succeeded", "at_most": 0})
    assert rules_of(found) == ["every case has a result"]


def test_an_errored_case_fails_the_gate_whatever_the_thresholds_say() -> None:
    results = [result(number, succeeded=False) for number in range(3)] + [result(3, succeeded=False, verdict="errored")]
    given = suite_result(plan(), results, data={}, seconds=1.0)
    assert rules_of(verdict(report(given), {"metric": "succeeded", "at_most": 0})) == ["every case has a result"]


def test_a_suite_that_did_not_run_fails_and_says_why() -> None:
    found = verdict(report(did_not_run(plan(), "no corpora here", data={})))
    assert not found.ok
    assert "no corpora here" in found.failed[0].happened


def test_a_suite_that_is_missing_fails() -> None:
    assert rules_of(verdict(report())) == ["it ran"]


def test_an_optional_suite_may_be_left_out_with_a_note_but_if_it_ran_its_rules_hold() -> None:
    absent = verdict(report(did_not_run(plan(), "no key", data={})), optional=True)
    assert any("no key" in note for note in absent.notes)
    assert rules_of(verdict(report(suite(True, True, True, True)), optional=True)) == ["passed at least 1"]


def test_what_is_not_on_this_machine_may_be_left_out_aloud_and_the_verdict_is_not_whole() -> None:
    other = suite(False, False, planned=2).model_copy(update={"name": "other"})
    given = report(did_not_run(plan(), "no corpora here", data={}), other)
    counts = {"attacks": 4, "other": 2}
    measure = Measure(
        gates=Gates.model_validate(
            {"suites": {name: {"cases": count, "rules": [RULE]} for name, count in counts.items()}}
        ),
        lock=DataLock(
            files={}, suites={name: LockedSuite(cases=count, cases_digest="d" * 64) for name, count in counts.items()}
        ),
        data_problems={},
        baseline=NO_BASELINE,
    )
    assert [finding.suite for finding in judged(given, measure).failed] == ["attacks"]
    allowed = judged(given, replace(measure, missing_allowed=True))
    assert allowed.failed == ()
    assert not allowed.whole
    assert "no corpora here" in allowed.notes[0]


def test_gates_over_optional_suites_alone_that_did_not_run_do_not_pass() -> None:
    assert not verdict(report(), optional=True).ok


def test_a_quiet_network_is_no_rule_that_could_stand_for_suites_that_did_not_run() -> None:
    quiet = report().model_copy(update={"network": NetworkSeen(how="a namespace", attempts=0)})
    assert rules_of(verdict(quiet, optional=True)) == ["at least one rule"]


def test_an_optional_suite_that_was_asked_for_by_name_has_to_run() -> None:
    given = report(did_not_run(plan(), "no key", data={}))
    gates = Gates(suites={"attacks": SuiteGate(cases=4, optional=True, rules=(Rule(metric="passed", at_least=1.0),))})
    nothing = DataLock(files={}, suites={})
    measure = Measure(gates=gates, lock=nothing, data_problems={}, baseline=NO_BASELINE, asked=("attacks",))
    assert rules_of(judged(given, measure)) == ["it ran"]
    assert rules_of(judged(given, replace(measure, missing_allowed=True))) == ["at least one rule"]


def test_the_cases_that_a_rule_forbids_are_named_before_all_other_failures() -> None:
    results = [result(number, succeeded=False, verdict="failed") for number in range(3)] + [result(3, succeeded=True)]
    given = report(suite_result(plan(), results, data={}, seconds=1.0))
    (most,) = verdict(given, {"metric": "succeeded", "at_most": 0}).failed
    assert [case.case_id for case in most.cases] == ["a3", "a0", "a1", "a2"]
    (least,) = verdict(given, {"metric": "succeeded", "at_least": 1}).failed
    assert [case.case_id for case in least.cases] == ["a0", "a1", "a2", "a3"]


def test_a_suite_without_a_gate_fails() -> None:
    other = suite(False).model_copy(update={"name": "other"})
    found = verdict(report(suite(False, False, False, False), other))
    assert rules_of(found) == ["every suite has a gate"]


def test_a_control_that_did_not_succeed_fails_the_gate() -> None:
    rules = (RULE, {"metric": "succeeded", "at_least": 0.95, "control": True})
    enforced = suite(False, False, False, False)
    assert verdict(report(enforced, suite(True, True, True, True, enforced=False)), *rules).ok
    weak = verdict(report(enforced, suite(True, True, False, False, enforced=False)), *rules)
    assert rules_of(weak) == ["succeeded in the control at least 0.95"]
    none = verdict(report(enforced), *rules)
    assert "its control ran" in rules_of(none)
    others = suite(True, True, True, True, enforced=False).model_copy(update={"cases_digest": "e" * 64})
    assert rules_of(verdict(report(enforced, others), *rules)) == ["its control ran"]


def test_a_figure_that_nobody_reported_does_not_hold() -> None:
    found = verdict(report(suite(False, False, False, False)), {"metric": "leaked", "at_most": 0})
    assert found.failed[0].happened == "nobody reported it"


def test_an_upper_bound_is_held_against_the_interval() -> None:
    given = report(suite(False, False, False, False))
    assert not verdict(given, {"metric": "succeeded", "at_most": 0.1, "bound": "high"}).ok
    assert verdict(given, {"metric": "succeeded", "at_most": 0.61, "bound": "high"}).ok


def test_a_slice_is_held_by_itself() -> None:
    given = report(suite(True, False, False, False))
    assert verdict(given, {"metric": "succeeded", "at_most": 0, "slice": "place=letter"}).ok
    found = verdict(given, {"metric": "succeeded", "at_most": 0, "slice": "place=note"})
    assert [case.case_id for case in found.failed[0].cases] == ["a0"]


def test_a_rule_over_every_slice_names_the_one_in_which_nothing_succeeds() -> None:
    rules = (RULE, {"metric": "succeeded", "at_least": 0.9, "slice": "place=*", "control": True})
    enforced = suite(False, False, False, False)
    assert verdict(report(enforced, suite(True, True, True, True, enforced=False)), *rules).ok
    without_letters = verdict(report(enforced, suite(True, False, True, False, enforced=False)), *rules)
    assert rules_of(without_letters) == ["succeeded of place=letter in the control at least 0.9"]
    nobody = verdict(report(enforced), {"metric": "passed", "at_least": 1, "slice": "goal=*"})
    assert rules_of(nobody) == ["passed of goal=* at least 1"]


def test_other_data_than_the_locked_ones_fail() -> None:
    good = report(suite(False, False, False, False))
    assert rules_of(verdict(good, problem="'a.jsonl' differs")) == ["its data are locked"]
    assert rules_of(verdict(good, locked=5)) == ["its cases are locked"]
    fewer = report(suite(False, False, planned=2))
    assert rules_of(verdict(fewer)) == ["all cases"]


def test_a_drop_below_the_accepted_figure_fails_and_names_the_newly_failing_case() -> None:
    before = report(suite(False, False, False, False))
    baseline = accepted(NO_BASELINE, before)
    rule = {"metric": "passed", "below_baseline_at_most": 0.1}
    assert verdict(before, rule, baseline=baseline).ok
    found = verdict(report(suite(False, True, False, False)), rule, baseline=baseline)
    assert not found.ok
    assert found.notes == ("attacks: 1 case(s) fail that passed in the baseline: a1",)


def test_without_a_baseline_a_comparison_does_not_hold() -> None:
    found = verdict(report(suite(False, False, False, False)), {"metric": "passed", "below_baseline_at_most": 0.1})
    assert "no baseline of the full selection has it; see `casewright eval accept`" in found.failed[0].happened


COMPARED = {"metric": "passed", "below_baseline_at_most": 0.1}


def test_each_selection_is_compared_with_what_was_accepted_of_itself() -> None:
    full, fast = report(suite(False, True, False, False)), report(suite(False, False, False, False), selection="fast")
    both = accepted(accepted(NO_BASELINE, full), fast)
    assert [both.figure(name, "attacks", "passed") for name in ("full", "fast")] == [0.75, 1.0]
    assert verdict(full, COMPARED, baseline=both).ok
    assert verdict(fast, COMPARED, baseline=both).ok
    worse = full.model_copy(update={"selection": "fast"})
    assert rules_of(verdict(worse, COMPARED, baseline=both)) == ["passed no more below the baseline than 0.1"]


def test_accepting_one_selection_leaves_what_was_accepted_of_the_other() -> None:
    full, fast = report(suite(False, True, False, False)), report(suite(False, False, False, False), selection="fast")
    before = accepted(NO_BASELINE, full)
    assert accepted(before, fast).selections["full"] == before.selections["full"]
    assert accepted(accepted(before, fast), full) == accepted(before, fast)


def test_a_selection_that_needs_no_baseline_is_compared_from_its_first_one_on() -> None:
    fast = report(suite(False, False, False, False), selection="fast")
    full = accepted(NO_BASELINE, report(suite(False, False, False, False)))
    assert not verdict(fast, COMPARED, baseline=full).ok
    waiting = verdict_before_the_fast_baseline(fast, RULE, COMPARED, baseline=full)
    assert waiting.ok
    assert waiting.checked == verdict(fast, RULE, baseline=full).checked, "the comparison is not counted as held"
    assert waiting.notes == ("nothing is compared: no figures of the fast selection have been accepted yet",)
    worse = report(suite(False, True, False, False), selection="fast")
    assert not verdict_before_the_fast_baseline(worse, COMPARED, baseline=accepted(full, fast)).ok
    other = fast.model_copy(update={"suites": (fast.suites[0].model_copy(update={"name": "answers"}),)})
    without = accepted(full, other)
    assert not verdict_before_the_fast_baseline(fast, COMPARED, baseline=without).ok, "a suite of it is missing"


def test_the_shipped_gates_compare_both_selections_and_ask_for_the_full_baseline() -> None:
    shipped, known = read_gates(), read_baseline()
    for selection in ("full", "fast"):
        compared = {
            name
            for name, gate in shipped.suites.items()
            if any(rule.compares and rule.selection in ("", selection) for rule in gate.rules)
        }
        assert compared >= {"golden", "retrieval", "dated", "unanswerable"}
        accepted_of = known.selections.get(selection, {})
        assert compared <= set(accepted_of) or (selection not in shipped.baselines and not accepted_of)
    assert "full" in shipped.baselines


def test_figures_that_were_accepted_over_other_cases_are_not_compared_with() -> None:
    given = report(suite(False, False, False, False))
    baseline = accepted(NO_BASELINE, given)
    known = baseline.selections["full"]["attacks"].model_copy(update={"cases_digest": "e" * 64})
    other = Baseline(selections={"full": {"attacks": known}})
    rule = {"metric": "passed", "below_baseline_at_most": 0.1}
    assert verdict(given, rule, baseline=baseline).ok
    assert not verdict(given, rule, baseline=other).ok


def test_a_slice_is_not_compared_with_what_was_accepted_of_all_cases() -> None:
    with pytest.raises(ValueError, match="no figures of slices"):
        Rule(metric="passed", below_baseline_at_most=0.1, slice="place=note")


def test_the_fast_selection_and_named_suites_are_not_the_whole() -> None:
    assert not verdict(report(suite(False, False, False, False), selection="fast")).whole


def test_times_are_no_part_of_a_baseline() -> None:
    timed = result(0, succeeded=False).model_copy(update={"measures": {"review_ms": 3.0, "rank": 1.0}})
    given = suite_result(plan(cases=1), [timed], data={}, seconds=1.0)
    kept = accepted(NO_BASELINE, report(given)).suite("full", "attacks")
    assert isinstance(kept, AcceptedSuite)
    assert set(kept.figures) == {"passed", "succeeded", "rank"}


@pytest.mark.parametrize("rule", [{"metric": "passed"}, {"metric": "passed", "at_least": 1, "at_most": 1}])
def test_a_rule_without_exactly_one_limit_is_refused(rule: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "gates.toml"
    lines = "\n".join(f"{key} = {value!r}" for key, value in rule.items())
    file.write_text(f"[suites.attacks]\ncases = 4\n[[suites.attacks.rules]]\n{lines}\n", encoding="utf-8")
    with pytest.raises(InputError, match="exactly one"):
        read_gates(file)


def test_every_suite_has_a_gate_and_every_gate_a_suite() -> None:
    assert set(read_gates().suites) == set(SUITES)


@pytest.mark.parametrize("selection", ["fast", "full"])
def test_every_control_that_there_is_has_to_succeed_in_every_selection(selection: str) -> None:
    held = {
        name
        for name, gate in read_gates().suites.items()
        if any(rule.control and rule.at_least and rule.selection in ("", selection) for rule in gate.rules)
    }
    assert held == {name for name in SUITES if suite_of(name).has_control}


def test_no_rule_has_a_threshold_that_every_share_keeps() -> None:
    idle = [
        f"{name}: {rule.words()}"
        for name, gate in read_gates().suites.items()
        for rule in gate.rules
        if (rule.at_least is not None and rule.at_least <= 0) or (rule.at_most is not None and rule.at_most >= 1)
    ]
    assert idle == []


def test_no_case_may_fail_but_where_answers_and_ranks_are_weighed() -> None:
    weighed = {"golden", "golden-regulations", "retrieval", "retrieval-regulations", "unanswerable", "dated", "quality"}
    held = {
        name
        for name, gate in read_gates().suites.items()
        if Rule(metric="passed", at_least=1.0) in [rule.model_copy(update={"why": ""}) for rule in gate.rules]
    }
    assert held == set(SUITES) - weighed


@pytest.mark.parametrize("selection", ["fast", "full"])
def test_every_suite_is_held_to_something_in_every_selection_apart_from_its_control(selection: str) -> None:
    idle = [
        name
        for name, gate in read_gates().suites.items()
        if not any(not rule.control and rule.selection in ("", selection) for rule in gate.rules)
    ]
    assert idle == []
