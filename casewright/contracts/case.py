"""A case as typed facts: who, which account, what moved, what was said, what proves it.

These models are both the import format (JSON) and what the case facts server returns.
Money is in minor units (cents) with an ISO 4217 code; dates are ISO 8601 calendar dates.
They are *not* the storage tables (see `casewright.cases.tables`).
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
MinorUnits = Annotated[int, Field(ge=-(10**13), le=10**13)]


class Classification(StrEnum):
    """How far a value may travel, from `public` (anyone) to `restricted` (named people)."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Trust(StrEnum):
    """Who vouches for a value; set by code from the origin, never by a caller."""

    SYSTEM = "system"
    """From the institution's own records."""
    STAFF = "staff"
    """Written by an identified member of staff."""
    UNTRUSTED = "untrusted"
    """From a customer, a third party or a document: text to be read, never obeyed."""


class CaseType(StrEnum):
    """What kind of decision the case asks for; selects the checklist and the outcome rules."""

    UNAUTHORIZED_TRANSFER = "unauthorized_transfer"
    TRANSFER_ERROR = "transfer_error"
    CARD_DISPUTE = "card_dispute"
    ADVERSE_ACTION = "adverse_action"
    COMPLAINT = "complaint"


class Party(Contract):
    party_id: Identifier
    role: Literal["customer", "joint_holder", "merchant", "representative", "employee", "other"]
    name: str
    classification: Classification = Classification.CONFIDENTIAL
    state: str | None = None
    """Two-letter U.S. state of residence, where known."""


class Account(Contract):
    account_id: Identifier
    kind: Literal["checking", "savings", "prepaid", "credit_card", "loan", "mortgage", "other"]
    number_last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    first_deposit_on: dt.date | None = None
    """Date of the first deposit; an account is new for 30 days after it (12 CFR 1005.11(c)(3))."""
    opened_on: dt.date | None = None
    status: Literal["open", "frozen", "closed", "unknown"] = "unknown"


class Transaction(Contract):
    transaction_id: Identifier
    account_id: Identifier | None = None
    posted_on: dt.date | None = None
    amount_minor: MinorUnits
    """Positive: money that left the account. Minor units of `currency`."""
    currency: Currency = "USD"
    channel: Literal["point_of_sale", "atm", "online", "ach", "wire", "p2p", "check", "card_not_present", "other"]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO 3166-1 alpha-2 country where the transfer was initiated."""
    description: str = ""
    counterparty: str | None = None
    disputed: bool = False
    access_device: Literal["card", "code", "online_credentials", "none"] | None = None


class Notice(Contract):
    """A notice of error, oral or written, as the institution logged it."""

    notice_id: Identifier
    received_on: dt.date
    kind: Literal["oral", "written", "electronic"]
    statement_sent_on: dt.date | None = None
    """Date the periodic statement that first showed the error was sent (12 CFR 1005.11(b)(1)(i))."""
    loss_discovered_on: dt.date | None = None
    """Date the customer learned of the loss or theft of the access device (12 CFR 1005.6(b))."""
    written_confirmation_on: dt.date | None = None
    summary: str = ""


class Communication(Contract):
    communication_id: Identifier
    sent_on: dt.date | None = None
    direction: Literal["inbound", "outbound", "internal"]
    channel: Literal["letter", "email", "phone", "chat", "web", "branch", "other"]
    author: str | None = None
    text: str
    trust: Trust = Trust.UNTRUSTED


class EvidenceItem(Contract):
    evidence_id: Identifier
    kind: Literal[
        "customer_statement",
        "affidavit",
        "police_report",
        "merchant_receipt",
        "transaction_log",
        "device_log",
        "account_statement",
        "written_confirmation",
        "identity_document",
        "credit_application",
        "credit_report",
        "correspondence",
        "investigation_note",
        "other",
    ]
    title: str
    received_on: dt.date | None = None
    text: str = ""
    source: str = ""
    """Who supplied it, in words: "customer upload", "core banking export"."""
    trust: Trust = Trust.UNTRUSTED
    classification: Classification = Classification.CONFIDENTIAL
    sealed: bool = False
    """Sealed evidence is visible only to roles that policy names; to others it does not exist."""
    supports: Literal["customer", "institution", "neutral"] = "neutral"
    transaction_id: Identifier | None = None


class TimelineEvent(Contract):
    event_id: Identifier
    on: dt.date
    what: str
    source: str = ""


class Note(Contract):
    note_id: Identifier
    author: str
    on: dt.date | None = None
    text: str


class CaseFile(Contract):
    """One whole case, as imported. Absent values stay absent: an import invents nothing."""

    case_id: Identifier
    tenant: Identifier | None = None
    """Absent: the tenant of the importing identity. An importer may only name its own."""
    title: str
    case_type: CaseType
    state: Literal["open", "closed"] = "open"
    received_on: dt.date
    """When the institution received it; rules in force on this date govern the case."""
    classification: Classification = Classification.CONFIDENTIAL
    team: Identifier = "disputes"
    assigned_to: tuple[Identifier, ...] = ()
    conflicts: tuple[Identifier, ...] = ()
    """Identities with a conflict of interest; they may not see or decide the case."""
    sealed: bool = False
    """The whole matter is sealed: only roles that policy names for it may reach it."""
    duplicate_of: Identifier | None = None
    claimed_amount_minor: MinorUnits | None = None
    currency: Currency = "USD"
    narrative: str = ""
    """The customer's own words. Untrusted text."""
    product: str = ""
    issue: str = ""
    parties: tuple[Party, ...] = ()
    accounts: tuple[Account, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    notices: tuple[Notice, ...] = ()
    communications: tuple[Communication, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()
    timeline: tuple[TimelineEvent, ...] = ()
    notes: tuple[Note, ...] = ()
    source: str = ""
    """Where the record comes from, for example the complaint database and its id."""
