"""Case files for tests: one small readable case, and a Hypothesis strategy for any case at all."""

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from casewright.contracts.case import (
    Account,
    CaseFile,
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
from evals.access.small_case import TENANT, small_case

__all__ = ["TENANT", "small_case"]


def person(identity: str, *, tenant: str = TENANT, role: str = "reviewer") -> Principal:
    return Principal(id=identity, tenant=tenant, roles=(role,), clearance=Classification.CONFIDENTIAL)


def filters(*, tenant: str = TENANT, sealed: bool = False) -> DecisionFilters:
    return DecisionFilters(tenant=tenant, labels=(), sealed=sealed)


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
