"""A copy of a data folder to try a release in: what happens there stays there, and is deleted in the end.

The database is copied as SQLite copies it, so that the original may be written meanwhile. The index is not copied but
read where it is. Called by `casewright release shadow`, and `detach` by whoever evaluates a copy of a data folder.
"""

import secrets
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from casewright.audit.entry import AuditEntry
from casewright.audit.extension import Extender
from casewright.audit.prepared import prepare
from casewright.audit.writer import append_by_hand
from casewright.clock import SystemClock
from casewright.config import Settings
from casewright.corpus.lock import exclusive
from casewright.errors import StorageError, UnavailableError
from casewright.identity.keys import SigningKey
from casewright.releases.history import SWITCHES, place

_LEFT_OUT = frozenset({"index", "locks", "evals", "releases", "presence"})
_NAME, _IN_USE = ".scratch-", ".in-use"
_LAST = "SELECT COALESCE(MAX(seq), 0) FROM release_moves"
_MOVE = (
    "INSERT INTO release_moves (seq, at_ns, tenant, subject, kind, active, previous, canary, percent, why) "
    "VALUES (?, ?, '', '', 'promoted', ?, '', '', 0, ?)"
)
_WHY = "in a copy"


@contextmanager
def scratch(settings: Settings, release_id: str) -> Generator[Path]:
    """A copy of the data folder in which a release is in force; empty: the installation's own files are.

    Raises:
        StorageError: it cannot be made.
    """
    home = settings.home / "releases" / f"{_NAME}{secrets.token_hex(6)}-{release_id or 'own'}"
    with ExitStack() as held:
        try:
            home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _clear(home.parent)
            home.mkdir(mode=0o700)
            held.callback(shutil.rmtree, home, ignore_errors=True)
            held.enter_context(exclusive(home / _IN_USE, wait_seconds=0))
            _copy(settings, home)
            _put(replace(settings, home=home), release_id)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"no copy to try the release in can be made: {error}; make room on the disk") from error
        yield home


def _clear(folder: Path) -> None:
    """Delete the copies of processes that died: they hold keys and cases."""
    for path in folder.glob(f"{_NAME}*"):
        with suppress(OSError, UnavailableError), exclusive(path / _IN_USE, wait_seconds=0):
            shutil.rmtree(path, ignore_errors=True)


def detach(settings: Settings) -> None:
    """Let the installation's own files be in force in a copied data folder, whatever release was.

    Raises:
        StorageError: it cannot be written.
    """
    database = settings.database
    try:
        if database.exists():
            _put(settings, "")
    except sqlite3.Error as error:
        if "no such table" not in str(error):  # a folder of before there were releases has none in force
            raise StorageError(f"{str(database)!r} cannot be written: {error}; copy the data folder again") from error


def _copy(settings: Settings, home: Path) -> None:
    for path in settings.home.iterdir():
        if path.name in _LEFT_OUT or path.name.startswith((settings.database.name, settings.checkpoints.name)):
            continue
        if path.is_dir():
            shutil.copytree(path, home / path.name)
        elif path.is_file():
            shutil.copy2(path, home / path.name)
    (home / "index").symlink_to(settings.index.resolve(), target_is_directory=True)
    with (
        closing(sqlite3.connect(f"{settings.database.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(home / settings.database.name)) as target,
    ):
        source.backup(target)


def _put(copy: Settings, release_id: str) -> None:
    """Switch in a copy, with the copy's own key: processes there follow nothing that no signed event tells."""
    clock = SystemClock()
    with closing(sqlite3.connect(copy.database, timeout=10)) as connection:
        (last,) = connection.execute(_LAST).fetchone()
    at_ns = clock.now_ns()
    body = {"active": release_id, "previous": "", "canary": "", "percent": 0, "why": _WHY, **place(last + 1, at_ns)}
    entry = prepare(AuditEntry(kind=SWITCHES["promoted"], tenant="", subject="", body=body), None)
    extender = Extender(SigningKey.load(copy.signing_key), clock)
    append_by_hand(copy.database, extender, entry, (_MOVE, (last + 1, at_ns, release_id, _WHY)))
