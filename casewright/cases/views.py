"""A case as one caller may see it: without sealed evidence, with classified values redacted.

The limits come from the access decision; the classification comes from the case, the table
below and never from the caller. Sealed evidence is left out without a mark, and with it
everything that speaks of it. Typed values (dates, amounts, kinds) stay: rules need them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from casewright.cases.collections import COLLECTIONS, Item, item_fields, items_of
from casewright.contracts.case import CaseFile, Classification, EvidenceItem, Party
from casewright.contracts.decision import DecisionFilters
from casewright.errors import NotFoundError

REDACTED = "[redacted]"
Limit = Literal["public", "internal", "confidential"]

_ORDER = tuple(Classification)
"""From `public` to `restricted`, as the enumeration lists them."""

CLASSIFIED_TEXT: Mapping[str, tuple[str, ...]] = {
    "case": ("title", "narrative", "product", "issue", "source"),
    "parties": ("name", "state"),
    "transactions": ("description", "counterparty"),
    "notices": ("summary",),
    "communications": ("author", "text"),
    "evidence": ("title", "text", "source"),
    "timeline": ("what", "source"),
    "notes": ("text",),
}
"""Texts that carry the classification of their item, or of the case where the item has none."""

ACCOUNT_NUMBER = Classification.CONFIDENTIAL
"""Of the last four digits. Their format leaves no room for a mark, so they become absent."""

_TELLING_LENGTH = 12
"""Shorter titles and texts of sealed evidence ("Log") occur by chance."""


def view(case: CaseFile, *, filters: DecisionFilters, above: Limit | None) -> CaseFile:
    """What the caller may see of a case. `above` None: no redaction is obliged.

    Raises:
        NotFoundError: the case is not of the tenant that the decision names.
    """
    if case.tenant != filters.tenant:
        raise NotFoundError(f"there is no case {case.case_id!r}")
    visible = case if filters.sealed is True else _without_sealed(case)
    return visible if above is None else _redacted(visible, Classification(above))


def _without_sealed(case: CaseFile) -> CaseFile:
    sealed = tuple(item for item in case.evidence if item.sealed)
    if not sealed:
        return case
    speaks = speaks_of(sealed)
    changes: dict[str, object] = {
        name: tuple(
            item
            for item in items_of(case, name)
            if not (isinstance(item, EvidenceItem) and item.sealed) and not _any_text(name, item, speaks)
        )
        for name in COLLECTIONS
    }
    for field in CLASSIFIED_TEXT["case"]:
        if speaks(getattr(case, field)):
            changes[field] = ""
    return case.model_copy(update=changes)


def _any_text(name: str, item: Item, speaks: Callable[[str], bool]) -> bool:
    texts = [getattr(item, field) for field in (*CLASSIFIED_TEXT.get(name, ()), "author") if hasattr(item, field)]
    return any(speaks(text) for text in texts if text is not None)


def speaks_of(sealed: tuple[EvidenceItem, ...]) -> Callable[[str], bool]:
    """Whether a text names one of these by id, or carries its title or text."""
    ids = "|".join(re.escape(item.evidence_id) for item in sealed)
    named = re.compile(rf"(?<![A-Za-z0-9])(?:{ids})(?![A-Za-z0-9])", re.IGNORECASE)
    telling = [folded for item in sealed for folded in (_folded(item.title), _folded(item.text))]
    carried = [words for words in telling if len(words) >= _TELLING_LENGTH]

    def speaks(text: str) -> bool:
        folded = _folded(text)
        return named.search(text) is not None or any(words in folded for words in carried)

    return speaks


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _redacted(case: CaseFile, limit: Classification) -> CaseFile:
    changes: dict[str, object] = {
        name: tuple(_redacted_item(name, item, case.classification, limit) for item in items_of(case, name))
        for name in COLLECTIONS
    }
    changes |= _hidden_text("case", case, case.classification, limit)
    return case.model_copy(update=changes)


def _redacted_item(name: str, item: Item, inherited: Classification, limit: Classification) -> Item:
    own = item.classification if isinstance(item, Party | EvidenceItem) else inherited
    changes = _hidden_text(name, item, own, limit)
    if "number_last4" in item_fields(type(item)) and _exceeds(ACCOUNT_NUMBER, limit):
        changes["number_last4"] = None
    return item.model_copy(update=changes) if changes else item


def _hidden_text(
    name: str, holder: CaseFile | Item, classification: Classification, limit: Classification
) -> dict[str, object]:
    if not _exceeds(classification, limit):
        return {}
    fields = CLASSIFIED_TEXT.get(name, ())
    return {field: REDACTED for field in fields if getattr(holder, field)}


def _exceeds(classification: Classification, limit: Classification) -> bool:
    return _ORDER.index(classification) > _ORDER.index(limit)
