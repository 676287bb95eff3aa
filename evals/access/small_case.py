"""One small readable case with one of everything, for worlds that need no sample organisation."""

import datetime as dt
from typing import Any

from casewright.contracts.case import (
    Account,
    CaseFile,
    CaseType,
    Communication,
    EvidenceItem,
    Note,
    Notice,
    Party,
    TimelineEvent,
    Transaction,
    Trust,
)

TENANT = "harborline"


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
