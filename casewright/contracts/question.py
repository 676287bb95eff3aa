"""What a run asks a person when it cannot go on by itself: to clarify, or what to do about a loop.

The answer is committed before the run goes on and is one of the options, never free text for a model.
Missing information is not asked here: it is added to the case, and the facts are read again.
"""

from typing import Any, Literal

from casewright.contracts.base import Contract

QuestionKind = Literal["clarification", "loop"]
QuestionState = Literal["open", "answered", "withdrawn"]


class Option(Contract):
    """One possible answer."""

    value: str
    text: str


class RunQuestion(Contract):
    question_id: str
    tenant: str
    run_id: str
    case_id: str
    kind: QuestionKind
    text: str
    options: tuple[Option, ...]
    detail: dict[str, Any]
    """What a person needs to see to answer; of a loop the steps that repeated themselves."""
    state: QuestionState
    created_ns: int
    answer: str
    """The value of the option chosen; empty while open."""
    answered_by: str
    answered_ns: int
