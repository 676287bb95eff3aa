"""The task `intake.classify`: what a case is about and which rules to look for.

Its queries go to the policy search, which is public to every reader of the corpus; so they may
carry subjects but nothing personal from the case.
"""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.case import CaseType, Classification
from casewright.models.support import has_hidden_characters
from casewright.models.task import Task

MAXIMUM_QUERIES = 6
MAXIMUM_CANDIDATES = 5
_PERSONAL = re.compile(r"\d{5,}|@|\d[\d -]{7,}\d|[$€£]\s*\d|\d+[.,]\d{2}\b(?!\()|\d{4}-\d{2}-\d{2}|\[[A-Z_]+_\d")
_WORD = re.compile(r"\w+")
_LONGEST_COPY = 6
"""Consecutive words a query may share with the narrative."""


class Topic(StrEnum):
    """Subjects the corpus is searched by."""

    ERROR_RESOLUTION = "error_resolution"
    UNAUTHORIZED_TRANSFER = "unauthorized_transfer"
    LIABILITY_LIMITS = "liability_limits"
    PROVISIONAL_CREDIT = "provisional_credit"
    TRANSFER_ERROR = "transfer_error"
    CARD_DISPUTE = "card_dispute"
    NEW_ACCOUNT = "new_account"
    FOREIGN_TRANSFER = "foreign_transfer"
    EVIDENCE = "evidence"
    ADVERSE_ACTION = "adverse_action"
    CREDIT_REPORTING = "credit_reporting"
    MORTGAGE_SERVICING = "mortgage_servicing"
    DEBT_COLLECTION = "debt_collection"
    ACCOUNT_TERMS = "account_terms"
    PRIVACY = "privacy"
    COMPLAINT_HANDLING = "complaint_handling"
    DUPLICATE_CLAIM = "duplicate_claim"
    ESCALATION = "escalation"
    VULNERABLE_CUSTOMER = "vulnerable_customer"
    OTHER = "other"


class ClassifyInput(Contract):
    """What a case says of itself."""

    case_type: CaseType
    title: str
    narrative: str
    product: str
    issue: str
    transactions: str
    """A summary in words: how many, which channels, which countries."""
    known_facts: tuple[str, ...]
    """Names of facts the case file holds, not their values."""
    clarified: Topic | None = None
    """What a person said the case is about; None: nobody was asked."""


class ClassifyOutput(Contract):
    """What it is about, and what to search for."""

    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=8)]
    queries: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=3, max_length=200)], ...],
        Field(min_length=1, max_length=MAXIMUM_QUERIES),
    ]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
    """ISO 639 code of the narrative; `und` when it cannot be told."""
    needs_clarification: bool
    candidates: Annotated[tuple[Topic, ...], Field(max_length=MAXIMUM_CANDIDATES)] = ()
    """What it may be about, where that has to be clarified: a person is shown these to choose from."""
    why: Annotated[str, StringConstraints(max_length=600)]


def check_classification(value: ClassifyInput, output: ClassifyOutput) -> tuple[str, ...]:
    """Distinct topics and queries; no query that carries case data; candidates exactly where a person has to choose."""
    problems = _unclear(value, output)
    if len(set(output.topics)) != len(output.topics):
        problems.append("topics: name each topic once")
    if len({query.casefold() for query in output.queries}) != len(output.queries):
        problems.append("queries: write each query once")
    copied = _runs(value.narrative)
    for number, query in enumerate(output.queries):
        if _PERSONAL.search(query) or has_hidden_characters(query) or "\n" in query:
            problems.append(f"queries.{number}: leave out numbers, dates, amounts and addresses of the case")
        elif _runs(query) & copied:
            problems.append(f"queries.{number}: use your own words, do not copy the narrative")
    return tuple(problems)


def _unclear(value: ClassifyInput, output: ClassifyOutput) -> list[str]:
    """What is wrong with what is said to be unclear."""
    if value.clarified is not None:
        settled = output.topics[0] is value.clarified and not output.needs_clarification and not output.candidates
        return [] if settled else [f"topics: a person said that it is {value.clarified}; name it first and ask no more"]
    if not output.needs_clarification:
        return ["candidates: name them only where needs_clarification is true"] if output.candidates else []
    if len(set(output.candidates)) != len(output.candidates) or len(output.candidates) < 2:
        return [f"candidates: name 2 to {MAXIMUM_CANDIDATES} different topics to choose from"]
    return []


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return {tuple(words[at : at + _LONGEST_COPY]) for at in range(len(words) - _LONGEST_COPY + 1)}


INTAKE_CLASSIFY: Task[ClassifyInput, ClassifyOutput] = Task(
    name="intake.classify",
    version=2,
    input=ClassifyInput,
    output=ClassifyOutput,
    prompt="intake.md",
    risk="low",
    max_output_tokens=4_000,
    timeout_seconds=45.0,
    untrusted_fields=("title", "narrative", "product", "issue", "transactions"),
    check=check_classification,
    may_degrade=True,
    data_class=Classification.CONFIDENTIAL,
    holds_case=True,
    personal_data=True,
    deterministic=True,
    max_cost_micro=500_000,
)
