"""Gathers what a report is made from: every result beside it, the reports beside its folder, the accepted figures."""

from pathlib import Path

from casewright.contracts.evaluation import CaseResult, EvalReport
from evals.baseline import read_baseline
from evals.folder import EvalFolder
from evals.report.record import Record, earlier_reports


def collected(report: EvalReport, folder: Path) -> Record:
    """The record of an evaluation that stands in a folder; of one that stands elsewhere, its report alone.

    Raises:
        InputError: the baseline is not in its format.
    """
    results: dict[bool, dict[str, list[CaseResult]]] = {True: {}, False: {}}
    for line in EvalFolder(folder).results() if folder.name == report.eval_id else ():
        results[line.enforced].setdefault(line.suite, []).append(line.result)
    return Record(
        report=report,
        results=results[True],
        controls=results[False],
        earlier=earlier_reports(folder.parent, report),
        baseline=read_baseline(),
    )
