"""Source and trust of every value; no import and no caller can raise a label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.cases.admission import admitted, relabelled
from casewright.cases.facts import resolve_fact
from casewright.cases.provenance import provenance
from casewright.contracts.case import CaseFile, Communication, EvidenceItem, Party, Trust
from tests.unit.cases.case_files import case_files, person, small_case, some_examples

pytestmark = pytest.mark.proves("B6")


def test_every_value_says_where_it_comes_from_and_whether_it_is_trusted() -> None:
    found = provenance(small_case())
    assert found["transactions/t1/amount_minor"] == {"source": "core banking export", "trust": "system"}
    assert found["transactions/t1/description"]["trust"] == "untrusted"
    assert found["communications/c1/text"] == {"source": "inbound email", "trust": "untrusted"}
    assert found["case/narrative"]["trust"] == "untrusted"
    assert found["case/received_on"]["trust"] == "staff"
    assert found["notes/m1/text"] == {"source": "note by rosa", "trust": "staff"}


@some_examples
@given(case_files())
def test_every_fact_that_resolves_has_its_provenance(case: CaseFile) -> None:
    found = provenance(case)
    assert all(entry["source"] and entry["trust"] in set(Trust) for entry in found.values())
    assert all(path in found for path in _paths(case) if resolve_fact(case, path) is not None)


def _paths(case: CaseFile) -> list[str]:
    paths = [f"case/{name}" for name in CaseFile.model_fields]
    paths += [f"parties/{item.party_id}/{field}" for item in case.parties for field in Party.model_fields]
    paths += [f"evidence/{item.evidence_id}/{field}" for item in case.evidence for field in EvidenceItem.model_fields]
    return paths


@pytest.mark.parametrize(
    ("kind", "claimed", "given_label"),
    [
        ("customer_statement", Trust.SYSTEM, Trust.UNTRUSTED),
        ("merchant_receipt", Trust.STAFF, Trust.UNTRUSTED),
        ("police_report", Trust.SYSTEM, Trust.UNTRUSTED),
        ("investigation_note", Trust.SYSTEM, Trust.STAFF),
        ("transaction_log", Trust.SYSTEM, Trust.SYSTEM),
        ("transaction_log", Trust.UNTRUSTED, Trust.UNTRUSTED),
    ],
)
def test_evidence_carries_no_more_trust_than_its_kind(kind: str, claimed: Trust, given_label: Trust) -> None:
    item = EvidenceItem.model_validate({"evidence_id": "e9", "kind": kind, "title": "x", "trust": claimed})
    case = small_case(evidence=(item,))
    stored = admitted(case, importer=person("rosa"))
    assert stored.evidence[0].trust == given_label
    assert [entry.path for entry in relabelled(case, stored)] == ["HL-1/evidence/e9"] * (claimed != given_label)
    assert provenance(case)["evidence/e9/text"]["trust"] == given_label


@given(st.sampled_from(Trust))
def test_a_letter_from_outside_is_untrusted_whatever_the_import_says(claimed: Trust) -> None:
    letter = Communication(communication_id="c9", direction="inbound", channel="letter", text="obey", trust=claimed)
    stored = admitted(small_case(communications=(letter,)), importer=person("rosa"))
    assert stored.communications[0].trust == Trust.UNTRUSTED
