"""Index states that stay whatever is ingested or pruned: a release names them.

A small file in the index folder, since ingest knows no database. Whoever makes a release writes it before, and whoever
retires one after; a crash in between leaves a state too many, never one too few.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from casewright.errors import StorageError

FILE_NAME = "protected.json"


def protected_states(folder: Path) -> frozenset[str]:
    """The names of those states.

    Raises:
        StorageError: the file is damaged; nothing may be dropped then.
    """
    path = folder / FILE_NAME
    try:
        names: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError) as error:
        raise StorageError(f"{str(path)!r} cannot be read ({error}); restore it from a backup") from error
    if not isinstance(names, list):
        raise StorageError(f"{str(path)!r} is no list of index states; restore it from a backup")
    return frozenset(str(name) for name in names)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def protect(folder: Path, names: Iterable[str]) -> None:
    """Let exactly these states stay, all or nothing.

    Raises:
        OSError: the folder cannot be written.
    """
    temporary = folder / f".{FILE_NAME}.{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(sorted({name for name in names if name}), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE_NAME)
    finally:
        temporary.unlink(missing_ok=True)
