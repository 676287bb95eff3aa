"""A policy folder that is watched: what is in force stays until something good replaces it.

Both engines follow one: the embedded engine evaluates what it holds, the OPA engine expects its
revision. It is deliberately *not* a watcher with a thread; whoever serves a call asks it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from casewright.access.bundle import Bundle, Signature, read_bundle, signature
from casewright.access.engine import PolicyChange, ReloadCounts
from casewright.access.warmup import WARM_UP_SECONDS, vet
from casewright.errors import PolicyError

_MOST_CHANGES = 100
"""Changes that are kept for whoever records them; a command that records none forgets the oldest."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PolicyPlace:
    """Where policies are, and which they have to be."""

    folder: Path
    revision: str = ""
    """Empty: whatever is in the folder."""


PolicySource = Path | Callable[[], PolicyPlace]
"""A folder, or what says anew which folder it is."""


class _ChangeLog:
    """The changes of one engine that nobody has taken yet. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changes: deque[PolicyChange] = deque(maxlen=_MOST_CHANGES)
        self.counts = ReloadCounts()

    def loaded(self, *, revision: str, previous: str) -> None:
        """Note that new policies are in force, or the same again after a refusal."""
        self.counts = replace(self.counts, loaded=self.counts.loaded + 1)
        self._changes.append(PolicyChange(kind="loaded", revision=revision, previous=previous, detail=""))

    def refused(self, error: PolicyError, *, revision: str) -> None:
        """Note that a folder was refused."""
        self.counts = replace(self.counts, refused=self.counts.refused + 1)
        self._changes.append(PolicyChange(kind="refused", revision=revision, previous=revision, detail=str(error)))

    def take(self) -> tuple[PolicyChange, ...]:
        """All of them, each handed out once even when several threads ask."""
        taken: list[PolicyChange] = []
        while True:
            try:
                taken.append(self._changes.popleft())
            except IndexError:
                return tuple(taken)


class WatchedFolder:
    """The last good bundle of a folder. Safe to use from several threads."""

    def __init__(
        self, folder: PolicySource, *, cache: Path | None = None, limit_seconds: float = WARM_UP_SECONDS
    ) -> None:
        """Read and vet the folder. `cache` remembers which revisions passed, so that starting again is fast.

        Raises:
            PolicyError: the folder cannot be used; nothing is allowed without it.
        """
        self._source = folder
        self._cache = cache
        self._limit_seconds = limit_seconds
        self._reloading = threading.Lock()
        self._last_error: PolicyError | None = None
        self._changes = _ChangeLog()
        place = self._place()
        self._seen: tuple[PolicyPlace, Signature] = place, signature(place.folder)
        self._bundle = self._vetted(place)

    @property
    def bundle(self) -> Bundle:
        """What is in force."""
        return self._bundle

    @property
    def last_error(self) -> PolicyError | None:
        """Why the last reload was refused; None: the folder is what is in force."""
        return self._last_error

    def take_changes(self) -> tuple[PolicyChange, ...]:
        """What reloads did since this was last asked; each is given out once."""
        return self._changes.take()

    @property
    def reloads(self) -> ReloadCounts:
        """How often a change was put in force or refused."""
        return self._changes.counts

    def reload_if_changed(self, in_force: Callable[[Bundle], None]) -> bool:
        """Put a changed folder in force. True: the revision changed, and `in_force` was called with it.

        A bad folder changes nothing but `last_error`, and is not tried again before it changes.
        While one thread vets a change, the others go on with what is in force.
        """
        if not self._reloading.acquire(blocking=False):
            return False
        try:
            return self._reload(in_force)
        except PolicyError as error:
            self._refuse(error)
            return False
        finally:
            self._reloading.release()

    def _reload(self, in_force: Callable[[Bundle], None]) -> bool:
        place = self._place()
        seen = place, signature(place.folder)
        if seen == self._seen:
            return False
        self._seen = seen
        bundle = self._vetted(place)
        previous, mended = self._bundle.revision, self._last_error is not None
        if bundle.revision != previous:
            in_force(bundle)
            self._bundle = bundle
        if bundle.revision != previous or mended:
            self._changes.loaded(revision=bundle.revision, previous=previous)
            _logger.info("policies %s are in force, before %s", bundle.revision, previous)
        self._last_error = None
        return bundle.revision != previous

    def _place(self) -> PolicyPlace:
        return PolicyPlace(folder=self._source) if isinstance(self._source, Path) else self._source()

    def _vetted(self, place: PolicyPlace) -> Bundle:
        bundle = read_bundle(place.folder)
        if place.revision and bundle.revision != place.revision:
            raise PolicyError(
                f"the policies in {str(place.folder)!r} are not those that the release pins; restore them, or roll back"
            )
        vet(bundle, cache=self._cache, limit_seconds=self._limit_seconds)
        return bundle

    def _refuse(self, error: PolicyError) -> None:
        """Keep what is in force; the same refusal again (an unreadable folder is tried on every call) is no news."""
        known = self._last_error
        self._last_error = error
        if known is None or str(known) != str(error):
            self._changes.refused(error, revision=self._bundle.revision)
            _logger.warning("changed policies are refused, %s stay in force: %s", self._bundle.revision, error)
