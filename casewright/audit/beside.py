"""Rows of other tables that are written with an event, in its transaction: all of it is there, or nothing.

Who appends an event brings them; the audit neither reads nor covers them. What has to be covered stands in the event's
body as a digest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Rows for one table."""

    insert: Callable[[str], Insert]
    """The statement for a dialect of SQL, the same object each time; its rows name every column."""
    rows: Sequence[Mapping[str, Any]]


async def written(beside: Sequence[Beside], connection: AsyncConnection) -> None:
    """Write such rows within the caller's write transaction."""
    for one in beside:
        await connection.execute(one.insert(connection.dialect.name), list(one.rows))
