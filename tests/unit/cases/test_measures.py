"""Spans of days: counted from facts, unknown where the facts do not say."""

import datetime as dt

import pytest
from hypothesis import given

from casewright.cases.measures import days
from casewright.contracts.case import Account, CaseFile, Notice, Transaction
from tests.unit.cases.case_files import case_files, small_case, some_examples

pytestmark = pytest.mark.proves("B4")
TODAY = dt.date(2026, 3, 14)
NAMES = {
    "notice_after_statement_days",
    "notice_after_loss_business_days",
    "account_age_at_transaction_days",
    "case_age_days",
}


def notice(received: str, *, sent: str | None = None, lost: str | None = None, notice_id: str = "n1") -> Notice:
    return Notice(
        notice_id=notice_id,
        received_on=dt.date.fromisoformat(received),
        kind="oral",
        statement_sent_on=dt.date.fromisoformat(sent) if sent else None,
        loss_discovered_on=dt.date.fromisoformat(lost) if lost else None,
    )


def test_all_spans_of_a_well_documented_case_are_known() -> None:
    assert days(small_case(), today=TODAY) == {
        "notice_after_statement_days": 1,
        "notice_after_loss_business_days": 2,
        "account_age_at_transaction_days": 10,
        "case_age_days": 10,
    }


def test_spans_without_their_facts_are_unknown() -> None:
    bare = small_case(notices=(), accounts=(), transactions=(), evidence=())
    assert days(bare, today=TODAY) == dict.fromkeys(NAMES, -1) | {"case_age_days": 10}


@some_examples
@given(case_files())
def test_every_case_gives_all_four_spans_and_none_below_unknown(case: CaseFile) -> None:
    found = days(case, today=TODAY)
    assert set(found) == NAMES
    assert all(type(value) is int and value >= -1 for value in found.values())


def test_the_first_notice_counts_and_not_a_later_one() -> None:
    notices = (
        notice("2026-05-20", sent="2026-03-01", lost="2026-03-02", notice_id="n2"),
        notice("2026-03-06"),
    )
    found = days(small_case(notices=notices), today=TODAY)
    assert found["notice_after_statement_days"] == 5
    assert found["notice_after_loss_business_days"] == 4


def test_notice_before_the_statement_is_not_late() -> None:
    case = small_case(notices=(notice("2026-03-06", sent="2026-03-31"),))
    assert days(case, today=TODAY)["notice_after_statement_days"] == 0


def test_a_loss_discovered_after_it_was_reported_is_unknown() -> None:
    case = small_case(notices=(notice("2026-03-06", lost="2026-03-07"),))
    assert days(case, today=TODAY)["notice_after_loss_business_days"] == -1


def test_a_loss_outside_the_calendar_is_unknown() -> None:
    case = small_case(notices=(notice("2026-03-06", lost="1901-03-07"),))
    assert days(case, today=TODAY)["notice_after_loss_business_days"] == -1


def test_a_case_received_in_the_future_has_no_age() -> None:
    assert days(small_case(), today=dt.date(2026, 3, 1))["case_age_days"] == -1


def test_the_youngest_account_of_the_disputed_transactions_counts() -> None:
    def moved(name: str, account: str, posted: dt.date | None, *, disputed: bool = True) -> Transaction:
        return Transaction(
            transaction_id=name,
            account_id=account,
            posted_on=posted,
            amount_minor=100,
            channel="atm",
            disputed=disputed,
        )

    accounts = (
        Account(account_id="old", kind="checking", first_deposit_on=dt.date(2020, 1, 1)),
        Account(account_id="new", kind="checking", first_deposit_on=dt.date(2026, 3, 1)),
        Account(account_id="unsaid", kind="checking"),
    )
    transactions = (
        moved("t1", "old", dt.date(2026, 3, 2)),
        moved("t2", "new", dt.date(2026, 3, 8)),
        moved("t3", "new", dt.date(2026, 3, 2), disputed=False),
        moved("t4", "new", dt.date(2026, 2, 1)),
        moved("t5", "new", None),
        moved("t6", "unsaid", dt.date(2026, 3, 2)),
    )
    case = small_case(accounts=accounts, transactions=transactions, evidence=())
    assert days(case, today=TODAY)["account_age_at_transaction_days"] == 7
