"""The facts analyst: which facts of the case a recommendation may stand on.

It names facts by path and never writes to the case. Free text that somebody else wrote is not
a fact: narratives, letters and descriptions are left to be read by people.
"""

from collections.abc import Iterator

from agents.documents import CaseReading, EvidenceReading, TransactionsReading
from agents.toolbox import Toolbox
from casewright.contracts.case import Account, EvidenceItem, Notice, Transaction, Trust
from casewright.models.recommendation import CaseFact

REDACTED = "[redacted]"


async def survey(tools: Toolbox) -> tuple[CaseFact, ...]:
    """The typed facts of the case that this agent may see, by path, in a fixed order."""
    case = await tools.call("get_case", {}, CaseReading)
    moved = await tools.call("list_transactions", {}, TransactionsReading)
    evidence = await tools.call("list_evidence", {}, EvidenceReading)
    disputed = tuple(item for item in moved.transactions if item.disputed) or moved.transactions
    facts = [
        *_case_facts(case),
        *(fact for item in case.accounts for fact in _account_facts(item)),
        *(fact for item in case.notices for fact in _notice_facts(item)),
        *(fact for item in disputed for fact in _transaction_facts(item)),
        *(_evidence_fact(item) for item in evidence.evidence),
    ]
    return tuple(fact for fact in facts if fact.value and fact.value != REDACTED)


def _case_facts(case: CaseReading) -> Iterator[CaseFact]:
    yield CaseFact(path="case/received_on", value=case.received_on.isoformat(), label="case received on")
    if case.claimed_amount_minor is not None:
        yield CaseFact(path="case/claimed_amount_minor", value=str(case.claimed_amount_minor), label="amount claimed")
    if case.duplicate_of is not None:
        yield CaseFact(path="case/duplicate_of", value=case.duplicate_of, label="same claim as case")


def _account_facts(account: Account) -> Iterator[CaseFact]:
    base = f"accounts/{account.account_id}"
    yield CaseFact(path=f"{base}/kind", value=account.kind, label="kind of account")
    if account.first_deposit_on is not None:
        yield CaseFact(
            path=f"{base}/first_deposit_on", value=account.first_deposit_on.isoformat(), label="first deposit on"
        )


def _notice_facts(notice: Notice) -> Iterator[CaseFact]:
    base = f"notices/{notice.notice_id}"
    yield CaseFact(path=f"{base}/received_on", value=notice.received_on.isoformat(), label="notice received on")
    yield CaseFact(path=f"{base}/kind", value=notice.kind, label="kind of notice")
    if notice.statement_sent_on is not None:
        yield CaseFact(
            path=f"{base}/statement_sent_on", value=notice.statement_sent_on.isoformat(), label="statement sent on"
        )
    if notice.loss_discovered_on is not None:
        yield CaseFact(
            path=f"{base}/loss_discovered_on", value=notice.loss_discovered_on.isoformat(), label="loss discovered on"
        )


def _transaction_facts(item: Transaction) -> Iterator[CaseFact]:
    base = f"transactions/{item.transaction_id}"
    yield CaseFact(path=f"{base}/amount_minor", value=str(item.amount_minor), label="disputed amount")
    yield CaseFact(path=f"{base}/currency", value=item.currency, label="currency")
    yield CaseFact(path=f"{base}/channel", value=item.channel, label="channel")
    if item.posted_on is not None:
        yield CaseFact(path=f"{base}/posted_on", value=item.posted_on.isoformat(), label="posted on")
    if item.country is not None:
        yield CaseFact(path=f"{base}/country", value=item.country, label="country")


def _evidence_fact(item: EvidenceItem) -> CaseFact:
    """What is on file; of what somebody from outside sent in, only the kind, as its title is their own text."""
    base = f"evidence/{item.evidence_id}"
    if item.trust is Trust.UNTRUSTED:
        return CaseFact(path=f"{base}/kind", value=item.kind, label="kind of evidence sent in")
    return CaseFact(path=f"{base}/title", value=item.title, label="evidence on file")
