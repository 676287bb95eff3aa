"""The pointer to the index state that is searched: one small file, swapped atomically.

Ingest writes new table versions beside it; only the swap makes them visible, so that a
crash before it leaves the old state working.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from casewright.errors import StorageError

POINTER_NAME = "active.json"
_FORMAT = 5


@dataclass(frozen=True, kw_only=True)
class ActiveState:
    """Which version of the table answers."""

    table_version: int
    index_version: str
    """The name that answers carry: table version and a short hash of what is in it."""
    embedder: str
    previous: str = ""
    """The state before, for going back; "" for the first."""
    format: int = _FORMAT


def read_state(folder: Path) -> ActiveState | None:
    """The active state; None where nothing was ever ingested.

    Raises:
        StorageError: the pointer is damaged or of another release.
    """
    path = folder / POINTER_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{str(path)!r} cannot be read ({error}); mend its permissions") from error
    try:
        values: dict[str, Any] = json.loads(text)
        state = ActiveState(**values)
        usable = values["format"] == _FORMAT and type(values["table_version"]) is int
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"{str(path)!r} is damaged; move the folder away and run `casewright corpus ingest`"
        ) from error
    if not usable:
        raise StorageError(
            f"{str(path)!r} is of another release; move the folder away and run `casewright corpus ingest`"
        )
    return state


def write_state(folder: Path, state: ActiveState) -> None:
    """Make the state the active one, all or nothing.

    Raises:
        OSError: the folder cannot be written; the old state stays active.
    """
    temporary = folder / f".{POINTER_NAME}.{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / POINTER_NAME)
    finally:
        temporary.unlink(missing_ok=True)
