"""Looks the untrusted texts of a case over for signs that they were written to steer a model.

For the people who review the case: places and reasons, no words of the texts. Sealed evidence and what speaks of it is
left out, as a reviewer may not learn of it here. Nothing is decided by what is found, nor by what is not.
"""

import asyncio
from typing import Protocol

from casewright.cases.collections import COLLECTIONS, Item, item_fields, item_id, items_of
from casewright.cases.provenance import provenance
from casewright.cases.store import CaseStore
from casewright.cases.views import REDACTED, view
from casewright.contracts.case import CaseFile, Trust
from casewright.contracts.decision import DecisionFilters
from casewright.trust.inspection import Suspicion, inspect


class Inspection(Protocol):
    """Answers for one case."""

    async def of(self, tenant: str, case_id: str) -> tuple[Suspicion, ...]:
        """What is suspicious in the texts of the case that nobody vouches for."""
        ...


class Uninspected:
    """Looks at nothing."""

    async def of(self, tenant: str, case_id: str) -> tuple[Suspicion, ...]:
        return ()


class StoredInspection:
    """Inspects cases of a store."""

    def __init__(self, cases: CaseStore) -> None:
        self._cases = cases

    async def of(self, tenant: str, case_id: str) -> tuple[Suspicion, ...]:
        """See `Inspection.of`; a case that is not there has nothing suspicious in it."""
        stored = await self._cases.load(tenant, case_id)
        return () if stored is None else await asyncio.to_thread(suspicions, stored.case)


def suspicions(case: CaseFile) -> tuple[Suspicion, ...]:
    """What is suspicious in the untrusted texts of a case, by path, as somebody may see it who sees nothing sealed."""
    filters = DecisionFilters(tenant=case.tenant or "", labels=(), sealed=False)
    seen = view(case.model_copy(update={"tenant": filters.tenant}), filters=filters, above="confidential")
    labels = provenance(seen)
    texts = _texts(seen)
    untrusted = [path for path, label in labels.items() if label["trust"] == Trust.UNTRUSTED.value and path in texts]
    return inspect({path: texts[path] for path in untrusted if texts[path] != REDACTED})


def _texts(case: CaseFile) -> dict[str, str]:
    found = _texts_of("case", case)
    for name in COLLECTIONS:
        for item in items_of(case, name):
            found |= _texts_of(f"{name}/{item_id(item)}", item)
    return found


def _texts_of(path: str, holder: CaseFile | Item) -> dict[str, str]:
    values = {field: getattr(holder, field) for field in item_fields(type(holder))}
    return {f"{path}/{field}": value for field, value in values.items() if isinstance(value, str)}
