"""What the specialists read from tool results: closed views of the servers' documents.

The servers own the full models; a specialist names only the fields it uses, so an added field
on a server does not break it. Everything here came over MCP and is data, never instructions.
"""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict

from casewright.contracts.case import Account, CaseType, EvidenceItem, Notice, Party, Transaction


class Reading(BaseModel):
    """A frozen view that ignores fields it does not use."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CaseReading(Reading):
    case_id: str
    title: str
    case_type: CaseType
    received_on: dt.date
    product: str
    issue: str
    claimed_amount_minor: int | None = None
    currency: str
    duplicate_of: str | None = None
    narrative: str
    parties: tuple[Party, ...]
    accounts: tuple[Account, ...]
    notices: tuple[Notice, ...]


class TransactionsReading(Reading):
    transactions: tuple[Transaction, ...]


class EvidenceReading(Reading):
    evidence: tuple[EvidenceItem, ...]


class SavedReading(Reading):
    ok: bool
    problems: tuple[str, ...]
    draft_id: str = ""
    version: int = 0
    digest: str = ""


class CheckReading(Reading):
    ok: bool
    problems: tuple[str, ...]


class GatedReading(Reading):
    status: str
    approval: dict[str, Any]
    receipt: dict[str, Any] | None = None
    how: str
