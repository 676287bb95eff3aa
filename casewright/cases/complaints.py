"""Complaints of the CFPB consumer complaint database as cases: what they hold and nothing more.

The narrative is a redacted customer's word, so its amounts and dates never become transactions,
and a complaint names no account, no notice and no evidence. Every text of it is untrusted.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from casewright.cases.provenance import COMPLAINT_DATABASE
from casewright.contracts.base import Contract
from casewright.contracts.case import CaseFile, CaseType, Identifier, Note, Party, TimelineEvent

CASE_ID_PREFIX = "CFPB-"


class Complaint(Contract):
    """One flat record of the database, with its own field names."""

    complaint_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
    received: dt.date
    product: str
    issue: str
    narrative: str
    sub_product: str = ""
    sub_issue: str = ""
    state: str = ""
    submitted_via: str = ""
    company_response: str = ""
    timely: str = ""


COMPLAINT_FIELDS = tuple(Complaint.model_fields)
REQUIRED_FIELDS = tuple(name for name, field in Complaint.model_fields.items() if field.is_required())


@dataclass(frozen=True, kw_only=True)
class TypeRule:
    """A choice of the complaint form that names one kind of decision beyond doubt."""

    product: str
    issue: str
    sub_issue: str
    case_type: CaseType
    reason: str


TYPE_RULES = (
    TypeRule(
        product="Checking or savings account",
        issue="Problem with a lender or other company charging your account",
        sub_issue="Transaction was not authorized",
        case_type=CaseType.UNAUTHORIZED_TRANSFER,
        reason="the customer states that money left a deposit account without authority",
    ),
    TypeRule(
        product="Credit card or prepaid card",
        issue="Problem with a purchase shown on your statement",
        sub_issue="Credit card company isn't resolving a dispute about a purchase on your statement",
        case_type=CaseType.CARD_DISPUTE,
        reason="the customer states that a purchase on a credit card statement is in dispute",
    ),
    TypeRule(
        product="Credit card or prepaid card",
        issue="Getting a credit card",
        sub_issue="Application denied",
        case_type=CaseType.ADVERSE_ACTION,
        reason="the customer states that an application for credit was refused",
    ),
)
"""Everything else stays a complaint. Left out on purpose, because they name two things at once:
"Fraud or scam" (the customer may have sent the money), "Banking errors" (not only transfers),
"Card company isn't resolving a dispute about a purchase or transfer", and money "taken on the
wrong day or for the wrong amount" (an error, or a quarrel with a merchant)."""


def case_type_of(complaint: Complaint) -> CaseType:
    """The kind of decision that the form's choices name, a plain complaint where they leave doubt."""
    chosen = (complaint.product, complaint.issue, complaint.sub_issue)
    named = (rule.case_type for rule in TYPE_RULES if (rule.product, rule.issue, rule.sub_issue) == chosen)
    return next(named, CaseType.COMPLAINT)


def case_from(complaint: Complaint) -> CaseFile:
    """The case that a complaint is; tenant and assignment are left to the import."""
    source = f"{COMPLAINT_DATABASE} {complaint.complaint_id}"
    product = _joined(complaint.product, complaint.sub_product)
    issue = _joined(complaint.issue, complaint.sub_issue)
    return CaseFile(
        case_id=f"{CASE_ID_PREFIX}{complaint.complaint_id}",
        title=issue or product or source,
        case_type=case_type_of(complaint),
        received_on=complaint.received,
        narrative=complaint.narrative,
        product=product,
        issue=issue,
        parties=_parties(complaint),
        timeline=(_received(complaint, source),),
        notes=_answer(complaint),
        source=source,
    )


def _joined(general: str, particular: str) -> str:
    return ": ".join(part for part in (general, particular) if part)


def _parties(complaint: Complaint) -> tuple[Party, ...]:
    """The customer by state of residence, all that is known; the database withholds the name."""
    if not complaint.state:
        return ()
    customer: Identifier = "customer"
    return (Party(party_id=customer, role="customer", name="", state=complaint.state),)


def _received(complaint: Complaint, source: str) -> TimelineEvent:
    via = f" ({complaint.submitted_via})" if complaint.submitted_via else ""
    return TimelineEvent(event_id="received", on=complaint.received, what=f"Complaint received{via}", source=source)


def _answer(complaint: Complaint) -> tuple[Note, ...]:
    """How the database says the company answered; it gives no date."""
    parts = (("Company response", complaint.company_response), ("Timely response", complaint.timely))
    text = "; ".join(f"{label}: {value}" for label, value in parts if value)
    return (Note(note_id="company-response", author=COMPLAINT_DATABASE, text=text),) if text else ()
