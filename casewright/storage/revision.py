"""Whether a database file has the schema of this version, asked before the first use of it in a process.

It migrates nothing (`casewright.storage.migrate` does, for `casewright init`) and loads no Alembic: servers ask it when
they start. A file that cannot be read is left to whoever reads it next, whose message says more.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from casewright.errors import StorageError

REVISION = "0009"
"""What the migrations of this version end with; a test holds it to them."""


def check_revision(path: Path) -> None:
    """Refuse a database that another version of Casewright made.

    Raises:
        StorageError: it is older, which `casewright init` mends, or newer.
    """
    found = _revision(path)
    if found and found < REVISION:
        raise StorageError(
            f"the data folder with {str(path)!r} was made by an older version ({found}; this one needs {REVISION}); "
            "run `casewright init` to bring it up to date"
        )
    if found > REVISION:
        raise StorageError(
            f"the data folder with {str(path)!r} was made by a newer version ({found}; this one knows {REVISION}); "
            "use the Casewright that made it"
        )


def _revision(path: Path) -> str:
    """The revision that the file is at; empty: it names none, or cannot be read."""
    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""
