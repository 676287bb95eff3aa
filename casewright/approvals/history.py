"""What the audit tells of an approval, and where a stored approval says something else. Pure: values in, a value out.

The rows of the ledger are what people see and vote on; the events are what was signed. Whoever can write the
database can write the rows, so the ledger compares before a vote counts and before an approval is used, and the
verification of the audit compares all of them. It does *not* check the events (see `casewright.audit.proof`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from casewright.audit.chain import EventRow
from casewright.canonical import sha256_text
from casewright.clock import NANOSECONDS
from casewright.contracts.approval import Approval, ApprovalRule, Vote
from casewright.contracts.event import EventKind

KINDS: tuple[EventKind, ...] = (
    "approval.requested",
    "approval.voted",
    "approval.reassigned",
    "approval.escalated",
    "approval.revoked",
    "approval.expired",
    "approval.consumed",
)
"""The events that an approval is made of; notices change nothing about it."""


@dataclass(kw_only=True)
class History:
    """One approval as its events tell it, in their order."""

    request: EventRow | None = None
    terms: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Body of the request: rule, call and digest. Requests from before they had them lack times and agent."""
    votes: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Bodies of the votes by voter; those from before they had it lack their time."""
    state: str = ""
    assignee: str = ""
    escalated_ns: int = 0
    ambiguous: bool = False
    """Asked for twice, or one voter was counted twice."""

    def add(self, event: EventRow, body: Mapping[str, Any]) -> None:
        """Take in the next event of this approval."""
        match event.kind:
            case "approval.requested":
                self.ambiguous |= self.request is not None
                self.request, self.terms, self.state = event, body, "pending"
            case "approval.voted":
                self.ambiguous |= event.subject in self.votes
                self.votes[event.subject] = body
                self.state = str(body.get("state"))
            case "approval.reassigned":
                self.assignee = str(body.get("to"))
            case "approval.escalated":
                self.escalated_ns = event.at_ns
            case _:
                self.state = event.kind.removeprefix("approval.")


def history_of(approval_id: str, events: Iterable[EventRow]) -> History:
    """The history of one approval among sound events of its run."""
    found = History()
    for event in events:
        body = json.loads(event.body)
        if body.get("approval_id") == approval_id:
            found.add(event, body)
    return found


def difference(approval: Approval, told: History) -> str:
    """What of a stored approval is not as the audit tells it, in a word or two; empty: nothing."""
    request = told.request
    if request is None:
        return "the request"
    if told.ambiguous:
        return "the number of events"
    fits = {
        "the organisation, case or run": (approval.call.tenant, approval.call.case_id, approval.run_id)
        == (request.tenant, request.case_id, request.run_id),
        "the call": approval.digest == told.terms.get("digest"),
        "the asker": approval.requested_by == request.subject
        and approval.requested_agent == told.terms.get("agent", approval.requested_agent),
        "the rule": approval.rule == _rule(told.terms.get("rule")),
        "the expiry": _is_timed(approval, request.at_ns, told.terms),
        "the votes": _are_cast(approval.votes, told.votes),
        "the assignee": approval.assignee == told.assignee,
        "the escalation": _is_escalated(approval.escalated_ns, told.escalated_ns),
        "the state": approval.state == told.state,
    }
    return next((what for what, fit in fits.items() if not fit), "")


def times(approval: Approval) -> dict[str, str]:
    """What the event of a request says of its times; text, as nanoseconds are beyond what canonical JSON carries."""
    return {"created_ns": str(approval.created_ns), "expires_ns": str(approval.expires_ns)}


def _rule(stored: Any) -> ApprovalRule | None:
    """The rule of an event; one from before there were schedules has the empty one, as its row has."""
    try:
        return ApprovalRule.model_validate_json(json.dumps(stored))
    except ValidationError:
        return None


def _is_timed(approval: Approval, at_ns: int, terms: Mapping[str, Any]) -> bool:
    """An older request says no times; it was made before its event, and is valid for as long as its rule says."""
    if "expires_ns" in terms:
        return times(approval).items() <= terms.items()
    valid_ns = approval.rule.ttl_seconds * NANOSECONDS
    return approval.created_ns <= at_ns and approval.expires_ns == approval.created_ns + valid_ns


def _are_cast(votes: Iterable[Vote], told: Mapping[str, Mapping[str, Any]]) -> bool:
    cast = {vote.voter: vote for vote in votes}
    return cast.keys() == told.keys() and all(_is_cast(vote, told[voter]) for voter, vote in cast.items())


def _is_cast(vote: Vote, body: Mapping[str, Any]) -> bool:
    said = (body.get("approve"), body.get("note_sha256"), body.get("voted_ns", str(vote.at_ns)))
    return said == (vote.approve, sha256_text(vote.note), str(vote.at_ns))


def _is_escalated(stored_ns: int, told_ns: int) -> bool:
    """The row is written just before its event."""
    return 0 < stored_ns <= told_ns if told_ns else stored_ns == 0
