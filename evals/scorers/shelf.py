"""The documents as their issuers published them: an oracle beside the index, read from the files alone.

Which version is in force on a day, who may read it and what a clause says is found here without the parser, the
filters and the search that are under evaluation. It understands the plain form of the sample and of the shared
regulations only: YAML front matter, and one paragraph for each clause that begins with its label in bold.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from casewright.errors import InputError

_CLAUSE = re.compile(r"^\*\*(.+?)\*\* +(.+)$", re.MULTILINE)
_PARTS = 3
"""What the two `---` lines of front matter part a file into."""


def folded(text: str) -> str:
    """Words apart from case and white space."""
    return " ".join(text.casefold().split())


@dataclass(frozen=True, kw_only=True)
class Published:
    """One version of a document."""

    tenant: str
    document_id: str
    version: str
    status: str
    labels: frozenset[str]
    first: dt.date
    """The day from which it holds."""
    last: dt.date | None
    """The last day that it prints; a later version may end it before."""
    body: str

    @cached_property
    def clauses(self) -> Mapping[str, str]:
        """Texts by label."""
        return dict(_CLAUSE.findall(self.body))

    def holds(self, label: str, quote: str) -> bool:
        """Whether the clause of this label has the quote, word for word."""
        return bool(quote.strip()) and folded(quote) in folded(self.clauses.get(label, ""))


class Shelf:
    """Documents of several tenants."""

    def __init__(self, versions: Sequence[Published]) -> None:
        self._versions = {(one.tenant, one.document_id, one.version): one for one in versions}

    @classmethod
    def read(cls, folders: Mapping[str, Sequence[Path]]) -> "Shelf":
        """Read the Markdown files of each tenant's folders.

        Raises:
            InputError: there are none, or one is in another form.
        """
        found = [
            _published(tenant, path)
            for tenant, places in folders.items()
            for place in places
            for path in sorted(place.glob("*.md"))
        ]
        if not found:
            raise InputError(f"there are no documents in {folders!r}; restore them")
        return cls(found)

    def get(self, tenant: str, document_id: str, version: str) -> Published | None:
        """A version of the tenant's own."""
        return self._versions.get((tenant, document_id, version))

    def anywhere(self, document_id: str, version: str) -> Published | None:
        """A version, whosesoever it is."""
        return next(
            (one for one in self._versions.values() if (one.document_id, one.version) == (document_id, version)), None
        )

    def texts(self) -> Sequence[str]:
        """Every clause of every version, whosesoever and whatever its status."""
        return [text for one in self._versions.values() for text in one.clauses.values()]

    def in_force(self, tenant: str, document_id: str, day: dt.date) -> Published | None:
        """What holds on a day: the published version that began last, unless its own last day is over."""
        begun = [
            one
            for one in self._versions.values()
            if (one.tenant, one.document_id, one.status) == (tenant, document_id, "published") and one.first <= day
        ]
        latest = max(begun, key=lambda one: one.first, default=None)
        return None if latest is None or (latest.last is not None and day > latest.last) else latest


def _published(tenant: str, path: Path) -> Published:
    parts = path.read_text(encoding="utf-8").split("---\n", _PARTS - 1)
    if len(parts) != _PARTS or parts[0].strip():
        raise InputError(f"{str(path)!r} does not begin with front matter; restore it")
    front: Mapping[str, Any] = yaml.safe_load(parts[1])
    return Published(
        tenant=tenant,
        document_id=str(front["document_id"]),
        version=str(front["version"]),
        status=str(front["status"]),
        labels=frozenset(map(str, front.get("labels") or ())),
        first=front["effective_from"],
        last=front.get("effective_to"),
        body=parts[2],
    )
