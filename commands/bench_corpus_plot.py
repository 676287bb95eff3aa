"""The picture of `casewright bench corpus`: how time, memory and disk grow with the number of clauses.

The only module that knows matplotlib, which is an extra and imported when a picture is asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from casewright.errors import InputError

_INCHES = (11, 8)
_DOTS = 110
_COLORS = ("#1b5e8c", "#c0562f", "#5b7f3a", "#7a5195")
Sizes = Sequence[Mapping[str, Any]]


def check(path: Path) -> None:
    """Whether a picture can be drawn there, before anything is measured.

    Raises:
        InputError: matplotlib is not installed, or the path is not that of a PNG in an existing folder.
    """
    if find_spec("matplotlib") is None:
        raise InputError(
            "matplotlib is not installed, so nothing can be drawn; install `casewright[plots]`, or leave --plot out"
        )
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise InputError(f"--plot {str(path)!r} is not a .png in a folder that exists; name one")


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Write the picture of the figures.

    Raises:
        InputError: it cannot be written.
    """
    figure = import_module("matplotlib.figure").Figure(figsize=_INCHES, dpi=_DOTS, layout="constrained")
    panels = figure.subplots(2, 2)
    sizes = sorted(document["sizes"], key=lambda size: size["clauses"])
    for axes, panel in zip(panels.flat, (_latency, _plain, _memory, _ingest), strict=True):
        panel(axes, sizes, document["goals"])
    machine = document["machine"]
    figure.suptitle(
        f"Cost by clauses in the index, with tenant, label and as-of prefilters "
        f"({machine['cores']} cores, load before {machine['load_before']})"
    )
    try:
        figure.savefig(path)
    except OSError as error:
        raise InputError(f"the picture {str(path)!r} cannot be written ({error}); name another place") from error


def _latency(axes: Any, sizes: Sizes, goals: Mapping[str, Any]) -> None:
    for place, point in enumerate(("p50_ms", "p95_ms", "p99_ms")):
        _line(axes, sizes, lambda size, point=point: size["search"]["ours"][point], label=point[:3], place=place)
    _line(axes, sizes, lambda size: size["search"]["ours"]["cpu_ms"], label="processor time, mean", place=3)
    reached = goals["search_p95_ms"]
    axes.plot([int(size) for size in reached], list(reached.values()), "k_", markersize=16, label="goal for p95")
    _finish(axes, "search in process", "ms")


def _plain(axes: Any, sizes: Sizes, _: Mapping[str, Any]) -> None:
    names = {"ours": "ours", "full_text": "LanceDB full text", "hybrid": "LanceDB hybrid, no vector index"}
    for place, (kind, label) in enumerate(names.items()):
        _line(axes, sizes, lambda size, kind=kind: size["search"][kind]["p95_ms"], label=label, place=place)
    _line(axes, sizes, lambda size: size["server"]["p95_ms"], label="our server over stdio", place=3)
    axes.set_yscale("log")
    _finish(axes, "p95 beside plain LanceDB, same filter", "ms")


def _memory(axes: Any, sizes: Sizes, _: Mapping[str, Any]) -> None:
    _line(axes, sizes, lambda size: size["server"]["resident_mb"], label="search server, resident", place=0)
    _line(axes, sizes, lambda size: size["server"]["private_mb"], label="of it not shared", place=1)
    _line(axes, sizes, lambda size: size["ingest"]["peak_mb"], label="ingest, at its peak", place=2)
    _line(axes, sizes, lambda size: size["index"]["bytes"] / 1e6, label="index on disk", place=3)
    axes.set_yscale("log")
    _finish(axes, "memory and disk", "MB")


def _ingest(axes: Any, sizes: Sizes, goals: Mapping[str, Any]) -> None:
    _line(axes, sizes, lambda size: size["ingest"]["clauses_per_second"], label="from Markdown", place=0)
    _line(axes, sizes, _per_processor_second, label="for a second of processor time", place=1)
    axes.axhline(goals["clauses_per_second"], color="black", linestyle=":", label="goal")
    axes.set_ylim(bottom=0)
    _finish(axes, "ingest", "clauses a second")


def _per_processor_second(size: Mapping[str, Any]) -> float | None:
    seconds = size["ingest"]["processor_seconds"]
    return None if seconds is None else size["clauses"] / seconds


def _line(
    axes: Any, sizes: Sizes, value: Callable[[Mapping[str, Any]], float | None], *, label: str, place: int
) -> None:
    """One line through the sizes for which there is a value."""
    points = [(size["clauses"], value(size)) for size in sizes]
    known = [(clauses, figure) for clauses, figure in points if figure is not None]
    axes.plot(
        [clauses for clauses, _ in known], [figure for _, figure in known], "o-", color=_COLORS[place], label=label
    )


def _finish(axes: Any, title: str, unit: str) -> None:
    axes.set_xscale("log")
    axes.set_title(title)
    axes.set_xlabel("clauses")
    axes.set_ylabel(unit)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
