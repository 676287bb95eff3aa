"""The picture of `casewright models costs`: a bar for each group, hatched where it is only the most it can have been.

It knows matplotlib, which is an extra and imported when a picture is asked for.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from casewright.errors import InputError

_KINDS = (".png", ".svg")
_MOST_BARS = 40
_COLOR = "#1b5e8c"
_MICRO = 1_000_000


def check(path: Path) -> None:
    """Whether a picture can be drawn there, before anything is read.

    Raises:
        InputError: matplotlib is not installed, or the path is not that of a PNG or SVG in an existing folder.
    """
    if find_spec("matplotlib") is None:
        raise InputError(
            "matplotlib is not installed, so nothing can be drawn; install `casewright[plots]`, or leave --plot out"
        )
    if path.suffix.lower() not in _KINDS or not path.parent.is_dir():
        raise InputError(f"--plot {str(path)!r} is not a .png or .svg in a folder that exists; name one")


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Write the picture of the sums; of more than forty groups, the first forty.

    Raises:
        InputError: it cannot be written.
    """
    groups = document["groups"][:_MOST_BARS]
    size = (9, 1.5 + 0.35 * max(len(groups), 3))
    figure = import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    names = [group["name"] for group in groups]
    amounts = [group["cost_micro"] / _MICRO for group in groups]
    bars = axes.barh(range(len(groups)), amounts, color=_COLOR)
    for bar, group in zip(bars, groups, strict=True):
        if not group["priced"]:
            bar.set(hatch="//", edgecolor="white")
    axes.set_yticks(range(len(groups)), names)
    axes.invert_yaxis()
    axes.set_xlabel(f"{document['currency']}; hatched: the most it can have been")
    shown = "" if len(groups) == len(document["groups"]) else f", the first {len(groups)} of {len(document['groups'])}"
    since = f" since {document['since']}" if document["since"] else ""
    axes.set_title(f"Model calls of {document['tenant']} by {document['by']}{since}{shown}")
    axes.grid(visible=True, axis="x", alpha=0.3)
    try:
        figure.savefig(path)
    except OSError as error:
        raise InputError(f"the picture {str(path)!r} cannot be written ({error}); name another place") from error
