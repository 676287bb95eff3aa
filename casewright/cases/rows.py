"""Case files to table rows and back; no database here, only the two shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import RowMapping, Table

from casewright.cases import tables
from casewright.cases.collections import COLLECTIONS, PEOPLE, Item, item_fields, items_of
from casewright.cases.provenance import item_source, item_trust
from casewright.contracts.case import CaseFile

Row = dict[str, Any]
IMPORTED = "import"
RECORDED = "recorded"
RECORDED_POSITION = 1_000_000
"""Recorded items come after all imported ones."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What every row of one case revision carries."""

    tenant: str
    case_id: str
    revision: int
    imported_by: str
    imported_ns: int

    def key(self) -> Row:
        """The columns that name the revision."""
        return {"tenant": self.tenant, "case_id": self.case_id, "revision": self.revision}

    def stamp(self) -> Row:
        """The key and who brought it when."""
        return self.key() | {"imported_by": self.imported_by, "imported_ns": self.imported_ns}


def rows_of(case: CaseFile, scope: Scope, *, digest: str) -> list[tuple[Table, Row]]:
    """Every row of one case revision, the case itself first."""
    found: list[tuple[Table, Row]] = [(tables.cases, _plain(case) | scope.stamp() | {"digest": digest})]
    for relation in PEOPLE:
        people: tuple[str, ...] = getattr(case, relation)
        found += [
            (
                tables.case_people,
                scope.key() | {"relation": relation, "position": position, "identity": identity},
            )
            for position, identity in enumerate(people)
        ]
    for name, collection in COLLECTIONS.items():
        found += [
            (collection.table, item_row(name, item, scope, position=position, case_source=case.source))
            for position, item in enumerate(items_of(case, name))
        ]
    return found


def item_row(name: str, item: Item, scope: Scope, *, position: int, case_source: str) -> Row:
    """The row of one imported item; its own `source` and `trust`, where it has them, are kept exactly."""
    row = scope.stamp() | {
        "position": position,
        "source": item_source(case_source, item),
        "trust": item_trust(name, item).value,
    }
    if "origin" in COLLECTIONS[name].table.c:
        row["origin"] = IMPORTED
    return row | _plain(item)


def case_of(
    head: RowMapping,
    people: Mapping[str, Sequence[str]],
    items: Mapping[str, Sequence[RowMapping]],
) -> CaseFile:
    """The case file that `rows_of` was given, from its rows in their order."""
    values: Row = {field: head[field] for field in item_fields(CaseFile)}
    for relation in PEOPLE:
        values[relation] = tuple(people[relation])
    for name, collection in COLLECTIONS.items():
        fields = item_fields(collection.model)
        values[name] = tuple(
            collection.model.model_validate({field: row[field] for field in fields}) for row in items[name]
        )
    return CaseFile.model_validate(values)


def _plain(holder: CaseFile | Item) -> Row:
    """The single-valued fields, enumerations as their text."""
    found: Row = {}
    for field in item_fields(type(holder)):
        value = getattr(holder, field)
        found[field] = value.value if isinstance(value, Enum) else value
    return found
