"""The collections of a case file by name: their model, table and id field, in one place.

Paths (`transactions/t1/amount_minor`), storage rows, labels and views all go through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import Table

from casewright.cases import tables
from casewright.contracts.case import (
    Account,
    CaseFile,
    Communication,
    EvidenceItem,
    Note,
    Notice,
    Party,
    TimelineEvent,
    Transaction,
)

Item = Party | Account | Transaction | Notice | Communication | EvidenceItem | TimelineEvent | Note


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One collection of a case file."""

    model: type[Item]
    table: Table
    id_field: str


COLLECTIONS: Mapping[str, Collection] = {
    "parties": Collection(model=Party, table=tables.case_parties, id_field="party_id"),
    "accounts": Collection(model=Account, table=tables.case_accounts, id_field="account_id"),
    "transactions": Collection(model=Transaction, table=tables.case_transactions, id_field="transaction_id"),
    "notices": Collection(model=Notice, table=tables.case_notices, id_field="notice_id"),
    "communications": Collection(model=Communication, table=tables.case_communications, id_field="communication_id"),
    "evidence": Collection(model=EvidenceItem, table=tables.case_evidence, id_field="evidence_id"),
    "timeline": Collection(model=TimelineEvent, table=tables.case_timeline, id_field="event_id"),
    "notes": Collection(model=Note, table=tables.case_notes, id_field="note_id"),
}
"""Keyed by the name of the field of `CaseFile`."""

PEOPLE = ("assigned_to", "conflicts")
_ID_FIELDS: Mapping[type[Item], str] = {entry.model: entry.id_field for entry in COLLECTIONS.values()}


def item_id(item: Item) -> str:
    """The item's id within its collection."""
    return str(getattr(item, _ID_FIELDS[type(item)]))


def items_of(case: CaseFile, name: str) -> tuple[Item, ...]:
    """The items of the collection called `name`."""
    items: tuple[Item, ...] = getattr(case, name)
    return items


def item_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The single-valued fields of an item or of the case itself."""
    return tuple(name for name in model.model_fields if name not in COLLECTIONS and name not in PEOPLE)
