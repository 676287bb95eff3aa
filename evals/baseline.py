"""The last accepted figures, by selection and suite: what a change is compared with.

The fast and the full selection are two baselines in one file: accepting one leaves the other as it is.
Written by `casewright eval accept`; times are left out, since they belong to a machine.
"""

import json
from pathlib import Path

from pydantic import ValidationError

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import EvalReport, Selection, SuiteResult
from casewright.errors import InputError

BASELINE = Path(__file__).resolve().parent / "baseline.json"


class AcceptedSuite(Contract):
    eval_id: str
    at: str
    cases: int
    cases_digest: str
    figures: dict[str, float]
    failures: tuple[str, ...]
    """Ids of the cases that did not pass, and were accepted so."""


class Baseline(Contract):
    """Accepted figures by selection and suite."""

    selections: dict[Selection, dict[str, AcceptedSuite]]

    def suite(self, selection: Selection, name: str) -> AcceptedSuite | None:
        """What was accepted of a suite."""
        return self.selections.get(selection, {}).get(name)

    def figure(self, selection: Selection, name: str, metric: str) -> float | None:
        """An accepted figure."""
        accepted = self.suite(selection, name)
        return None if accepted is None else accepted.figures.get(metric)

    def newly_failing(self, selection: Selection, result: SuiteResult) -> tuple[str, ...]:
        """Cases that do not pass and were not accepted so."""
        accepted = self.suite(selection, result.name)
        return () if accepted is None else tuple(sorted(set(result.failures) - set(accepted.failures)))


def read_baseline(path: Path = BASELINE) -> Baseline:
    """The baseline as it stands; none yet is an empty one.

    Raises:
        InputError: it is not in the format.
    """
    if not path.exists():
        return Baseline(selections={})
    try:
        return Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{str(path)!r} is no baseline ({error}); restore it") from error


def accepted(known: Baseline, report: EvalReport) -> Baseline:
    """The baseline with the figures of a report in place of those of the same suites and selection."""
    suites = dict(known.selections.get(report.selection, {}))
    for result in report.suites:
        if result.status == "ran":
            suites[result.name] = AcceptedSuite(
                eval_id=report.eval_id,
                at=report.at,
                cases=result.planned,
                cases_digest=result.cases_digest,
                figures={
                    name: round(metric.value, 6)
                    for name, metric in sorted(result.metrics.items())
                    if not name.endswith(("_ms", "_seconds", "_mb"))
                },
                failures=result.failures,
            )
    return Baseline(selections={**known.selections, report.selection: suites})


def baseline_text(baseline: Baseline) -> str:
    """As it is written to the file."""
    return json.dumps(baseline.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
