"""Where each value of a case comes from and who vouches for it. Labels are set here, by code.

An import may claim less trust than the origin carries, never more: `ceiling` says how much a
kind of item can carry. Free text from outside is untrusted whatever table it sits in.
"""

from collections.abc import Mapping
from typing import Literal, TypedDict, TypeVar

from casewright.cases.collections import COLLECTIONS, Item, item_fields, item_id, items_of
from casewright.contracts.case import CaseFile, Communication, EvidenceItem, Note, TimelineEvent, Trust

RECORDED_PREFIX = "recorded:"
"""Ids of what the system recorded itself; an import may not use them."""
COMPLAINT_DATABASE = "CFPB consumer complaint database"

_RANK: Mapping[Trust, int] = {Trust.UNTRUSTED: 0, Trust.STAFF: 1, Trust.SYSTEM: 2}

_DIRECTION_CEILING: Mapping[Literal["inbound", "outbound", "internal"], Trust] = {
    "inbound": Trust.UNTRUSTED,
    "outbound": Trust.STAFF,
    "internal": Trust.STAFF,
}

_KIND_CEILING: Mapping[str, Trust] = {
    "transaction_log": Trust.SYSTEM,
    "device_log": Trust.SYSTEM,
    "account_statement": Trust.SYSTEM,
    "investigation_note": Trust.STAFF,
}
"""Evidence that the institution itself produces; every other kind was written by somebody else."""

_COLLECTION_TRUST: Mapping[str, Trust] = {
    "parties": Trust.SYSTEM,
    "accounts": Trust.SYSTEM,
    "transactions": Trust.SYSTEM,
    "notices": Trust.STAFF,
    "timeline": Trust.STAFF,
    "notes": Trust.STAFF,
}

_OUTSIDE_TEXT: Mapping[str, frozenset[str]] = {
    "case": frozenset({"title", "narrative", "product", "issue", "source"}),
    "parties": frozenset({"name"}),
    "transactions": frozenset({"description", "counterparty"}),
    "notices": frozenset({"summary"}),
}
"""Free text that customers, merchants or a foreign database wrote."""


LabelledT = TypeVar("LabelledT", Communication, EvidenceItem)


class Provenance(TypedDict):
    """Source in words and trust label of one value."""

    source: str
    trust: str


def ceiling(item: Communication | EvidenceItem) -> Trust:
    """The most trust that an item of this origin can carry."""
    if isinstance(item, Communication):
        return _DIRECTION_CEILING[item.direction]
    return _KIND_CEILING.get(item.kind, Trust.UNTRUSTED)


def labelled(item: LabelledT) -> LabelledT:
    """The item with its trust lowered to what its origin carries, if it claimed more."""
    allowed = ceiling(item)
    if _RANK[item.trust] <= _RANK[allowed]:
        return item
    return item.model_copy(update={"trust": allowed})


def item_trust(collection: str, item: Item) -> Trust:
    """The trust label of an item as a whole."""
    match item:
        case Communication() | EvidenceItem():
            return labelled_trust(item)
        case TimelineEvent() if item.event_id.startswith(RECORDED_PREFIX):
            return Trust.SYSTEM
        case Note() if item.author == COMPLAINT_DATABASE:
            return Trust.UNTRUSTED
        case _:
            return _COLLECTION_TRUST.get(collection, Trust.UNTRUSTED)


def labelled_trust(item: Communication | EvidenceItem) -> Trust:
    """The lower of what the item claims and what its origin carries."""
    return min(item.trust, ceiling(item), key=_RANK.__getitem__)


def item_source(case_source: str, item: Item) -> str:
    """Who supplied an item, in words."""
    match item:
        case EvidenceItem() | TimelineEvent() if item.source:
            return item.source
        case Communication():
            return f"{item.direction} {item.channel}" + (f" by {item.author}" if item.author else "")
        case Note():
            return f"note by {item.author}"
        case _:
            return case_source or "case file import"


def provenance(case: CaseFile) -> dict[str, Provenance]:
    """Source and trust of every value of a case, by path (`transactions/t1/amount_minor`).

    Pass the case as the caller may see it: the paths name what the case holds.
    """
    case_source = case.source or "case file import"
    found = {
        f"case/{field}": Provenance(source=case_source, trust=_field_trust("case", field, Trust.STAFF))
        for field in item_fields(CaseFile)
        if getattr(case, field) is not None
    }
    for name in COLLECTIONS:
        for item in items_of(case, name):
            source, trust = item_source(case.source, item), item_trust(name, item)
            for field in item_fields(type(item)):
                if getattr(item, field) is not None:
                    path = f"{name}/{item_id(item)}/{field}"
                    found[path] = Provenance(source=source, trust=_field_trust(name, field, trust))
    return found


def _field_trust(collection: str, field: str, trust: Trust) -> str:
    return Trust.UNTRUSTED.value if field in _OUTSIDE_TEXT.get(collection, frozenset()) else trust.value
