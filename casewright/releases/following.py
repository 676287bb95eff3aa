"""What is in force in this process: the files and the index state of the active release, or the installation's own.

Every process reads the newest switch from the database, so all follow at once and without a restart. A release is
followed as a whole or not at all: the signed events of the switch and of its making, its signature, its files and its
software are checked first, and what was good stays when they do not fit. A process that has nothing good yet fails
closed. Synchronous, quick, and safe to call from several threads; it reads with a connection of its own and writes
nothing but the copies of the files.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright import __version__
from casewright.audit.signing import Verifier
from casewright.config import Settings, app_root
from casewright.contracts.release import ReleaseManifest, ReleaseMove
from casewright.errors import CasewrightError, StorageError
from casewright.releases.history import Standing
from casewright.releases.manifest import read_manifest, read_move
from casewright.releases.pieces import POLICIES, PROMPTS, Pieces, placed, policy_revision, prompts_digest
from casewright.releases.proof import check_standing, check_switch
from casewright.releases.selection import is_chosen

_NEWEST = (
    "SELECT seq, at_ns, subject, kind, active, previous, canary, percent, why FROM release_moves "
    "ORDER BY seq DESC LIMIT 1"
)
_RELEASE = (
    "SELECT manifest, signature, pieces, tenant, subject, state, confirmed_by, override_why FROM releases "
    "WHERE release_id = ?"
)
_PINS = "SELECT json_extract(pins, '$.release') FROM runs WHERE run_id = ?"
_READ_SECONDS = 1.0
_log = logging.getLogger("casewright.releases")


@dataclass(frozen=True, kw_only=True)
class InForce:
    """Where what is in force is found."""

    release_id: str
    """Empty: no release; the files are the installation's own, and the index's own pointer counts."""
    policies: Path
    policy_revision: str
    """What the policies have to be; empty: whatever the folder holds."""
    prompts: Path
    models: str | None
    """Text of the models file of a release; None: it has none."""
    index_version: str


class FollowedRelease:
    """The release in force, as the newest switch says."""

    def __init__(self, settings: Settings, key: Callable[[], Verifier]) -> None:
        """`key` gives what releases are signed with; it is loaded when one is followed."""
        self._settings = settings
        self._key = key
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._known: dict[str, InForce] = {"": own_files(settings)}
        self._current: InForce | None = None
        self._newest = 0
        self._proved: ReleaseMove | None = None
        self._refused = ""

    @property
    def last_error(self) -> str:
        """Why the active release is not followed; empty: it is, or there is none."""
        return self._refused

    def current(self) -> InForce:
        """What is in force now; what was good before stays while the newest release cannot be followed.

        Raises:
            StorageError: the active release cannot be followed, and nothing was in force before.
        """
        with self._lock:
            try:
                active = self._active()
                if self._current is None or self._current.release_id != active:
                    self._current = self.at(active)
                    _log.info("release %s is in force", active or "none")
                self._refused = ""
            except CasewrightError as error:
                self._refuse(error)
            if self._current is None:
                raise StorageError(
                    f"{self._refused}. Nothing is allowed until it is; `casewright release list` shows what there is, "
                    "`casewright release rollback` goes back"
                )
            return self._current

    def at(self, release_id: str) -> InForce:
        """The checked files of a release, whether or not it is active.

        Raises:
            StorageError: it is not there, was changed, or is not made for this software.
            PolicyError: its policies cannot be read.
        """
        with self._lock:
            known = self._known.get(release_id)
            if known is None or not known.policies.is_dir():
                known = self._known[release_id] = self._unpacked(release_id)
            return known

    def move(self) -> ReleaseMove:
        """The newest switch, as its signed event tells it; of an installation without a release, that none is active.

        It is held against the events once, and again when the row is another.

        Raises:
            StorageError: the database cannot be read, or the row is not what the events tell.
        """
        with self._lock:
            found = _move(self._read(_NEWEST))
            if found != self._proved:
                found = self._snapshot(self._proved_move)
                if found is None:  # nothing to hold it against, so it is not kept as proved
                    return ReleaseMove()
                self._proved = found
            return found

    def begun_with(self, tenant: str, case_id: str) -> InForce:
        """What a run of a case is begun with: the canary for its share of the cases, else what is active.

        The policies of a canary are not asked: what a person may do must not depend on a hash.
        """
        move = self.move()
        if move.canary and is_chosen(tenant, case_id, move.percent):
            return self._or_current(move.canary)
        return self.current()

    def of_run(self, run_id: str) -> InForce:
        """What a run goes on with: its canary as long as that is tried out, else what is active."""
        canary = self.move().canary
        if canary and run_id and (self._read(_PINS, run_id) or ("",))[0] == canary:
            return self._or_current(canary)
        return self.current()

    def begin_with_own(self) -> None:
        """Let the installation's own files decide as long as the active release cannot be followed.

        For the commands that mend that; nothing else may call it. A release that can be followed is.
        """
        with self._lock:
            self._current = self._current or self._known[""]

    def close(self) -> None:
        """Let go of the database; what is used afterwards opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _active(self) -> str:
        """The active release; switches are only ever added, so fewer of them than before say nothing."""
        move = self.move()
        if move.seq < self._newest:
            raise StorageError(
                f"the database knows {move.seq} switches of releases, {self._newest} were there; restart after "
                "restoring a backup"
            )
        self._newest = move.seq
        return move.active

    def _proved_move(self, connection: sqlite3.Connection) -> ReleaseMove:
        found = _move(self._read(_NEWEST))  # anew, in one snapshot with its event: a switch may have come since
        check_switch(connection, self._key, found)
        return found

    def _or_current(self, canary: str) -> InForce:
        try:
            return self.at(canary)
        except CasewrightError as error:
            _log.warning("the canary %s cannot be followed, the active release takes its cases: %s", canary, error)
            return self.current()

    def _unpacked(self, release_id: str) -> InForce:
        row = self._snapshot(lambda connection: self._proved_row(connection, release_id))
        if row is None:
            raise _not_there(release_id)
        manifest = read_manifest(release_id, row[0], row[1], self._key())
        check_software(release_id, manifest)
        pieces = Pieces.unpacked(row[2], expected=manifest.pieces)
        folder = placed(pieces, folder_of(self._settings, release_id))
        found = InForce(
            release_id=release_id,
            policies=folder / POLICIES,
            policy_revision=manifest.versions.policy,
            prompts=folder / PROMPTS,
            models=pieces.models,
            index_version=manifest.versions.index_version,
        )
        check_files(found, manifest)
        return found

    def _proved_row(self, connection: sqlite3.Connection, release_id: str) -> tuple[Any, ...]:
        """Manifest, signature and pieces of a release that may be followed, as the signed events of its making tell."""
        row = connection.execute(_RELEASE, (release_id,)).fetchone()
        if row is None:
            raise _not_there(release_id)
        names = ("tenant", "subject", "state", "confirmed_by", "why")
        stored = Standing(**dict(zip(names, row[3:], strict=True)))
        if stored.state != "ready":
            raise _not_there(release_id)
        manifest = read_manifest(release_id, row[0], row[1], self._key())
        check_confirmed(release_id, manifest, recorded_by=stored.subject, confirmed_by=stored.confirmed_by)
        check_standing(connection, self._key, release_id, stored)
        return row[:3]

    def _read(self, query: str, *values: str) -> tuple[Any, ...] | None:
        return self._asked(lambda connection: connection.execute(query, values).fetchone())

    def _snapshot(self, reading: Callable[[sqlite3.Connection], Any]) -> Any:
        """What is read of one state of the database, whoever writes meanwhile; None: as `_asked` says."""

        def within(connection: sqlite3.Connection) -> Any:
            connection.execute("BEGIN")
            try:
                return reading(connection)
            finally:
                connection.execute("ROLLBACK")

        return self._asked(within)

    def _asked(self, reading: Callable[[sqlite3.Connection], Any]) -> Any:
        """What is read; None: there is no database, or it is of before there were releases."""
        with self._lock:
            try:
                if self._connection is None:
                    if not self._settings.database.exists():
                        return None
                    self._connection = _connected(self._settings.database)
                return reading(self._connection)
            except sqlite3.Error as error:
                if "no such table" in str(error):  # a folder of before there were releases has none
                    return None
                self.close()
                raise StorageError(
                    f"the database {str(self._settings.database)!r} does not say which release is in force: {error}; "
                    "restore it from a backup"
                ) from error

    def _refuse(self, error: CasewrightError) -> None:
        if str(error) != self._refused:
            kept = "nothing" if self._current is None else self._current.release_id or "no release"
            _log.warning("the active release is not followed, %s stays in force: %s", kept, error)
        self._refused = str(error)


