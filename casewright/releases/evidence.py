"""Whether an eval report carries a release: its gate, its completeness, and that it is about these versions.

It reruns nothing; `casewright eval run` made the report. What it finds wrong is said in sentences, which an override
has to name.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from casewright.contracts.evaluation import EvalReport, EvaluatedVersions, SuiteResult
from casewright.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A report and the digest of its file."""

    report: EvalReport
    sha256: str


def read_report(file: Path, *, expected: str = "") -> Evidence:
    """The report in a file.

    Args:
        expected: the SHA-256 that it was given out with; empty: what stands in `FILE.sha256`, if there is one.

    Raises:
        InputError: it cannot be read, is no report, or is not the one that was given out.
    """
    beside = file.with_name(f"{file.name}.sha256")
    try:
        content = file.read_bytes()
        wanted = expected or (beside.read_text(encoding="utf-8").split() or [""])[0] if beside.exists() else expected
        report = EvalReport.model_validate_json(content)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the eval report {str(file)!r} cannot be read: {error}; name another file") from error
    except ValidationError as error:
        raise InputError(
            f"{str(file)!r} is no eval report ({error.error_count()} faults); take what `casewright eval run` wrote"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if wanted and wanted.lower() != found:
        raise InputError(f"the eval report {str(file)!r} is not the one with SHA-256 {wanted!r}; it has {found!r}")
    return Evidence(report=report, sha256=found)


def problems(report: EvalReport, now: EvaluatedVersions) -> tuple[str, ...]:
    """What speaks against a release of the present versions under this report; nothing: it is carried."""
    return (*_of_gate(report), *_of_suites(report), *_of_versions(report.versions, now))


def _of_gate(report: EvalReport) -> Iterator[str]:
    if report.selection != "full":
        yield f"the report is of the {report.selection} selection, not of all cases"
    if report.gate is None:
        yield "the gates were not asked"
        return
    if not report.gate.checked:
        yield "the gates held no rule against the results"
    for finding in report.gate.failed:
        yield f"{finding.suite}: {finding.rule}: {finding.happened}"
    if not report.gate.ok and not report.gate.failed:
        yield "the gate is not green"
    if not report.gate.whole:
        yield "the gates were not asked of every suite with all its cases"


def _of_suites(report: EvalReport) -> Iterator[str]:
    if not report.suites:
        yield "no suite ran"
    for suite in (*report.suites, *report.controls):
        if told := _incomplete(suite):
            yield f"{suite.name}{'' if suite.enforced else ' (control)'}: {told}"


def _incomplete(suite: SuiteResult) -> str:
    if suite.status != "ran":
        return ""  # whether it may stay out is a rule of the gates
    if suite.cases != suite.planned:
        return f"{suite.planned - suite.cases} of {suite.planned} cases have no result"
    return f"{suite.errored} cases could not be tried to their end" if suite.errored else ""


def _of_versions(evaluated: EvaluatedVersions, now: EvaluatedVersions) -> Iterator[str]:
    before, after = evaluated.model_dump(), now.model_dump()
    for name, value in before.items():
        if value != after[name]:
            yield f"{name} was {str(value)[:20]} when it was evaluated and is {str(after[name])[:20]} now"
