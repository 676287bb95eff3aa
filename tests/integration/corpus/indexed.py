"""Filters and types that the tests of the corpus share."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

from casewright.contracts.clause import SearchFilters
from casewright.corpus.manifest import Submission

WriteDocument = Callable[..., Path]
APPROVED = Submission(by="selma", at="2026-01-02T03:04:05Z", approved=True)
PENDING = Submission(by="petra", at="2026-01-02T03:04:05Z", approved=False)


def filters(tenant: str = "us", as_of: str = "2017-06-01", **more: object) -> SearchFilters:
    values: Mapping[str, object] = {"tenant": tenant, "labels": (), "as_of": dt.date.fromisoformat(as_of), **more}
    return SearchFilters.model_validate(values)
