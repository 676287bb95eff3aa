"""Case files for tests: one small readable case, and a Hypothesis strategy for any case at all."""

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from casewright.contracts.case import (
    Account,
    CaseFile,
    CaseType,
    Classification,
    Communication,
    EvidenceItem,
    Note,
    Notice,
    Party,
    TimelineEvent,
    Transaction,
    Trust,
)
from casewright.contracts.decision import DecisionFilters
from casewright.contracts.principal import Principal

TENANT = "harborline"


def person(identity: str, *, tenant: str = TENANT, role: str = "reviewer") -> Principal:
    return Principal(id=identity, tenant=tenant, roles=(role,), clearance=Classification.CONFIDENTIAL)


def filters(*, tenant: str = TENANT, sealed: bool = False) -> DecisionFilters:
    return DecisionFilters(tenant=tenant, labels=(), sealed=sealed)


def small_case(**changes: Any) -> CaseFile:
    """An unauthorized transfer with one of everything; `e2` is sealed."""
    case = CaseFile(
        case_id="HL-1",
        tenant=TENANT,
        title="Unknown purchase",
        case_type=CaseType.UNAUTHORIZED_TRANSFER,
        received_on=dt.date(2026, 3, 4),
        assigned_to=("rosa",),
        claimed_amount_minor=12550,
        narrative="I did not buy this. It cost me 999.99 in nerves.",
        parties=(Party(party_id="p1", role="customer", name="Ada Quill", state="NJ"),),
        accounts=(
            Account(account_id="a1", kind="checking", number_last4="4411", first_deposit_on=dt.date(2026, 2, 20)),
        ),
        transactions=(
            Transaction(
                transaction_id="t1",
                account_id="a1",
                posted_on=dt.date(2026, 3, 2),
                amount_minor=12550,
                channel="point_of_sale",
                description="KESTREL OUTFITTERS",
                disputed=True,
            ),
        ),
        notices=(
            Notice(
                notice_id="n1",
                received_on=dt.date(2026, 3, 4),
                kind="oral",
                statement_sent_on=dt.date(2026, 3, 3),
                loss_discovered_on=dt.date(2026, 3, 2),
            ),
        ),
        communications=(
            Communication(communication_id="c1", direction="inbound", channel="email", text="Please help."),
        ),
        evidence=(
            EvidenceItem(
                evidence_id="e1", kind="transaction_log", title="Log", trust=Trust.SYSTEM, transaction_id="t1"
            ),
            EvidenceItem(
                evidence_id="e2",
                kind="device_log",
                title="Fraud desk device finding",
                text="Handset seen at the merchant.",
                sealed=True,
            ),
        ),
        timeline=(
            TimelineEvent(event_id="v1", on=dt.date(2026, 3, 4), what="Case opened"),
            TimelineEvent(event_id="v2", on=dt.date(2026, 3, 5), what="Fraud desk filed E2."),
        ),
        notes=(Note(note_id="m1", author="rosa", text="Call back on Friday."),),
        source="core banking export",
    )
    return case.model_copy(update=changes)


ID_CHARACTERS = "abcXYZ019"
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_DATES = st.dates(dt.date(1950, 1, 1), dt.date(2120, 1, 1))
_MONEY = st.integers(-(10**13), 10**13)
_IDS = st.builds(
    str.__add__, st.text(ID_CHARACTERS, min_size=1, max_size=4), st.text(ID_CHARACTERS + "._:-", max_size=6)
)


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def _items(model: type[Any], id_field: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    items = st.builds(model, **{id_field: _IDS}, **fields)
    return st.lists(items, max_size=3, unique_by=lambda item: getattr(item, id_field)).map(tuple)


_UNTRUSTED = st.just(Trust.UNTRUSTED)
_CASES = st.builds(
    CaseFile,
    case_id=_IDS,
    tenant=st.sampled_from([None, TENANT]),
    title=_TEXTS,
    received_on=_DATES,
    assigned_to=st.lists(_IDS, min_size=1, max_size=3).map(tuple),
    conflicts=st.lists(_IDS, max_size=2).map(tuple),
    claimed_amount_minor=_maybe(_MONEY),
    duplicate_of=_maybe(_IDS),
    narrative=_TEXTS,
    product=_TEXTS,
    issue=_TEXTS,
    source=_TEXTS,
    parties=_items(Party, "party_id", name=_TEXTS, state=_maybe(_TEXTS)),
    accounts=_items(Account, "account_id", opened_on=_maybe(_DATES), first_deposit_on=_maybe(_DATES)),
    transactions=_items(
        Transaction,
        "transaction_id",
        posted_on=_maybe(_DATES),
        amount_minor=_MONEY,
        description=_TEXTS,
        counterparty=_maybe(_TEXTS),
        disputed=st.booleans(),
    ),
    notices=_items(Notice, "notice_id", received_on=_DATES, statement_sent_on=_maybe(_DATES), summary=_TEXTS),
    communications=_items(
        Communication, "communication_id", sent_on=_maybe(_DATES), text=_TEXTS, author=_maybe(_TEXTS), trust=_UNTRUSTED
    ),
    evidence=_items(
        EvidenceItem,
        "evidence_id",
        title=_TEXTS,
        text=_TEXTS,
        source=_TEXTS,
        received_on=_maybe(_DATES),
        trust=_UNTRUSTED,
        sealed=st.booleans(),
    ),
    timeline=_items(TimelineEvent, "event_id", on=_DATES, what=_TEXTS, source=_TEXTS),
    notes=_items(Note, "note_id", author=_TEXTS, text=_TEXTS, on=_maybe(_DATES)),
)


def _linked(case: CaseFile, link: bool) -> CaseFile:
    """The case with references to items it holds, where it holds any."""
    if not (link and case.accounts and case.transactions):
        return case
    account, transaction = case.accounts[0].account_id, case.transactions[0].transaction_id
    return case.model_copy(
        update={
            "transactions": tuple(item.model_copy(update={"account_id": account}) for item in case.transactions),
            "evidence": tuple(item.model_copy(update={"transaction_id": transaction}) for item in case.evidence),
        }
    )


def case_files() -> st.SearchStrategy[CaseFile]:
    """Any case that may be stored: optional values absent or there, ids unique, references held."""
    return st.builds(_linked, _CASES, st.booleans())


some_examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties over whole cases, which are slow to generate."""
