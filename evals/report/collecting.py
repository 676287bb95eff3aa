"""Gathers what a report is made from: every result beside it, the reports beside its folder, the accepted figures."""

from pathlib import Path

from casewright.contracts.evaluation import EvalReport
from evals.baseline import read_baseline
from evals.report.record import Record, earlier_reports, read_results
from evals.report.writing import RESULTS


def collected(report: EvalReport, folder: Path) -> Record:
    """The record of an evaluation that stands in a folder.

    Raises:
        InputError: the results or the baseline are not in their format.
    """
    results, controls = read_results(folder / RESULTS)
    accepted = read_baseline().selections.get(report.selection, {})
    return Record(
        report=report,
        results=results,
        controls=controls,
        earlier=earlier_reports(folder.parent, report),
        accepted={name: suite.figures for name, suite in accepted.items()},
    )
