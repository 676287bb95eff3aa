"""Where a run stands when a call is decided: calls made, whether it is tainted, and the live controls.

The guard reads it with every call, so it has to be quick: on SQLite it is two look-ups on a
read-only connection of its own, without leaving the thread. It is *not* where the meters are
written (that happens with the audit event) nor where controls are changed.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError
from sqlalchemy import select

from casewright.contracts.controls import Controls
from casewright.errors import StorageError
from casewright.storage.database import Database, connect_to_file, storage_error
from casewright.storage.tables import policy_data, run_meters

_METER = "SELECT calls, untrusted FROM run_meters WHERE tenant = ? AND run_id = ?"
_CONTROLS = "SELECT seq, document FROM policy_data WHERE tenant = ? ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, kw_only=True)
class RunStanding:
    """What budgets, kill switches and trust rules are held against."""

    calls: int
    """Allowed and denied calls of the run so far; a denial costs budget too, so probing ends."""
    untrusted: bool
    """Whether the run has read text that nobody vouches for; it never becomes False again."""
    controls: Controls
    """The newest of the run's tenant."""


class Standing(Protocol):
    """Reads; awaiting it costs no more than the read itself."""

    async def read(self, tenant: str, run_id: str) -> RunStanding:
        """The standing of a run; one that has made no call yet stands at zero.

        Raises:
            StorageError: the database cannot be read, or the tenant's newest controls are malformed.
            UnavailableError: the database is locked.
        """
        ...


def standing_of(database: Database) -> Standing:
    """The quickest way to read standings from this database."""
    return DatabaseStanding(database) if database.file is None else FileStanding(database, database.file)


class FileStanding:
    """Reads an SQLite file in the calling thread, a few ten microseconds a time."""

    def __init__(self, database: Database, file: Path) -> None:
        self._name = database.name
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._controls = _ControlsReader()
        database.at_close(self._close)

    async def read(self, tenant: str, run_id: str) -> RunStanding:
        """See `Standing.read`."""
        try:
            with self._lock:
                connection = self._connection = self._connection or connect_to_file(self._file, read_only=True)
                meter = connection.execute(_METER, (tenant, run_id)).fetchone()
                newest = connection.execute(_CONTROLS, (tenant,)).fetchone()
        except sqlite3.Error as error:
            raise storage_error(self._name, error) from error
        return _standing(meter, self._controls.of(tenant, newest))

    def _close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()


class DatabaseStanding:
    """Reads any other kind of database, over the pool."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._controls = _ControlsReader()

    async def read(self, tenant: str, run_id: str) -> RunStanding:
        """See `Standing.read`."""
        meters = select(run_meters.c.calls, run_meters.c.untrusted).where(
            run_meters.c.tenant == tenant, run_meters.c.run_id == run_id
        )
        newest = (
            select(policy_data.c.seq, policy_data.c.document)
            .where(policy_data.c.tenant == tenant)
            .order_by(policy_data.c.seq.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            meter = (await connection.execute(meters)).first()
            controls = self._controls.of(tenant, (await connection.execute(newest)).first())
        return _standing(meter, controls)


class _ControlsReader:
    """Parses controls; the same text of a tenant is parsed once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Controls]] = {}

    def of(self, tenant: str, row: Sequence[Any] | None) -> Controls:
        if row is None:
            return Controls()
        seq, text = row
        known = self._known.get(tenant)
        if known is None or text != known[0]:
            known = self._known[tenant] = (text, _parsed(seq, text))
        return known[1]


def _parsed(seq: int, text: Any) -> Controls:
    try:
        return Controls.model_validate_json(text, strict=True)
    except (ValidationError, TypeError) as error:
        raise StorageError(
            f"the live controls of change {seq} cannot be read, so nothing is allowed; "
            "restore the database from a backup"
        ) from error


def _standing(meter: Sequence[Any] | None, controls: Controls) -> RunStanding:
    calls, untrusted = (0, False) if meter is None else meter
    return RunStanding(calls=calls, untrusted=bool(untrusted), controls=controls)
