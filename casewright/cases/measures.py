"""Spans of days in a case, counted in code for the rules. Always all of them; -1 is unknown.

A span whose dates contradict each other (a loss discovered after it was reported) is unknown:
the rules must not draw a consequence from it.
"""

import datetime as dt
from collections.abc import Iterable

from casewright.cases.calendar import business_days_between
from casewright.contracts.case import CaseFile, Notice
from casewright.errors import InputError

UNKNOWN = -1


def days(case: CaseFile, *, today: dt.date) -> dict[str, int]:
    """The four spans that rules may ask for.

    - `notice_after_statement_days`: calendar days from the sending of the periodic statement that
      first showed the error to the first notice; 0 when the notice came before the statement
      (12 CFR 1005.11(b)(1)(i) counts 60 days).
    - `notice_after_loss_business_days`: business days from learning of the loss to the first
      notice (12 CFR 1005.6(b)(1) counts two).
    - `account_age_at_transaction_days`: calendar days from the account's first deposit to the
      posting of a disputed transaction, the smallest (12 CFR 1005.11(c)(3) counts 30).
    - `case_age_days`: calendar days since the institution received the case.
    """
    return {
        "notice_after_statement_days": _notice_after_statement(case),
        "notice_after_loss_business_days": _notice_after_loss(case),
        "account_age_at_transaction_days": _account_age(case),
        "case_age_days": _span(case.received_on, today),
    }


def _notice_after_statement(case: CaseFile) -> int:
    first = _first_notice(case)
    if first is None:
        return UNKNOWN
    sent_on = first.statement_sent_on or _earliest(notice.statement_sent_on for notice in case.notices)
    if sent_on is None:
        return UNKNOWN
    return max(0, (first.received_on - sent_on).days)


def _notice_after_loss(case: CaseFile) -> int:
    first = _first_notice(case)
    if first is None:
        return UNKNOWN
    learned_on = first.loss_discovered_on or _earliest(notice.loss_discovered_on for notice in case.notices)
    if learned_on is None or learned_on > first.received_on:
        return UNKNOWN
    try:
        return business_days_between(learned_on, first.received_on)
    except InputError:
        return UNKNOWN  # outside the calendar: a date nobody can count from


def _account_age(case: CaseFile) -> int:
    first_deposits = {account.account_id: account.first_deposit_on for account in case.accounts}
    ages: list[int] = []
    for transaction in case.transactions:
        opened = first_deposits.get(transaction.account_id or "")
        if transaction.disputed and transaction.posted_on is not None and opened is not None:
            ages.append(_span(opened, transaction.posted_on))
    return min((age for age in ages if age != UNKNOWN), default=UNKNOWN)


def _first_notice(case: CaseFile) -> Notice | None:
    return min(case.notices, key=lambda notice: notice.received_on, default=None)


def _earliest(dates: Iterable[dt.date | None]) -> dt.date | None:
    return min((date for date in dates if date is not None), default=None)


def _span(start: dt.date, end: dt.date) -> int:
    return (end - start).days if start <= end else UNKNOWN
