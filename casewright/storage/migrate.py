"""Bring a database file to the schema of this version (Alembic, configured in code).

It is deliberately *not* run on import or on connect: `casewright init` and the tests call it.
Alembic is loaded only here and only when a migration is asked for.
"""

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from casewright.errors import StorageError

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"
_WAIT_MS = 30_000
"""How long one process waits for another that is migrating the same file."""


def upgrade(path: Path) -> None:
    """Make or upgrade the SQLite file at `path`; safe to call from several processes at once.

    Raises:
        StorageError: the file cannot be made or read, or a newer Casewright made it.
    """
    from alembic import command
    from alembic.util import CommandError

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _exclusive(path) as connection:
            command.upgrade(_config(connection), "head")
    except CommandError as error:
        raise StorageError(
            f"the database {str(path)!r} was not made by this version ({error}); use the Casewright that made it"
        ) from error
    except (OSError, DatabaseError) as error:
        cause = error.orig if isinstance(error, DatabaseError) else error
        raise StorageError(
            f"the database {str(path)!r} cannot be set up: {cause}; check the folder or name another --home"
        ) from error


def current(path: Path) -> str | None:
    """The revision of the file at `path`; None when it is absent or was never migrated.

    Raises:
        StorageError: the file is not a database.
    """
    from alembic.runtime.migration import MigrationContext

    if not path.exists():
        return None
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        raise StorageError(
            f"the database {str(path)!r} cannot be read: {error.orig}; restore it from a backup"
        ) from error
    finally:
        engine.dispose()


def newest() -> str | None:
    """The revision that this version brings a file to."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head()


@contextmanager
def _exclusive(path: Path) -> Generator[Connection]:
    """One write transaction around the whole migration: others wait, a failure leaves nothing."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the begin event below decides, not the driver
    connection.execute(f"PRAGMA busy_timeout={_WAIT_MS}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config(stdout=io.StringIO(), output_buffer=io.StringIO())
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
