"""A case without what points to a person: typed facts that rules read stay, names, numbers and free texts go.

What is left out: names, account numbers, counterparties, descriptions, letters, notes, titles of what people sent in,
and every id, which becomes a number. Dates, amounts, kinds and countries stay, since the rules turn on them; whoever
adds a case decides whether those alone still point to somebody.
"""

from casewright.cases.views import REDACTED
from casewright.contracts.case import (
    Account,
    CaseFile,
    Classification,
    Communication,
    EvidenceItem,
    Notice,
    Party,
    TimelineEvent,
    Transaction,
)

REVIEWER, TENANT = "rosa", "harborline"
"""Of the sample organisation, in which the case will be reviewed."""
LEFT_OUT = "(left out)"


def without_people(case: CaseFile, case_id: str) -> CaseFile:
    """The case under another id, for the sample organisation."""
    accounts = {one.account_id: f"account-{number}" for number, one in enumerate(case.accounts, start=1)}
    moved = {one.transaction_id: f"transaction-{number}" for number, one in enumerate(case.transactions, start=1)}
    return CaseFile(
        case_id=case_id,
        title="A case from production",
        case_type=case.case_type,
        state=case.state,
        received_on=case.received_on,
        classification=Classification.CONFIDENTIAL,
        team=case.team,
        assigned_to=(REVIEWER,),
        duplicate_of="another-case" if case.duplicate_of else None,
        claimed_amount_minor=case.claimed_amount_minor,
        currency=case.currency,
        narrative=_left_out(case.narrative),
        product=_left_out(case.product),
        issue=_left_out(case.issue),
        parties=tuple(_party(one, number) for number, one in enumerate(case.parties, start=1)),
        accounts=tuple(_account(one, accounts) for one in case.accounts),
        transactions=tuple(_transaction(one, accounts, moved) for one in case.transactions),
        notices=tuple(_notice(one, number) for number, one in enumerate(case.notices, start=1)),
        communications=tuple(_communication(one, number) for number, one in enumerate(case.communications, start=1)),
        evidence=tuple(_evidence(one, moved, number) for number, one in enumerate(_open(case), start=1)),
        timeline=tuple(_event(one, number) for number, one in enumerate(_own(case), start=1)),
    )


def _left_out(text: str) -> str:
    """Rules ask whether something was said, never what."""
    return LEFT_OUT if text.strip() else ""


def _open(case: CaseFile) -> tuple[EvidenceItem, ...]:
    """Sealed evidence stays where it is."""
    return tuple(one for one in case.evidence if not one.sealed)


def _own(case: CaseFile) -> tuple[TimelineEvent, ...]:
    """What was executed on the case came of the run, and is no part of what it was given."""
    return tuple(one for one in case.timeline if one.source != "recorded effect")


def _party(one: Party, number: int) -> Party:
    state = None if one.state == REDACTED else one.state
    return Party(party_id=f"party-{number}", role=one.role, name=f"Party {number}", state=state)


def _account(one: Account, ids: dict[str, str]) -> Account:
    return one.model_copy(
        update={"account_id": ids[one.account_id], "number_last4": "0000" if one.number_last4 else None}
    )


def _transaction(one: Transaction, accounts: dict[str, str], ids: dict[str, str]) -> Transaction:
    account = accounts.get(one.account_id) if one.account_id else None
    gone = {"description": _left_out(one.description), "counterparty": _left_out(one.counterparty or "") or None}
    return one.model_copy(update={"transaction_id": ids[one.transaction_id], "account_id": account, **gone})


def _notice(one: Notice, number: int) -> Notice:
    return one.model_copy(update={"notice_id": f"notice-{number}", "summary": _left_out(one.summary)})


def _communication(one: Communication, number: int) -> Communication:
    gone = {"author": _left_out(one.author or "") or None, "text": _left_out(one.text)}
    return one.model_copy(update={"communication_id": f"communication-{number}", **gone})


def _evidence(one: EvidenceItem, moved: dict[str, str], number: int) -> EvidenceItem:
    about = moved.get(one.transaction_id) if one.transaction_id else None
    gone = {"title": one.kind.replace("_", " "), "text": _left_out(one.text), "source": _left_out(one.source)}
    return one.model_copy(update={"evidence_id": f"evidence-{number}", "transaction_id": about, **gone})


def _event(one: TimelineEvent, number: int) -> TimelineEvent:
    return TimelineEvent(event_id=f"event-{number}", on=one.on, what=_left_out(one.what))
