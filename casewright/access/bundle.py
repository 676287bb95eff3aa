"""A policy folder as one value: modules, tests, data and the revision that names them.

The layout is OPA's bundle layout: `*.rego` anywhere, and `data/<name>/data.json` mounted at
`data.data.<name>`. It is deliberately *not* a linter; see `lint`.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from casewright.errors import PolicyError

_MAX_FILE_BYTES = 1024 * 1024
_MAX_FILES = 2000


@dataclass(frozen=True, kw_only=True)
class PolicyModule:
    """One Rego file."""

    path: str
    """Relative to the folder, with slashes."""
    text: str

    @property
    def is_test(self) -> bool:
        return self.path.endswith("_test.rego")


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What one revision consists of."""

    modules: tuple[PolicyModule, ...]
    """Without tests."""
    tests: tuple[PolicyModule, ...]
    data_json: str
    """The whole `data` document."""
    revision: str


Signature = tuple[tuple[str, int, int, int, int], ...]
"""Path, size, modification, change and inode of every policy file: changes when a file does."""


def signature(folder: Path) -> Signature:
    """Cheap stand-in for the content; equal signatures mean that nothing was written.

    Raises:
        PolicyError: the folder cannot be read.
    """
    rows: list[tuple[str, int, int, int, int]] = []
    for name, entry in _files(folder):
        try:
            at = entry.stat()
        except OSError as error:
            raise PolicyError(f"{entry.path!r} cannot be read: {error}; check its permissions") from error
        rows.append((name, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino))
    return tuple(rows)


def read_bundle(folder: Path) -> Bundle:
    """Read a policy folder.

    Raises:
        PolicyError: the folder is missing, holds no policy, or a file is unreadable or malformed.
    """
    files = _files(folder)
    contents = {name: _read(Path(entry.path)) for name, entry in files}
    modules = [PolicyModule(path=name, text=text) for name, text in contents.items() if name.endswith(".rego")]
    if not any(not module.is_test for module in modules):
        raise PolicyError(f"the policy folder {str(folder)!r} holds no .rego file; name a folder with policies")
    data: dict[str, object] = {}
    for name, text in contents.items():
        if not name.endswith(".rego"):
            _mount(data, name, _parse_data(name, text))
    return Bundle(
        modules=tuple(module for module in modules if not module.is_test),
        tests=tuple(module for module in modules if module.is_test),
        data_json=json.dumps(data, ensure_ascii=False),
        revision=_revision({name: text for name, text in contents.items() if not name.endswith("_test.rego")}),
    )


def _files(folder: Path) -> list[tuple[str, "os.DirEntry[str]"]]:
    """Relative path and entry of every policy file, sorted. Fast: it runs before every decision."""
    found: list[tuple[str, os.DirEntry[str]]] = []
    pending = [("", str(folder))]
    try:
        while pending:
            prefix, current = pending.pop()
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_dir():
                        pending.append((f"{prefix}{entry.name}/", entry.path))
                    elif entry.name.endswith(".rego") or entry.name == "data.json":
                        found.append((prefix + entry.name, entry))
            if len(found) + len(pending) > _MAX_FILES:
                raise PolicyError(
                    f"the policy folder {str(folder)!r} holds more than {_MAX_FILES} files; name a smaller one"
                )
    except OSError as error:
        message = f"the policy folder {str(folder)!r} cannot be read: {error}; set CASEWRIGHT_POLICIES to another"
        raise PolicyError(message) from error
    return sorted(found, key=lambda row: row[0])


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > _MAX_FILE_BYTES:
            raise PolicyError(f"{str(path)!r} has more than {_MAX_FILE_BYTES} bytes; split it")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{str(path)!r} cannot be read: {error}; it must be a readable UTF-8 file") from error


def _parse_data(name: str, text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{name!r} is not valid policy data: {error}; correct the JSON") from error


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return result


def _refuse_number(text: str) -> object:
    raise ValueError(f"the number {text} is no integer; use minor units")


def _mount(data: dict[str, object], name: str, value: object) -> None:
    parts = name.split("/")[:-1]
    if len(parts) != 2 or parts[0] != "data":
        raise PolicyError(f"{name!r} is in the wrong place; policy data belongs in data/<name>/data.json")
    section = data.setdefault("data", {})
    assert isinstance(section, dict)
    section[parts[1]] = value


def _revision(contents: dict[str, str]) -> str:
    """SHA-256 over the sorted pairs of relative path and SHA-256 of the file."""
    total = hashlib.sha256()
    for name in sorted(contents):
        total.update(f"{name}\0{hashlib.sha256(contents[name].encode()).hexdigest()}\n".encode())
    return total.hexdigest()
