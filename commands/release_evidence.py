"""What speaks against a release under an eval report: what it says of itself, and the gates as they are now.

The verdict in a report is not taken on trust: gates, data sets or the file may have changed since it was written. Its
figures are counted again from the results where those lie beside it; see docs/releases.md. Called by `casewright
release create`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from casewright.contracts.evaluation import EvalReport, EvaluatedVersions
from casewright.releases.evidence import problems

if TYPE_CHECKING:
    from evals.gates import Measure


def against(report: EvalReport, now: EvaluatedVersions, measure: "Measure") -> tuple[str, ...]:
    """What speaks against it, each once; nothing: it carries a release of the present versions."""
    from evals.gates import judged

    again = report.model_copy(update={"gate": report.gate and judged(report, measure)})
    return tuple(dict.fromkeys((*problems(report, now), *problems(again, now))))


def present_measure() -> "Measure":
    """The gates, the lock of the data sets and the baseline as they are now.

    Raises:
        InputError: one of them cannot be read.
    """
    from evals.baseline import read_baseline
    from evals.gates import Measure, read_gates
    from evals.lock import read_lock

    return Measure(gates=read_gates(), lock=read_lock(), data_problems={}, baseline=read_baseline())


def counted_again(report: EvalReport, file: Path) -> tuple[str, tuple[str, ...]]:
    """Digest of the results beside a report, and where its figures are not theirs; no digest: there are none beside."""
    from evals.folder import EvalFolder
    from evals.recounting import recounted, results_digest

    folder = EvalFolder(file.parent)
    found = results_digest(folder)
    return found, tuple(recounted(report, folder)) if found else ()
