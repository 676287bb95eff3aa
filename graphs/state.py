"""The state of a review run: ids, dates, codes and counters; never documents, never free text
of the case.

It is what is checkpointed. Documents stay in the servers and are read again when needed.
"""

from typing import Literal, NotRequired, TypedDict

STATE_VERSION = 2
"""Of what is below. Another meaning or name of a field is a new version, with its migration in `graphs.versions`."""
Delegate = Literal["facts_analyst", "evidence_checker", "policy_researcher", "drafter"]
DELEGATES: tuple[Delegate, ...] = ("facts_analyst", "evidence_checker", "policy_researcher", "drafter")
"""In the order in which their results depend on each other."""
Step = Literal[
    "intake",
    "facts_analyst",
    "evidence_checker",
    "policy_researcher",
    "drafter",
    "verify",
    "ask",
    "inquire",
    "propose",
    "wrap",
    "record",
]
Doubt = Literal["", "loop", "clarification"]


class ReviewUpdate(TypedDict, total=False):
    """What nodes write; every key is absent until the node that sets it has run."""

    state_version: int

    classified: bool
    """Whether intake has said what the case is about."""
    case_type: str
    as_of: str
    currency: str
    topics: list[str]
    queries: list[str]
    candidates: list[str]
    """Topics among which intake could not tell; empty: it could."""
    clarified: str
    """The topic that a person chose, or `as_recorded`."""
    model: str

    done: list[str]
    """Delegates that have finished since the facts were last read."""
    fact_paths: list[str]
    evidence_complete: bool
    missing: list[str]
    """Ids of checklist items."""
    action: str
    amount_minor: int
    refs: list[list[str]]
    """Clauses that rules named: [document_id, label]."""
    clauses: list[list[str]]
    """Clauses to stand on: [document_id, version, label]."""
    gaps: list[str]
    index_version: str

    evidence: dict[str, str]
    """By delegate, the digest of what it last found."""
    seen: dict[str, str]
    """By delegate, the digest of what it was given and of all evidence when it last finished."""
    fruitless: dict[str, int]
    """By delegate, how often in a row it was given the same and nothing new was found by anybody."""
    rounds: list[list[str]]
    """The latest of those: [delegate, digest of its input, digest of all evidence]."""

    doubt: Doubt
    """What a person has to be asked; empty: nothing."""
    question_id: str
    """The question that was asked last."""
    asked: int
    """How many questions a person has answered."""

    draft_id: str
    draft_version: int
    draft_digest: str
    parent_draft: str
    """The draft of the run that this one was forked from; for people, never written to."""
    verified: bool
    answered: int
    """How often missing information was waited for."""

    approval_id: str
    effect_id: str
    declined: str
    """Why people decided against the action; empty: they did not."""

    steps: int
    delegated: dict[str, int]
    """By agent, how often the run handed over to it."""
    tool_calls: int
    tokens: int
    cost_micro: int
    spent_ms: int
    failed_steps: int
    """Of `steps`: those that failed in the middle, as far as they are counted."""
    failed_ms: int
    """Of `spent_ms`: that of failed steps."""
    inherited: dict[str, int]
    """What the runs that this one was forked from had spent: `tool_calls`, `tokens`, `cost_micro`."""
    trail: list[str]
    """Nodes in the order they finished."""
    stop: str
    """Why the run must end without an effect; empty: it need not."""
    status: str
    because: str


class ReviewState(ReviewUpdate):
    """The whole state: what nodes wrote, and whom the run is for."""

    run_id: str
    case_id: str
    tenant: str
    subject: str
    """The reviewer on whose behalf the run acts."""
    node: NotRequired[str]
    """The node at work, as it is told while it works; never stored."""
