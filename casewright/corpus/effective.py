"""Effective chains: which version of a document is in force on a day.

In force on a day is the published version with the greatest `effective_from` not after it,
unless that version has ended by its own `effective_to`. Drafts and withdrawn versions take
no part. Pure; called at ingest, where every version's last day is stored.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from casewright.contracts.clause import DocumentStatus
from casewright.corpus.filters import OPEN_END, day_from_number, day_number


@dataclass(frozen=True, kw_only=True)
class VersionRange:
    """One version of one document, with the dates it states itself."""

    version: str
    status: DocumentStatus
    effective_from: int
    """As yyyymmdd."""
    own_effective_to: int
    """As yyyymmdd; `OPEN_END` when it states none."""
    correction: int = 0
    published: int = 0
    """As yyyymmdd; 0 when it states none."""

    @property
    def order(self) -> tuple[int, int, int]:
        """What decides which of two versions counts: first day, then correction, then day of publication."""
        return (self.effective_from, self.correction, self.published)


def chain_ends(versions: Iterable[VersionRange]) -> Mapping[str, int]:
    """The last day (yyyymmdd) on which each version of one document is in force."""
    everything = tuple(versions)
    ends = {item.version: item.own_effective_to for item in everything}
    published = sorted(
        (item for item in everything if item.status == "published"),
        key=lambda item: (*item.order, item.version),
    )
    for earlier, later in pairwise(published):
        ends[earlier.version] = min(earlier.own_effective_to, _day_before(later.effective_from))
    return ends


def _day_before(number: int) -> int:
    day = day_from_number(number)
    if day is None or day == dt.date.min:
        return number if day is None else 0
    return min(day_number(day - dt.timedelta(days=1)), OPEN_END)
