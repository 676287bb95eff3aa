"""One value of a case by its path, and the spellings a claim may use for the values it holds.

Pass the case as the caller may see it (`casewright.cases.views`): what is not in it is no fact.
"""

import datetime as dt
from enum import Enum

from casewright.cases.collections import COLLECTIONS, Item, item_fields, item_id, items_of
from casewright.cases.spellings import amount_spellings, date_spellings
from casewright.cases.views import REDACTED
from casewright.contracts.case import CaseFile

_CASE = "case"
_IDENTIFIERS = frozenset(
    {"case_id", "duplicate_of", "number_last4"} | {entry.id_field for entry in COLLECTIONS.values()}
)

FREE_TEXT = frozenset(
    {"title", "narrative", "product", "issue", "source", "name", "description", "counterparty"}
    | {"summary", "text", "author", "what"}
)


def resolve_fact(case: CaseFile, path: str) -> str | None:
    """The text of the value at `transactions/t1/amount_minor` or `case/received_on`.

    Money is the integer of minor units, dates are ISO 8601, yes and no are `true` and `false`.
    None: there is no such path, the value is absent or empty, or it is redacted.
    """
    holder, field = _holder(case, path)
    if holder is None or field not in item_fields(type(holder)):
        return None
    text = _text(getattr(holder, field))
    return None if text in ("", REDACTED) else text


def is_typed(path: str) -> bool:
    """Whether a path names a typed value; free text is somebody's word, and no draft may stand on it."""
    return path.rpartition("/")[2] not in FREE_TEXT


def known_values(case: CaseFile) -> frozenset[str]:
    """Amounts, dates and identifiers of the case in every spelling a claim may use.

    Only typed values count. A number that merely occurs in a narrative, a letter or another free
    text is somebody's word, not a fact.
    """
    found: set[str] = set()
    for holder, currency in _holders(case):
        for field in item_fields(type(holder)):
            found |= _spellings(field, getattr(holder, field), currency)
    return frozenset(found)


def _holder(case: CaseFile, path: str) -> tuple[CaseFile | Item | None, str]:
    match path.split("/"):
        case [name, field] if name == _CASE:
            return case, field
        case [name, wanted, field] if name in COLLECTIONS:
            found = (item for item in items_of(case, name) if item_id(item) == wanted)
            return next(found, None), field
        case _:
            return None, ""


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dt.date():
            return value.isoformat()
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def _holders(case: CaseFile) -> list[tuple[CaseFile | Item, str]]:
    found: list[tuple[CaseFile | Item, str]] = [(case, case.currency)]
    for name in COLLECTIONS:
        found += [(item, getattr(item, "currency", case.currency)) for item in items_of(case, name)]
    return found


def _spellings(field: str, value: object, currency: str) -> frozenset[str]:
    match value:
        case bool():
            return frozenset()
        case int() if field.endswith("_minor"):
            return amount_spellings(value, currency)
        case dt.date():
            return date_spellings(value)
        case str() if field in _IDENTIFIERS and value != REDACTED:
            return frozenset({value})
        case _:
            return frozenset()
