"""The auditor's questions about one run, answered from records; every statement names the events it stands on."""

from typing import Annotated

from pydantic import Field

from casewright.contracts.base import Contract

EventLink = Annotated[str, Field(pattern=r"^(audit|run):[1-9][0-9]*$")]
"""`audit:SEQ` is an event of the audit log, `run:SEQ` one of the run's own events."""


class Statement(Contract):
    text: str
    events: Annotated[tuple[EventLink, ...], Field(min_length=1)]
    """What it stands on; what no record says is not said."""


Statements = tuple[Statement, ...]


class Explanation(Contract):
    run_id: str
    case_id: str
    """Empty: the run answered a question about the rules."""
    subject: str
    """On whose behalf it ran."""
    status: str
    parent: str
    """The run that this one was forked from; empty: none."""
    revision: int
    answered: Statements
    """What was said."""
    why: Statements
    evidence: Statements
    permission: Statements
    """Under which decisions, approvals and notices."""
    model: Statements
    tools: Statements
    validation: Statements
    cost: Statements
    detection: Statements
    """How one would know if it was wrong."""
    course: Statements
    """How it came about: begun, pinned, forked, stopped, asked, tried again, taken over, ended."""


SECTIONS: dict[str, str] = {
    "answered": "What was answered?",
    "why": "Why?",
    "evidence": "From what evidence?",
    "permission": "Under what permission?",
    "model": "Using what model?",
    "tools": "Through what tools?",
    "validation": "With what validation?",
    "cost": "At what cost?",
    "detection": "How would one know if it was wrong?",
    "course": "How did it come about?",
}
"""The sections in the order in which people read them."""
