"""Filters and types that the tests of the corpus share."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

from casewright.contracts.clause import SearchFilters

WriteDocument = Callable[..., Path]


def filters(tenant: str = "us", as_of: str = "2017-06-01", **more: object) -> SearchFilters:
    values: Mapping[str, object] = {"tenant": tenant, "labels": (), "as_of": dt.date.fromisoformat(as_of), **more}
    return SearchFilters.model_validate(values)
