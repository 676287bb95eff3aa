"""Values that must turn up nowhere, and the search for them in everything a run leaves behind."""

import base64
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OWN_TABLES = frozenset(
    {"cases", "case_parties", "case_accounts", "case_transactions", "case_notices", "case_communications"}
    | {"case_evidence", "case_timeline", "case_notes", "case_people"}
)
"""Where the case itself is kept, with everything personal in it."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """One planted value."""

    name: str
    value: str

    def forms(self) -> tuple[str, ...]:
        """Ways in which it could be written."""
        encoded = base64.b64encode(self.value.encode()).decode().rstrip("=")
        return (self.value, json.dumps(self.value)[1:-1], quote(self.value), encoded, self.value.encode().hex())


def sightings(canaries: Iterable[Canary], places: Mapping[str, Iterable[str]]) -> list[str]:
    """Which canary turns up where."""
    found: list[str] = []
    for place, texts in places.items():
        whole = "\n".join(texts)
        found += [f"{one.name} in {place}" for one in canaries if any(form in whole for form in one.forms())]
    return found


def stored(database: Path, *, without: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Every value of every table as text, packed ones unpacked."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            f"{database.name}/{name}": [
                text for row in connection.execute(f'SELECT * FROM "{name}"') for text in _texts(row)
            ]
            for name in names
            if name not in without
        }


def _texts(row: Iterable[object]) -> Iterator[str]:
    for value in row:
        if isinstance(value, bytes):
            yield _unpacked(value).decode("utf-8", "replace")
        elif value is not None:
            yield str(value)


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error:
        return body
