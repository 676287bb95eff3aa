"""Views: sealed evidence does not exist, classified values are hidden, labels are the code's."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.cases.provenance import provenance
from casewright.cases.views import REDACTED, Limit, view
from casewright.contracts.case import (
    CaseFile,
    Classification,
    Communication,
    EvidenceItem,
    Note,
    Party,
    TimelineEvent,
    Transaction,
)
from casewright.errors import NotFoundError
from tests.unit.cases.case_files import case_files, filters, small_case, some_examples

pytestmark = pytest.mark.proves("B5")
LIMITS: tuple[Limit, ...] = ("public", "internal", "confidential")
SECRET = "The covert camera shows the cashier"


def sealed_item(evidence_id: str = "ev-9") -> EvidenceItem:
    return EvidenceItem(
        evidence_id=evidence_id, kind="other", title="Covert camera finding", text=SECRET, source="desk 7", sealed=True
    )


@pytest.mark.proves("B2")
def test_sealed_evidence_and_what_speaks_of_it_leave_no_trace() -> None:
    seen = view(small_case(), filters=filters(sealed=False), above=None)
    assert [item.evidence_id for item in seen.evidence] == ["e1"]
    assert [event.event_id for event in seen.timeline] == ["v1"]
    without = small_case(evidence=small_case().evidence[:1], timeline=small_case().timeline[:1])
    assert seen == view(without, filters=filters(sealed=False), above=None)


def test_sealed_evidence_is_there_for_a_decision_that_says_so() -> None:
    assert view(small_case(), filters=filters(sealed=True), above=None) == small_case()


@pytest.mark.proves("B2")
@some_examples
@given(case_files(), st.booleans(), st.sampled_from([None, *LIMITS]))
def test_no_sealed_id_title_or_text_is_anywhere_in_a_view(case: CaseFile, marked: bool, above: Limit | None) -> None:
    mentions = {
        "timeline": (TimelineEvent(event_id="m-1", on=dt.date(2026, 1, 1), what="see EV-9!"),),
        "notes": (Note(note_id="m-1", author="rosa", text=f"it says: {SECRET.upper()}."),),
        "communications": (
            Communication(communication_id="m-1", direction="internal", channel="chat", text="covert  camera finding"),
        ),
        "narrative": "they have ev-9",
    }
    case = case.model_copy(update={"tenant": "harborline", "evidence": (*case.evidence, sealed_item())})
    seen = view(case.model_copy(update=mentions if marked else {}), filters=filters(), above=above)
    dump = seen.model_dump_json().casefold()
    assert not any(item.sealed for item in seen.evidence)
    assert "ev-9" not in dump
    assert "covert" not in dump
    assert "ev-9" not in repr(provenance(seen))


@pytest.mark.parametrize("text", ["ev-90", "dev-9", "seven-9", "ev-9a"])
def test_a_longer_word_is_no_mention_of_a_sealed_id(text: str) -> None:
    note = Note(note_id="m1", author="rosa", text=text)
    case = small_case(evidence=(sealed_item(),), notes=(note,))
    assert view(case, filters=filters(), above=None).notes == (note,)


@pytest.mark.proves("B2")
@pytest.mark.parametrize("tenant", ["millbrook", None])
def test_a_case_of_another_tenant_or_of_none_looks_absent(tenant: str | None) -> None:
    with pytest.raises(NotFoundError, match="there is no case 'HL-1'"):
        view(small_case(tenant=tenant), filters=filters(), above=None)


def test_confidential_values_are_hidden_from_an_internal_view() -> None:
    seen = view(small_case(), filters=filters(), above="internal")
    assert seen.parties[0].name == REDACTED
    assert seen.accounts[0].number_last4 is None
    assert seen.narrative == REDACTED
    assert seen.transactions[0].description == REDACTED
    assert seen.communications[0].text == REDACTED
    assert seen.transactions[0].amount_minor == 12550
    assert seen.transactions[0].posted_on == dt.date(2026, 3, 2)


def test_an_items_own_classification_decides_before_the_cases() -> None:
    party = Party(party_id="p2", role="merchant", name="Kestrel Outfitters", classification=Classification.PUBLIC)
    item = EvidenceItem(
        evidence_id="e3", kind="other", title="Memo", text="for few", classification=Classification.RESTRICTED
    )
    seen = view(small_case(parties=(party,), evidence=(item,)), filters=filters(), above="confidential")
    assert seen.parties[0].name == "Kestrel Outfitters"
    assert seen.evidence[0].text == REDACTED
    assert seen.narrative == small_case().narrative


def test_nothing_is_redacted_where_no_limit_is_obliged() -> None:
    assert view(small_case(), filters=filters(sealed=True), above=None) == small_case()


@some_examples
@given(case_files(), st.sampled_from(LIMITS))
def test_no_text_above_the_limit_is_left_in_a_view(case: CaseFile, above: Limit) -> None:
    secret = "Ottoline Marchbanks 7741"
    party = Party(party_id="zz", role="customer", name=secret, classification=Classification.RESTRICTED)
    moved = Transaction(transaction_id="zz", amount_minor=1, channel="atm", description=secret, counterparty=secret)
    case = case.model_copy(
        update={
            "tenant": "harborline",
            "classification": Classification.RESTRICTED,
            "parties": (party,),
            "transactions": (moved,),
            "narrative": secret,
            "title": secret,
        }
    )
    seen = view(case, filters=filters(), above=above)
    assert secret not in seen.model_dump_json()
    assert CaseFile.model_validate_json(seen.model_dump_json()) == seen


@some_examples
@given(case_files(), st.sampled_from([None, *LIMITS]))
def test_looking_twice_shows_no_more_and_no_less(case: CaseFile, above: Limit | None) -> None:
    case = case.model_copy(update={"tenant": "harborline"})
    once = view(case, filters=filters(), above=above)
    assert view(once, filters=filters(), above=above) == once
