"""Statements for people: what is said alike is said once, and its events stand in short behind it."""

import itertools
from collections.abc import Iterable, Sequence

from casewright.contracts.explanation import Statement


def together(statements: Iterable[Statement]) -> dict[str, tuple[str, ...]]:
    """Each text once, in order, with all the events that it stands on."""
    found: dict[str, tuple[str, ...]] = {}
    for statement in statements:
        found[statement.text] = tuple(dict.fromkeys((*found.get(statement.text, ()), *statement.events)))
    return found


def ranges(links: Sequence[str]) -> str:
    """Event links in short: `audit:5-9,12, run:3`."""
    shown: list[str] = []
    for kind, found in itertools.groupby(links, key=lambda link: link.partition(":")[0]):
        numbers = sorted(int(link.partition(":")[2]) for link in found)
        spans: list[list[int]] = []
        for number in numbers:
            if spans and number == spans[-1][1] + 1:
                spans[-1][1] = number
            else:
                spans.append([number, number])
        shown.append(f"{kind}:" + ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans))
    return ", ".join(shown)
