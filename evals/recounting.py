"""Holds the figures of a report against the results of the cases beside it in the folder of the evaluation.

Called where a release is made, so that a figure that somebody edited in the report carries none. It knows neither gates
nor versions, and believes the results: whoever edits those has to edit every case behind a figure.
"""

import hashlib
import math
from collections.abc import Iterator

from casewright.canonical import digest
from casewright.contracts.evaluation import CaseResult, EvalReport, SuiteResult
from evals.figures import suite_result
from evals.folder import EvalFolder
from evals.planning import Planned

_COUNTED = ("cases", "passed", "failed", "errored", "failures", "worst", "tokens", "cost_micro")
_EQUAL = 1e-9
"""Sums of binary fractions in another order differ in their last digits."""


def results_digest(folder: EvalFolder) -> str:
    """SHA-256 of the file with the results; empty: there is none."""
    file = folder.path / "results.jsonl"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def recounted(report: EvalReport, folder: EvalFolder) -> Iterator[str]:
    """Where the figures are not those of the results, in words; nothing: they are.

    Raises:
        InputError: there are results, but no plan of them.
    """
    yield from _otherwise_planned(report, folder)
    results: dict[tuple[str, bool], dict[str, CaseResult]] = {}
    for line in folder.results():
        results.setdefault((line.suite, line.enforced), {})[line.result.case_id] = line.result
    for suite in (*report.suites, *report.controls):
        if suite.status == "ran":
            named = f"{suite.name}{'' if suite.enforced else ' (control)'}"
            found = list(results.get((suite.name, suite.enforced), {}).values())
            if differs := _difference(suite, found):
                yield f"{named}: {differs} in the report, and the results beside it say otherwise"


def _otherwise_planned(report: EvalReport, folder: EvalFolder) -> Iterator[str]:
    plan = folder.plan()
    if (plan.selection, plan.versions) != (report.selection, digest(report.versions.model_dump(mode="json"))):
        yield "the plan beside the report is of another selection, or of other versions"
    for suite in (*report.suites, *report.controls):
        name = suite.name if suite.enforced else f"{suite.name} control"
        if plan.digests.get(name) != suite.cases_digest:
            yield f"{name}: the plan beside the report is of other cases"


def _difference(told: SuiteResult, results: list[CaseResult]) -> str:
    plan = Planned(
        suite=told.name,
        title=told.title,
        enforced=told.enforced,
        cases={one.case_id: one.slices for one in results},
        digest=told.cases_digest,
        shards=(),
        seconds=0.0,
    )
    found = suite_result(plan, results, data=told.data, seconds=told.seconds)
    for name in _COUNTED:
        if getattr(told, name) != getattr(found, name):
            return f"{name} is {_short(getattr(told, name))}"
    return _other_figures(told, found)


def _other_figures(told: SuiteResult, found: SuiteResult) -> str:
    before, after = _flat(told), _flat(found)
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None or other is None or not math.isclose(one, other, abs_tol=_EQUAL):
            return f"{name} is {'not' if one is None else f'{one:g}'}"
    return ""


def _flat(suite: SuiteResult) -> dict[str, float]:
    """Every number of the metrics, overall and by slice, by name."""
    groups = {"": suite.metrics} | {f" of {one.name}": one.metrics for one in suite.slices}
    flat: dict[str, float] = {}
    for place, metrics in groups.items():
        for name, metric in metrics.items():
            values = metric.model_dump(exclude_none=True)
            flat[f"{values.pop('kind')} {name}{place}"] = metric.value
            flat |= {f"{field} of {name}{place}": value for field, value in values.items()}
    for one in suite.slices:
        flat |= {f"cases of {one.name}": one.cases, f"passed of {one.name}": one.passed}
    return flat


def _short(value: object) -> str:
    """A number; of the cases that did not pass, that they are others."""
    return repr(value) if isinstance(value, int) else "another list"
