"""The heads of cases: current revision and access attributes, read in few statements.

Called by the store for listings, decisions and imports; it knows nothing of the facts inside.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Select, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.cases.collections import PEOPLE
from casewright.cases.records import CaseAttributes, CaseSummary
from casewright.cases.tables import KEY, case_evidence, case_people, cases
from casewright.contracts.case import CaseType, Classification

ValueT = TypeVar("ValueT")
People = dict[str, list[str]]
_CHUNK = 500
"""Keys a statement; SQLite takes 32,766 parameters."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The current revision of one case without its facts."""

    row: RowMapping
    people: Mapping[str, Sequence[str]]

    @property
    def case_id(self) -> str:
        return self.row["case_id"]

    @property
    def revision(self) -> int:
        return self.row["revision"]

    @property
    def digest(self) -> str:
        return self.row["digest"]

    def attributes(self) -> CaseAttributes:
        """What an access decision needs."""
        return CaseAttributes.model_validate(self._attribute_values())

    def summary(self) -> CaseSummary:
        """What a listing shows."""
        return CaseSummary(
            **self._attribute_values(),
            title=self.row["title"],
            case_type=CaseType(self.row["case_type"]),
            received_on=self.row["received_on"],
        )

    def _attribute_values(self) -> dict[str, Any]:
        kept = ("tenant", "case_id", "revision", "team", "state", "sealed")
        return {
            **{name: self.row[name] for name in kept},
            "classification": Classification(self.row["classification"]),
            **{relation: tuple(self.people[relation]) for relation in PEOPLE},
        }


async def all_heads(connection: AsyncConnection, tenant: str) -> list[Head]:
    """The heads of every case of a tenant."""
    return _heads((await connection.execute(_head_query(tenant, None))).mappings().all())


async def named_heads(connection: AsyncConnection, tenant: str, case_ids: Sequence[str]) -> list[Head]:
    """The heads of those of `case_ids` that the tenant has."""
    found: list[Head] = []
    for chunk in _chunks(sorted(set(case_ids))):
        found += _heads((await connection.execute(_head_query(tenant, chunk))).mappings().all())
    return found


async def people_of(connection: AsyncConnection, tenant: str, case_id: str, revision: int) -> People:
    """Assigned and conflicted identities of one case revision."""
    query = (
        select(case_people.c.relation, case_people.c.identity)
        .where(case_people.c.tenant == tenant, case_people.c.case_id == case_id, case_people.c.revision == revision)
        .order_by(case_people.c.position)
    )
    found = _nobody()
    for row in (await connection.execute(query)).mappings():
        found[row["relation"]].append(row["identity"])
    return found


async def sealed_cases(connection: AsyncConnection, tenant: str, heads: Sequence[Head]) -> set[str]:
    """Which of these cases hold sealed evidence in their current revision."""
    found: set[str] = set()
    for chunk in _chunks([(head.case_id, head.revision) for head in heads]):
        query = select(case_evidence.c.case_id).where(
            case_evidence.c.tenant == tenant,
            case_evidence.c.sealed,
            tuple_(case_evidence.c.case_id, case_evidence.c.revision).in_(chunk),
        )
        found |= set((await connection.execute(query)).scalars().all())
    return found


def _head_query(tenant: str, case_ids: Sequence[str] | None) -> Select[Any]:
    """Head and people in one statement: one row for each person of the current revision."""
    newest = select(cases.c.case_id, func.max(cases.c.revision).label("revision")).where(cases.c.tenant == tenant)
    if case_ids is not None:
        newest = newest.where(cases.c.case_id.in_(case_ids))
    current = newest.group_by(cases.c.case_id).subquery("newest")
    columns = [column for column in cases.c if column.name != "narrative"]
    return (
        select(*columns, case_people.c.relation, case_people.c.identity)
        .join(current, and_(cases.c.case_id == current.c.case_id, cases.c.revision == current.c.revision))
        .outerjoin(case_people, and_(*(case_people.c[name] == cases.c[name] for name in KEY)))
        .where(cases.c.tenant == tenant)
        .order_by(cases.c.case_id, case_people.c.position)
    )


def _heads(rows: Sequence[RowMapping]) -> list[Head]:
    heads: dict[str, Head] = {}
    people: dict[str, People] = {}
    for row in rows:
        case_id = row["case_id"]
        if case_id not in heads:
            people[case_id] = _nobody()
            heads[case_id] = Head(row=row, people=people[case_id])
        if row["relation"] is not None:
            people[case_id][row["relation"]].append(row["identity"])
    return list(heads.values())


def _nobody() -> People:
    return {relation: [] for relation in PEOPLE}


def _chunks(values: Sequence[ValueT]) -> Iterator[Sequence[ValueT]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
