"""Typed prefilters over the index, and the one place where values are quoted.

A predicate is built from a closed set of columns and typed values; caller text never
becomes query text by any other way. Tenant and label sets are part of every predicate
that `visible` makes: there is no predicate for "everything".
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from casewright.contracts.clause import SearchFilters
from casewright.errors import InputError

Column = Literal[
    "tenant",
    "document_id",
    "version",
    "label",
    "parent",
    "reference",
    "status",
    "label_set",
    "jurisdiction",
    "approval",
    "position",
    "effective_from",
    "effective_to",
]
OPEN_END = 99991231
"""Stands for "no last day is known" in the integer date columns."""


@dataclass(frozen=True)
class Predicate:
    """A condition whose values are already quoted; made by the functions below only."""

    sql: str

    def __and__(self, other: "Predicate") -> "Predicate":
        return Predicate(f"({self.sql}) AND ({other.sql})")

    def __or__(self, other: "Predicate") -> "Predicate":
        return Predicate(f"({self.sql}) OR ({other.sql})")


def day_number(day: dt.date) -> int:
    """20170601 for 1 June 2017."""
    return day.year * 10_000 + day.month * 100 + day.day


def start_day(number: int) -> dt.date:
    """The date of a yyyymmdd number."""
    return dt.date(number // 10_000, number // 100 % 100, number % 100)


def day_from_number(number: int) -> dt.date | None:
    """The date, or None for an open end."""
    return None if number >= OPEN_END else start_day(number)


def literal(value: str | int) -> str:
    """A value as query text: the only quoting there is."""
    if isinstance(value, int):
        return str(int(value))
    return "'" + value.replace("'", "''") + "'"


def equal(column: Column, value: str | int) -> Predicate:
    """True for exactly this value."""
    return Predicate(f"{column} = {literal(value)}")


def one_of(column: Column, values: Iterable[str | int]) -> Predicate:
    """True for the given values; with none of them, true for no row."""
    quoted = sorted({literal(value) for value in values})
    return Predicate(f"{column} IN ({', '.join(quoted)})" if quoted else "1 = 0")


def at_most(column: Column, value: int) -> Predicate:
    """True up to and including the value."""
    return Predicate(f"{column} <= {literal(value)}")


def at_least(column: Column, value: int) -> Predicate:
    """True from the value on."""
    return Predicate(f"{column} >= {literal(value)}")


def label_set_name(labels: Sequence[str]) -> str:
    """The canonical name of a set of access labels; labels hold no `#` and no space."""
    return "#".join(sorted(set(labels)))


def visible_label_sets(held: Sequence[str], existing: Iterable[str]) -> tuple[str, ...]:
    """Those label sets of the index whose labels are all held."""
    own = set(held)
    return tuple(sorted(name for name in set(existing) if set(name.split("#")) - {""} <= own))


def holding_in(jurisdictions: Iterable[str]) -> frozenset[str]:
    """What a rule may name to hold there: the place, the country that it is part of, or no place at all."""
    places = set(jurisdictions)
    return frozenset(places | {place.partition("-")[0] for place in places} | {""})


def visible(filters: SearchFilters, existing_label_sets: Iterable[str]) -> Predicate:
    """What the caller may see and asked for.

    `existing_label_sets` are those of the tenant in the index. A set that appears later is
    not listed and therefore not visible.

    Raises:
        InputError: a version is named without `named_version`, or the reverse.
    """
    label_sets = visible_label_sets(filters.labels, existing_label_sets)
    predicate = equal("tenant", filters.tenant) & equal("approval", "approved") & one_of("label_set", label_sets)
    if filters.document_ids:
        predicate &= one_of("document_id", filters.document_ids)
    if filters.jurisdictions:
        predicate &= one_of("jurisdiction", holding_in(filters.jurisdictions))
    return predicate & _range(filters)


def _range(filters: SearchFilters) -> Predicate:
    if filters.include == "named_version":
        if not filters.version or not filters.document_ids:
            raise InputError("a version is asked for by name: give both document_ids and version")
        return equal("version", filters.version)
    if filters.version:
        raise InputError(
            f"version {filters.version!r} is named; ask with include='named_version', or leave it out for the text "
            "in force"
        )
    today = day_number(filters.as_of)
    return equal("status", "published") & at_most("effective_from", today) & at_least("effective_to", today)