def _move(row: tuple[Any, ...] | None) -> ReleaseMove:
    names = ("seq", "at_ns", "subject", "kind", "active", "previous", "canary", "percent", "why")
    return ReleaseMove() if row is None else read_move(dict(zip(names, row, strict=True)))


def _not_there(release_id: str) -> StorageError:
    return StorageError(f"the release {release_id!r} is not there to be followed; restore the database")


def own_files(settings: Settings) -> InForce:
    """The installation's own, which are in force where no release is, and which a new release is made of."""
    return InForce(
        release_id="",
        policies=settings.policies,
        policy_revision="",
        prompts=app_root() / "agents" / "prompts",
        models=None,
        index_version="",
    )


def folder_of(settings: Settings, release_id: str) -> Path:
    """Where the files of a release are unpacked."""
    return settings.home / "releases" / release_id


def check_software(release_id: str, manifest: ReleaseManifest) -> None:
    """Return if this is the software that a release is made for.

    Raises:
        StorageError: it is not; the way out is said.
    """
    wanted = manifest.versions.software
    if wanted != __version__:
        raise StorageError(
            f"the release {release_id!r} is made for software {wanted!r}, and this is {__version__!r}: install that, "
            "or make and promote a release with this one"
        )


def check_confirmed(release_id: str, manifest: ReleaseManifest, *, recorded_by: str, confirmed_by: str) -> None:
    """Return if a release without a green gate was confirmed by somebody else than who recorded it.

    Raises:
        StorageError: it was not.
    """
    if manifest.gate == "overridden" and confirmed_by in ("", recorded_by):
        raise StorageError(f"the override {release_id!r} was confirmed by no second person; restore the database")


def check_files(found: InForce, manifest: ReleaseManifest) -> None:
    """Return if the files have the revisions that the manifest pins.

    Raises:
        StorageError: they have others.
        PolicyError: the policies cannot be read.
    """
    try:
        seen = {"policy": policy_revision(found.policies), "prompts": prompts_digest(found.prompts)}
    except OSError as error:
        raise StorageError(f"the files of {found.release_id!r} cannot be read: {error}; repeat") from error
    for name, value in seen.items():
        if value != getattr(manifest.versions, name):
            raise StorageError(f"the {name} of {found.release_id!r} are not those it pins; restore the database")


def _connected(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_READ_SECONDS)
