"""What people said of an answer, with what it was about, so that it can become an example of an evaluation.

A text here is data: it is stored, counted and exported, and never read as an instruction or as markup.
"""

from typing import Literal

from casewright.contracts.base import Contract
from casewright.contracts.recommendation import Citation, FactRef

FeedbackKind = Literal["up", "down", "correction", "wrong_citation"]
THUMBS: tuple[FeedbackKind, ...] = ("up", "down")
"""Of these a person's newest one counts."""
EXAMPLE_SCHEMA = "feedback-example/v1"
MAX_FEEDBACK_CHARACTERS = 4_000


class CitationRef(Contract):
    """Which citation of the answer is meant."""

    document_id: str
    version: str
    label: str
    quote: str


class FeedbackText(Contract):
    """What a person says; what it is about is read from the records of the run."""

    kind: FeedbackKind
    text: str = ""
    """Of a correction what is right; of anything else why, if they say so."""
    citation: CitationRef | None = None
    """Of a wrong citation, and of nothing else."""
    draft_digest: str = ""
    """The draft that the person read; empty: the one that the run's report shows now."""


class DraftRef(Contract):
    draft_id: str
    version: int
    digest: str


class JudgedAnswer(Contract):
    """The answer as it stood when it was judged: what it said, on what evidence, by which versions."""

    run_id: str
    case_id: str
    """Empty: the run answered a question about the rules."""
    question: str
    """Empty: the run reviewed a case."""
    status: str
    sentences: tuple[str, ...]
    action: str
    """The proposed action; empty: none."""
    amount_minor: int
    currency: str
    draft: DraftRef | None
    evidence: tuple[Citation, ...]
    facts: tuple[FactRef, ...]
    versions: dict[str, str]
    """What the run was pinned to: graph, prompts, policy, index, model."""


class Feedback(Contract):
    feedback_id: str
    tenant: str
    subject: str
    """Who said it."""
    kind: FeedbackKind
    at_ns: int
    text: str
    citation: Citation | None
    about: JudgedAnswer


class FeedbackExample(Contract):
    """One line of an export; who said it is left out."""

    schema_version: Literal["feedback-example/v1"] = EXAMPLE_SCHEMA
    id: str
    at: str
    """RFC 3339, UTC."""
    kind: FeedbackKind
    tenant: str
    answered: JudgedAnswer
    wrong: str
    """What the person says is right instead, or why it is wrong; empty of a thumb without words."""
    wrong_citation: Citation | None
