"""The pinned definitions of the servers: what each shows of its entries, as hashes that a review has seen.

Whoever knows a server's entries gives them as they go over the wire; here they are hashed and compared with the lock.
It is deliberately *not* a list of what exists, nor a permission: `servers.definitions` writes the lock, a check fails
where it differs, and the orchestrator uses no server that shows something else.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from casewright.canonical import digest
from casewright.contracts.base import Contract
from casewright.errors import StorageError

LOCK = Path("servers") / "definitions.lock.json"
"""Under the folder that holds `servers`."""
Kind = Literal["instructions", "tool", "resource", "template", "prompt"]
UNPINNED = frozenset({"icons"})
"""Parts that no model is shown and no call depends on."""
Hash = Field(pattern=r"^[0-9a-f]{64}$")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One entry as its server shows it."""

    kind: Kind
    name: str
    """A tool's or prompt's name, a URI or a template; the server's own name for its instructions."""
    parts: Mapping[str, Any]
    """Titles, descriptions, schemas, annotations…, by the names they have on the wire."""

    @property
    def entry(self) -> str:
        return f"{self.kind} {self.name}"


class LockedEntry(Contract):
    entry: str
    hash: str = Hash
    parts: dict[str, str]
    """Hash of each part, so that a difference can be named."""


class LockedServer(Contract):
    name: str
    hash: str = Hash
    """Of all entries in their order."""
    entries: tuple[LockedEntry, ...]


class DefinitionsLock(Contract):
    schema_version: Literal["definitions/v1"] = "definitions/v1"
    servers: tuple[LockedServer, ...]

    def server(self, name: str) -> LockedServer:
        """What is pinned of a server; of one that nobody pinned, that it shows nothing."""
        return next((server for server in self.servers if server.name == name), locked(name, ()))


def locked(name: str, shown: Iterable[Shown]) -> LockedServer:
    """What a server shows, as it is pinned."""
    entries = tuple(_locked_entry(each) for each in shown)
    return LockedServer(name=name, hash=digest([[each.entry, each.hash] for each in entries]), entries=entries)


def differences(pinned: LockedServer, shown: Sequence[Shown], *, whole: bool) -> tuple[str, ...]:
    """Where what a server shows is not what is pinned, in words that name the entry; nothing: it fits.

    Args:
        whole: whether every pinned entry has to be there; a caller is shown only what they could ever use.
    """
    found: list[str] = []
    expected = {each.entry: each for each in pinned.entries}
    names = [each.entry for each in shown]
    for each in shown:
        entry = expected.get(each.entry)
        if entry is None:
            found.append(f"{each.entry!r} is not pinned")
        elif changed := _changed(entry, _locked_entry(each)):
            found.append(f"{each.entry!r} has another {', another '.join(changed)}")
    found += [f"{name!r} is there more than once" for name in dict.fromkeys(names) if names.count(name) > 1]
    if whole:
        found += [f"{name!r} is gone" for name in expected if name not in names]
    kept = list(dict.fromkeys(name for name in names if name in expected))
    in_order = [name for name in expected if name in set(kept)]
    moved = [name for name, right in zip(kept, in_order, strict=True) if name != right]
    found += [f"{name!r} stands at another place" for name in moved[:1]]
    return tuple(found)


def read_lock(path: Path) -> DefinitionsLock:
    """The lock at a path.

    Raises:
        StorageError: it is not there, or it is no lock.
    """
    try:
        lock = DefinitionsLock.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"the pinned definitions in {str(path)!r} cannot be read: restore the file, or write it anew with "
            "`casewright mcp definitions --write` and review it"
        ) from error
    return lock


def lock_text(lock: DefinitionsLock) -> str:
    """The lock as it stands in its file: one line a part, so that a change is one line of a review."""
    return json.dumps(lock.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"


def _locked_entry(shown: Shown) -> LockedEntry:
    parts = {name: digest(value) for name, value in sorted(shown.parts.items()) if name not in UNPINNED}
    return LockedEntry(entry=shown.entry, hash=digest(parts), parts=parts)


def _changed(pinned: LockedEntry, seen: LockedEntry) -> list[str]:
    names = sorted(pinned.parts.keys() | seen.parts.keys())
    return [name for name in names if pinned.parts.get(name) != seen.parts.get(name)]
