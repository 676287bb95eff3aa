"""Pages of lists: a cursor says after which entry the next page begins, so that new entries shift nothing.

A cursor is opaque and signed, and holds for one person, one list and one choice of filters. It names
a place in an order and grants nothing: every page is decided on and filtered anew.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.errors import ApiProblemError, ProblemField
from casewright.canonical import digest
from casewright.identity.keys import SigningKey

ItemT = TypeVar("ItemT")
Position = tuple[int | str, ...]
MAX_CURSOR = 600
_MAC_BYTES = 16

Limit = Annotated[int, Query(ge=1, le=200, description="The most entries on a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next_cursor` of the page before; absent: the first page.",
    ),
]


class Page(BaseModel, Generic[ItemT]):
    """Some entries of a list, and how to go on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: tuple[ItemT, ...]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null: this is the last one.")


class Cursors:
    """Makes and reads cursors with a key of this installation."""

    def __init__(self, key: SigningKey) -> None:
        # Ed25519 signs deterministically (RFC 8032): every process of this installation derives the same key
        self._key = hashlib.sha256(key.sign(b"casewright: cursors of the API, version 1").encode()).digest()

    def make(self, place: str, position: Position) -> str:
        """The cursor of the entry at `position`.

        Args:
            place: whose list it is, and which; see `place_of`.
        """
        content = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(place, content) + content).rstrip(b"=").decode()

    def read(self, place: str, cursor: str | None) -> Position | None:
        """Where a page begins; None: at the first entry.

        Raises:
            ApiProblemError: it was not made here, for this list.
        """
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(place, content)):
            field = ProblemField(where="query.cursor", what="not a cursor of this list; begin at the first page")
            raise ApiProblemError("not-found", "no page of this list begins there", errors=(field,))
        return tuple(cast("list[int | str]", json.loads(content)))

    def _mac(self, place: str, content: bytes) -> bytes:
        return hmac.digest(self._key, f"{place}\n".encode() + content, "sha256")[:_MAC_BYTES]


def place_of(tenant: str, subject: str, name: str, **filters: Any) -> str:
    """Names one person's list with its filters; a cursor of one holds for no other."""
    return digest([tenant, subject, name, {key: str(value) for key, value in filters.items()}])


def page_of(items: Sequence[ItemT], limit: int, position: Any, cursors: Cursors, place: str) -> Page[ItemT]:
    """The first `limit` of `items`, with a cursor if there are more.

    Args:
        position: function of an item to its `Position`.
    """
    shown = tuple(items[:limit])
    more = len(items) > limit
    return Page(items=shown, next_cursor=cursors.make(place, position(shown[-1])) if more and shown else None)
