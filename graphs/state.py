"""The state of a review run: ids, dates, codes and counters; never documents, never free text
of the case.

It is what is checkpointed. Documents stay in the servers and are read again when needed.
"""

from typing import Literal, NotRequired, TypedDict

Delegate = Literal["facts_analyst", "evidence_checker", "policy_researcher", "drafter"]
DELEGATES: tuple[Delegate, ...] = ("facts_analyst", "evidence_checker", "policy_researcher", "drafter")
"""In the order in which their results depend on each other."""
Step = Literal[
    "facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "ask", "propose", "wrap", "record"
]


class ReviewUpdate(TypedDict, total=False):
    """What nodes write; every key is absent until the node that sets it has run."""

    case_type: str
    as_of: str
    currency: str
    topics: list[str]
    queries: list[str]
    model: str

    done: list[str]
    """Delegates that have finished since the facts were last read."""
    delegations: int
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

    draft_id: str
    draft_version: int
    draft_digest: str
    verified: bool
    answered: int
    """How often missing information was waited for."""

    approval_id: str
    effect_id: str
    declined: str
    """Why people decided against the action; empty: they did not."""

    steps: int
    tool_calls: int
    spent_ms: int
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
