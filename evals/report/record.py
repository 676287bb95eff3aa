"""What a report is made from: the report as data, the results of every case where they were kept, earlier reports."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from casewright.contracts.evaluation import CaseResult, EvalReport, SuiteResult
from casewright.errors import InputError
from evals.baseline import Baseline

REPORT = "report.json"
MOST_EARLIER = 20
Results = Mapping[str, Sequence[CaseResult]]
"""By suite."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """An evaluation with what it is compared with."""

    report: EvalReport
    results: Results = field(default_factory=dict[str, Sequence[CaseResult]])
    """Of every case with enforcement; empty where only the report itself is at hand."""
    controls: Results = field(default_factory=dict[str, Sequence[CaseResult]])
    earlier: Sequence[EvalReport] = ()
    """From old to new, of the same selection."""
    baseline: Baseline = field(default_factory=lambda: Baseline(selections={}))

    def control_of(self, suite: str) -> SuiteResult | None:
        """The run of a suite with enforcement taken away."""
        return next((one for one in self.report.controls if one.name == suite and one.status == "ran"), None)

    def accepted(self, suite: str, metric: str) -> float | None:
        """The last accepted value of a figure."""
        return self.baseline.figure(self.report.selection, suite, metric)

    def course(self, suite: str) -> tuple[SuiteResult, ...]:
        """The suite in the earlier reports and in this one, from old to new."""
        found = (_suite(report, suite) for report in (*self.earlier, self.report))
        return tuple(one for one in found if one is not None and one.status == "ran")


def read_report(path: Path) -> EvalReport:
    """The report in a file, or in the folder of an evaluation.

    Raises:
        InputError: there is none, or it is not in the format of this version.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        return EvalReport.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"there is no report at {str(file)!r} ({error.strerror}); name an evaluation") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(f"{str(file)!r} is no report of this version: {where}: {first['msg']}") from error


def for_elsewhere(report: EvalReport, folder: Path) -> EvalReport:
    """The report as it can be kept away from its evaluation: paths into that folder begin with its name."""
    here = json.dumps(str(folder.absolute()), ensure_ascii=False)[1:-1]
    return EvalReport.model_validate_json(report.model_dump_json().replace(here, folder.name))


def earlier_reports(folder: Path, report: EvalReport) -> tuple[EvalReport, ...]:
    """The reports of the same selection in the folders beside, older than this one, from old to new.

    What is not a report of this version is left out: it has no figures that could be compared.
    """
    found: list[EvalReport] = []
    for path in sorted(folder.glob(f"*/{REPORT}")):
        try:
            one = read_report(path)
        except InputError:
            continue
        if one.selection == report.selection and one.at < report.at and one.eval_id != report.eval_id:
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.at)[-MOST_EARLIER:])


def _suite(report: EvalReport, name: str) -> SuiteResult | None:
    return next((one for one in report.suites if one.name == name), None)
