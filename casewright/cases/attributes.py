"""The attributes of one case, read as quickly as its database allows: every call on a case needs them.

On an SQLite file it is two look-ups on a read-only connection in the calling thread. They need no
common snapshot: a revision and its people are written in one transaction and never change.
`CaseStore.attributes` calls it where there is a file, and reads over the pool elsewhere.
"""

import sqlite3
import threading
from pathlib import Path
from typing import Any

from casewright.cases.records import CaseAttributes
from casewright.contracts.case import Classification
from casewright.storage.database import Database, connect_to_file, storage_error

_HEAD = (
    "SELECT revision, team, classification, state, sealed FROM cases "
    "WHERE tenant = ? AND case_id = ? ORDER BY revision DESC LIMIT 1"
)
_PEOPLE = (
    "SELECT relation, identity FROM case_people WHERE tenant = ? AND case_id = ? AND revision = ? ORDER BY position"
)


class FileAttributes:
    """Reads an SQLite file without leaving the thread."""

    def __init__(self, database: Database, file: Path) -> None:
        self._name = database.name
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        database.at_close(self._close)

    def read(self, tenant: str, case_id: str) -> CaseAttributes | None:
        """The attributes of the current revision; None where the tenant has no such case.

        Raises:
            StorageError: the database cannot be read.
            UnavailableError: the database is locked.
        """
        try:
            with self._lock:
                connection = self._connection = self._connection or connect_to_file(self._file, read_only=True)
                head = connection.execute(_HEAD, (tenant, case_id)).fetchone()
                people = connection.execute(_PEOPLE, (tenant, case_id, head[0])).fetchall() if head else []
        except sqlite3.Error as error:
            raise storage_error(self._name, error) from error
        return _attributes(tenant, case_id, head, people) if head else None

    def _close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()


def _attributes(tenant: str, case_id: str, head: Any, people: list[tuple[str, str]]) -> CaseAttributes:
    revision, team, classification, state, sealed = head
    return CaseAttributes(
        tenant=tenant,
        case_id=case_id,
        revision=revision,
        team=team,
        classification=Classification(classification),
        assigned_to=tuple(identity for relation, identity in people if relation == "assigned_to"),
        conflicts=tuple(identity for relation, identity in people if relation == "conflicts"),
        state=state,
        sealed=bool(sealed),
    )
