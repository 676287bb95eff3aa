"""Which states of the index open runs are pinned to: what they retrieved from, and what their rows name.

Their citations and explanations speak of those states, so `casewright corpus prune` leaves them. Over all
tenants, since an index has one set of states; it tells names of states only.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import select

from casewright.storage.database import Database
from casewright.storage.run_tables import runs
from casewright.storage.tables import retrievals

_ENDED = ("completed", "incomplete", "cancelled")
"""A run that failed may be taken up again, so it counts as open."""


async def pinned_states(database: Database) -> frozenset[str]:
    """The names of those states; names of other things that runs are pinned to may be among them."""
    is_open = runs.c.status.not_in(_ENDED)
    retrieved = (
        select(retrievals.c.index_version)
        .join(runs, (runs.c.run_id == retrievals.c.run_id) & (runs.c.tenant == retrievals.c.tenant))
        .where(is_open)
        .distinct()
    )
    async with database.read() as connection:
        found = set((await connection.execute(retrieved)).scalars())
        for pins in (await connection.execute(select(runs.c.pins).where(is_open))).scalars():
            found |= set(_texts(json.loads(pins)))
    return frozenset(found)


async def pinned_state(database: Database, tenant: str, run_id: str) -> str:
    """The state that a run of the tenant is pinned to for its searches; empty: there is no such run, or it is not."""
    query = select(runs.c.pins).where(runs.c.run_id == run_id, runs.c.tenant == tenant)
    async with database.read() as connection:
        pins = (await connection.execute(query)).scalar()
    return "" if pins is None else str(json.loads(pins).get("index_version", ""))


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in cast("Mapping[str, Any]", value).values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in cast("Sequence[Any]", value):
            yield from _texts(each)
