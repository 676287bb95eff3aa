"""A report's figures are those of the results beside it, or it says which are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from casewright.canonical import digest
from casewright.contracts.evaluation import CaseResult, EvalReport, SuiteResult
from casewright.errors import InputError
from casewright.releases.evidence import read_report
from commands.release_evidence import counted_again
from evals.figures import suite_result
from evals.folder import EvalFolder, PlanFile, ResultLine
from evals.planning import Planned
from tests.support.releasing import green

RESULTS = [
    CaseResult(
        case_id=f"case-{number}",
        verdict="passed" if number else "failed",
        slices={"place": "letter" if number % 2 else "note"},
        outcomes={"stopped": bool(number)},
        measures={"rank": number / 7},
        tokens=number,
    )
    for number in range(7)
]
Change = Callable[[SuiteResult], SuiteResult]


def held(folder: EvalFolder, results: list[CaseResult] = RESULTS) -> EvalReport:
    """An evaluation of one suite in its folder, as `casewright eval run` leaves it."""
    plan = Planned(
        suite="golden",
        title="Golden answers",
        enforced=True,
        cases={one.case_id: one.slices for one in results},
        digest="c",
        shards=(),
        seconds=1.0,
    )
    report = green(suites=(suite_result(plan, results, data={}, seconds=1.0),))
    folder.write_plan(
        PlanFile(
            eval_id=report.eval_id,
            at=report.at,
            selection="full",
            suites=("golden",),
            controls=False,
            options={},
            digests={"golden": "c"},
            versions=digest(report.versions.model_dump(mode="json")),
        )
    )
    for one in reversed(results):  # as processes end, in any order
        folder.append(ResultLine(suite="golden", enforced=True, result=one))
    folder.write_report(report)
    return report


def all_passed(suite: SuiteResult) -> SuiteResult:
    return suite.model_copy(update={"passed": 7, "failed": 0})


def better_share(suite: SuiteResult) -> SuiteResult:
    better = suite.metrics["stopped"].model_copy(update={"value": 1.0})
    return suite.model_copy(update={"metrics": suite.metrics | {"stopped": better}})


def better_bound(suite: SuiteResult) -> SuiteResult:
    better = suite.metrics["rank"].model_copy(update={"high": 0.5})
    return suite.model_copy(update={"metrics": suite.metrics | {"rank": better}})


def one_more_metric(suite: SuiteResult) -> SuiteResult:
    return suite.model_copy(update={"metrics": suite.metrics | {"quoted": suite.metrics["stopped"]}})


def better_slice(suite: SuiteResult) -> SuiteResult:
    first = suite.slices[0].model_copy(update={"passed": 99})
    return suite.model_copy(update={"slices": (first, *suite.slices[1:])})


def none_failed(suite: SuiteResult) -> SuiteResult:
    return suite.model_copy(update={"failures": (), "worst": ()})


def more_cases(suite: SuiteResult) -> SuiteResult:
    return suite.model_copy(update={"cases": 8, "planned": 8, "passed": 7})


def other_cases(suite: SuiteResult) -> SuiteResult:
    return suite.model_copy(update={"cases_digest": "d"})


@pytest.mark.proves("H3")
def test_a_report_as_it_was_written_has_the_figures_of_its_results(tmp_path: Path) -> None:
    folder = EvalFolder(tmp_path)
    held(folder)
    evidence = read_report(folder.report_file)
    results, told = counted_again(evidence.report, folder.report_file)
    assert (len(results), told) == (64, ())


@pytest.mark.proves("H3")
@pytest.mark.parametrize(
    "edited",
    [all_passed, better_share, better_bound, one_more_metric, better_slice, none_failed, more_cases, other_cases],
)
def test_a_figure_that_was_edited_in_the_report_is_found(tmp_path: Path, edited: Change) -> None:
    folder = EvalFolder(tmp_path)
    report = held(folder)
    changed = report.model_copy(update={"suites": (edited(report.suites[0]),)})
    assert len(counted_again(changed, folder.report_file)[1]) == 1


@pytest.mark.proves("H3")
def test_a_report_that_names_other_versions_than_were_planned_is_found(tmp_path: Path) -> None:
    folder = EvalFolder(tmp_path)
    report = held(folder)
    changed = report.model_copy(update={"versions": report.versions.model_copy(update={"policy": "other"})})
    (told,) = counted_again(changed, folder.report_file)[1]
    assert "other versions" in told


@pytest.mark.proves("H3")
def test_a_result_that_was_put_away_is_found_and_without_results_nothing_is_claimed(tmp_path: Path) -> None:
    folder = EvalFolder(tmp_path)
    report = held(folder)
    file = tmp_path / "results.jsonl"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    (told,) = counted_again(report, folder.report_file)[1]
    assert told.startswith("golden: cases is 7")
    file.unlink()
    assert counted_again(report, folder.report_file) == ("", ())


@pytest.mark.proves("H3")
def test_results_without_their_plan_are_refused_and_an_edited_report_by_its_digest(tmp_path: Path) -> None:
    folder = EvalFolder(tmp_path)
    report = held(folder)
    (tmp_path / "plan.json").unlink()
    with pytest.raises(InputError, match="begin another"):
        counted_again(report, folder.report_file)
    text = folder.report_file.read_text(encoding="utf-8")
    folder.report_file.write_text(text.replace('"failed": 1', '"failed": 0'), encoding="utf-8")
    with pytest.raises(InputError, match="is not the one"):
        read_report(folder.report_file)
