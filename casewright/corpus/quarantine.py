"""The list of files that could not be read, kept beside the index until they are mended or gone.

It tells people what to mend; nothing is decided by it. Written by ingest under its lock.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from casewright.contracts.base import Contract
from casewright.errors import StorageError

LIST_NAME = "quarantine.json"


class Quarantined(Contract):
    """A file that was left out."""

    path: str
    reason: str
    """What is wrong and how to mend it."""


_Lists = TypeAdapter(dict[str, tuple[Quarantined, ...]])


def quarantine_of(folder: Path, tenant: str) -> tuple[Quarantined, ...]:
    """The tenant's list, by path.

    Raises:
        StorageError: the list is damaged.
    """
    return _read(folder).get(tenant, ())


def keep_quarantine(folder: Path, tenant: str, *, read: Iterable[Path], quarantined: Sequence[Quarantined]) -> None:
    """Take the files that were read off the list, put those on it that could not be.

    Raises:
        OSError: the folder cannot be written.
    """
    lists = _read(folder)
    seen = {str(path.absolute()) for path in read}
    kept = {item.path: item for item in lists.get(tenant, ()) if item.path not in seen and Path(item.path).exists()}
    for item in quarantined:
        path = str(Path(item.path).absolute())
        kept[path] = Quarantined(path=path, reason=item.reason)
    if tuple(kept.values()) == lists.get(tenant, ()):
        return
    lists[tenant] = tuple(kept[path] for path in sorted(kept))
    temporary = folder / f".{LIST_NAME}.{os.getpid()}"
    try:
        temporary.write_bytes(_Lists.dump_json(lists))
        temporary.replace(folder / LIST_NAME)
    finally:
        temporary.unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, tuple[Quarantined, ...]]:
    path = folder / LIST_NAME
    try:
        return _Lists.validate_python(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, ValidationError) as error:
        raise StorageError(f"{str(path)!r} is damaged; delete it, the next ingest writes it anew") from error
