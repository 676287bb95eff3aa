"""The shipped cases and real complaints, from file through the rules in force to an assessment."""

import datetime as dt
from pathlib import Path

import pytest

from casewright.access.embedded import EmbeddedEngine
from casewright.cases.admission import admitted
from casewright.cases.assessment import assess
from casewright.cases.facts import resolve_fact
from casewright.cases.importing import read_cases
from casewright.cases.views import view
from casewright.contracts.case import CaseFile
from tests.unit.cases.case_files import filters, person

CHECKOUT = Path(__file__).resolve().parents[3]
TODAY = dt.date(2026, 11, 21)
TENANTS = ("harborline", "millbrook")


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    return EmbeddedEngine.load(CHECKOUT / "policies")


def stored(path: Path, *, tenant: str) -> list[CaseFile]:
    rows = read_cases(path)
    assert [row.problem for row in rows if row.case is None] == []
    importer = person("selma", tenant=tenant, role="supervisor")
    return [admitted(row.case, importer=importer) for row in rows if row.case is not None]


def sample(tenant: str) -> list[CaseFile]:
    return stored(CHECKOUT / "casewright" / "sample" / tenant / "cases.json", tenant=tenant)


@pytest.mark.proves("B1", "B3", "B4")
@pytest.mark.parametrize("tenant", TENANTS)
def test_every_sample_case_is_admitted_and_assessed(engine: EmbeddedEngine, tenant: str) -> None:
    for case in sample(tenant):
        found = assess(case, engine=engine, today=TODAY)
        assert found.policy_revision == engine.revision
        assert found.evidence.items
        assert all(deadline.due_on >= deadline.starts_on for deadline in found.deadlines)
        assert all(resolve_fact(case, path) for basis in found.outcome.basis for path in basis.facts)


@pytest.mark.proves("B2", "B3")
@pytest.mark.parametrize("tenant", TENANTS)
def test_an_assessment_for_a_caller_without_sealed_evidence_never_names_it(engine: EmbeddedEngine, tenant: str) -> None:
    cases = sample(tenant)
    for case in cases:
        sealed = {item.evidence_id for item in case.evidence if item.sealed}
        seen = view(case, filters=filters(tenant=tenant), above=None)
        found = assess(seen, engine=engine, today=TODAY)
        assert not sealed & {name for item in found.evidence.items for name in item.evidence_ids}
    assert tenant != "harborline" or any(item.sealed for case in cases for item in case.evidence)


@pytest.mark.proves("B3")
def test_a_complaint_with_nothing_but_a_narrative_never_ends_in_money_or_denial(
    engine: EmbeddedEngine, shared: Path
) -> None:
    for case in stored(shared / "corpora" / "complaints.json", tenant="harborline"):
        found = assess(case, engine=engine, today=TODAY)
        assert not found.evidence.complete
        assert found.evidence.missing
        assert found.outcome.action in ("request_information", "escalate")
        assert found.outcome.amount_minor == 0
