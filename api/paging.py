"""Which page of a list is asked for: one parameter of a route for two of the query."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.pages import Cursor, Limit


@dataclass(frozen=True, kw_only=True)
class Paging:
    limit: int
    cursor: str | None


def _paging(limit: Limit = 50, cursor: Cursor = None) -> Paging:
    return Paging(limit=limit, cursor=cursor)


PagingDep = Annotated[Paging, Depends(_paging)]
