"""Give back the room of old index states: drop them, compact, and delete what no kept state needs.

The active state and the one before it always stay, and so does what a release names or an open run is pinned to.
Called by `corpus.Corpus` alone; ingest itself keeps the newest ten (`table.KEPT_STATES`) by the way.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from casewright.contracts.base import Contract
from casewright.corpus.lock import exclusive
from casewright.corpus.protected import protected_states
from casewright.corpus.revision import LOCK_NAME, LOCK_WAIT_SECONDS
from casewright.corpus.state import ActiveState
from casewright.corpus.states import active_state
from casewright.corpus.table import ClauseTable, storage_errors
from casewright.errors import InputError

MARGIN = timedelta(seconds=60)
"""What became old only so long ago stays: a search that began on it may still be reading."""


class KeptState(Contract):
    """A state that stays."""

    index_version: str
    because: Literal["active", "previous", "released", "pinned", "newest"]
    """`released`: a release names it; `pinned`: an open run retrieved from it or names it."""


class PruneReport(Contract):
    """What went, what stays and why."""

    dropped: tuple[str, ...]
    kept: tuple[KeptState, ...]
    """The newest first."""
    bytes_before: int
    bytes_after: int
    """Of the index folder; the difference is what was reclaimed."""


def prune(folder: Path, *, keep: int, pinned: Collection[str], margin: timedelta = MARGIN) -> PruneReport:
    """Drop all states but the newest `keep`, the active one, the one before and those that are pinned.

    Raises:
        InputError: `keep` is below 1.
        UnavailableError: another process is ingesting for too long.
        StorageError: there is no index, or it cannot be written.
    """
    if keep < 1:
        raise InputError(f"--keep {keep!r} would keep no state at all; give 1 or more")
    with storage_errors(folder), exclusive(folder / LOCK_NAME, wait_seconds=LOCK_WAIT_SECONDS):
        state = active_state(folder)
        table = ClauseTable.latest(folder)
        tags = table.tags()
        newest = sorted(tags, key=lambda name: -tags[name])
        released = protected_states(folder)
        kept = [
            each for place, name in enumerate(newest) if (each := _kept(name, state, (released, pinned), place < keep))
        ]
        staying = {each.index_version for each in kept}
        dropped = tuple(name for name in newest if name not in staying)
        before = _bytes(folder)
        table.drop(dropped, also_kept=state.table_version, margin=margin)
        return PruneReport(dropped=dropped, kept=tuple(kept), bytes_before=before, bytes_after=_bytes(folder))


def _kept(
    name: str, state: ActiveState, needed: tuple[Collection[str], Collection[str]], is_new: bool
) -> KeptState | None:
    released, pinned = needed
    reasons: Sequence[tuple[Literal["active", "previous", "released", "pinned", "newest"], bool]] = (
        ("active", name == state.index_version),
        ("previous", name == state.previous),
        ("released", name in released),
        ("pinned", name in pinned),
        ("newest", is_new),
    )
    return next((KeptState(index_version=name, because=reason) for reason, holds in reasons if holds), None)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
