"""What differs between two answers to one input, and whether somebody has accepted it.

A flip that lets through more than before (a new permission, a weaker obligation, a wider filter)
comes first and is never hidden by a stricter part of the same answer. It is deliberately *not* an
evaluation; see `replay`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from casewright.contracts.approval import Schedule
from casewright.contracts.base import Contract
from casewright.contracts.decision import (
    Allowed,
    ApprovalObligation,
    AuditObligation,
    DecisionFilters,
    LimitObligation,
    Obligation,
    RedactObligation,
    Verdict,
    WatermarkObligation,
)
from casewright.errors import InputError

Kind = Literal["newly_permitted", "weakened", "newly_denied", "tightened"]
KINDS: tuple[Kind, ...] = ("newly_permitted", "weakened", "newly_denied", "tightened")
PERMISSIVE: frozenset[Kind] = frozenset({"newly_permitted", "weakened"})
_OPENNESS = {"deny": 0, "require_approval": 1, "maybe": 1, "permit": 2}
_LEVELS = ("public", "internal", "confidential")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What matters of a verdict."""

    effect: str
    codes: tuple[str, ...]
    """Codes of the reasons in order; of a denial the first one, as the record has it."""
    obligations: tuple[Obligation, ...] = ()
    filters: DecisionFilters | None = None

    @property
    def shown(self) -> str:
        """`permit: assigned` or `deny: not_assigned`."""
        return f"{self.effect}: {', '.join(self.codes)}"


@dataclass(frozen=True, kw_only=True)
class Flip:
    """One recorded input that the candidate answers otherwise in a way that counts."""

    input: str
    """Id of the decision, or the line of the file of inputs."""
    before: Outcome
    after: Outcome
    kind: Kind
    tool: str
    """`server/tool`."""
    role: str
    """The principal's roles, joined with `+`."""
    changes: tuple[str, ...]
    """What changed beside the effect, such as `quorum 2 -> 1`."""


@dataclass(frozen=True, kw_only=True)
class FlipGroup:
    """Flips that are alike, with one to look at."""

    kind: Kind
    tool: str
    role: str
    before: str
    after: str
    changes: tuple[str, ...]
    count: int
    example: str
    accepted: bool = False


class AcceptedFlips(Contract):
    """One entry of an acceptance file: who let which group of flips pass, and why."""

    kind: Kind
    tool: str
    role: str
    before: str
    after: str
    changes: tuple[str, ...] = ()
    count: int = Field(ge=1)
    """At most so many; more than were looked at are not accepted."""
    who: Annotated[str, Field(min_length=1)]
    why: Annotated[str, Field(min_length=1)]


def outcome_of(verdict: Verdict) -> Outcome:
    """The comparable part of a verdict."""
    if not isinstance(verdict, Allowed):
        return Outcome(effect="deny", codes=(verdict.code,))
    decision = verdict.decision
    codes = tuple(dict.fromkeys(reason.code for reason in decision.reasons))
    return Outcome(effect=decision.effect, codes=codes, obligations=decision.obligations, filters=decision.filters)


def kind_of(before: Outcome, after: Outcome) -> tuple[Kind, tuple[str, ...]] | None:
    """How an answer flipped, with what changed in obligations and filters; None when it did not."""
    if "deny" in (before.effect, after.effect):
        if before.effect == after.effect:
            return None
        return ("newly_permitted" if before.effect == "deny" else "newly_denied"), ()
    weaker, stricter = _compare_obligations(before.obligations, after.obligations)
    wider, narrower = _compare_filters(before.filters, after.filters)
    changes = (*weaker, *wider, *stricter, *narrower)
    step = _OPENNESS[after.effect] - _OPENNESS[before.effect]
    if step > 0 or weaker or wider:
        return "weakened", changes
    if step < 0 or stricter or narrower:
        return "tightened", changes
    return None


def group(flips: Iterable[Flip], accepted: Sequence[AcceptedFlips] = ()) -> tuple[FlipGroup, ...]:
    """Flips that are alike in kind, tool, role, codes and changes; the most permissive kinds first."""
    members: dict[tuple[Any, ...], list[Flip]] = {}
    for flip in flips:
        key = (flip.kind, flip.tool, flip.role, flip.before.shown, flip.after.shown, flip.changes)
        members.setdefault(key, []).append(flip)
    allowed = {
        (entry.kind, entry.tool, entry.role, entry.before, entry.after, entry.changes): entry.count
        for entry in accepted
    }
    groups = [
        FlipGroup(
            kind=key[0],
            tool=key[1],
            role=key[2],
            before=key[3],
            after=key[4],
            changes=key[5],
            count=len(found),
            example=found[0].input,
            accepted=len(found) <= allowed.get(key, 0),
        )
        for key, found in members.items()
    ]
    return tuple(sorted(groups, key=lambda one: (KINDS.index(one.kind), -one.count, one.tool, one.role, one.before)))


def read_acceptance(file: Path) -> tuple[AcceptedFlips, ...]:
    """The entries of an acceptance file: a JSON list of `AcceptedFlips`.

    Raises:
        InputError: names the file and what is wrong in it.
    """
    way_out = "write a JSON list of {kind, tool, role, before, after, changes, count, who, why}"
    try:
        return TypeAdapter(tuple[AcceptedFlips, ...]).validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{str(file)!r} cannot be read: {error.strerror}; {way_out}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the list"
        raise InputError(f"{str(file)!r} accepts nothing: {where}: {first['msg']}; {way_out}") from error


def acceptance_draft(groups: Iterable[FlipGroup]) -> str:
    """An acceptance file for these groups, to be signed: `who` and `why` are empty and refused as they are."""
    entries: list[Mapping[str, Any]] = [
        {
            "kind": one.kind,
            "tool": one.tool,
            "role": one.role,
            "before": one.before,
            "after": one.after,
            "changes": list(one.changes),
            "count": one.count,
            "who": "",
            "why": "",
        }
        for one in groups
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


_Changes = tuple[tuple[str, ...], tuple[str, ...]]
"""What became weaker or wider, and what became stricter or narrower."""


def _compare_obligations(before: Sequence[Obligation], after: Sequence[Obligation]) -> _Changes:
    old, new = ({obligation.kind: obligation for obligation in found} for found in (before, after))
    weaker = [f"{kind} is gone" for kind in sorted(old.keys() - new.keys())]
    stricter = [f"{kind} is new" for kind in sorted(new.keys() - old.keys())]
    for kind in sorted(old.keys() & new.keys()):
        less, more = _compare_one(old[kind], new[kind])
        weaker += less
        stricter += more
    return tuple(weaker), tuple(stricter)


def _compare_one(before: Obligation, after: Obligation) -> _Changes:
    match before, after:
        case ApprovalObligation(), ApprovalObligation():
            return _compare_approvals(before, after)
        case RedactObligation(), RedactObligation():
            step = _LEVELS.index(after.above) - _LEVELS.index(before.above)
            return _one(step, f"redact above {before.above} -> {after.above}")
        case LimitObligation(), LimitObligation():
            return _one(after.max_results - before.max_results, f"limit {before.max_results} -> {after.max_results}")
        case AuditObligation(), AuditObligation():
            step = (before.level == "full") - (after.level == "full")
            return _one(step, f"audit {before.level} -> {after.level}")
        case WatermarkObligation(), WatermarkObligation():
            return ((), ()) if before.text == after.text else (("watermark has another text",), ())
        case _:
            return (("an obligation changed its shape",), ())


def _compare_approvals(before: ApprovalObligation, after: ApprovalObligation) -> _Changes:
    roles = [f"approver {role} is new" for role in sorted(set(after.roles) - set(before.roles))]
    gone = [f"approver {role} is gone" for role in sorted(set(before.roles) - set(after.roles))]
    quorum = _one(before.quorum - after.quorum, f"quorum {before.quorum} -> {after.quorum}")
    expiry = _one(after.ttl_seconds - before.ttl_seconds, f"expiry {before.ttl_seconds} -> {after.ttl_seconds} s")
    weaker, stricter = _compare_escalations(before.schedule, after.schedule)
    return (*quorum[0], *roles, *expiry[0], *weaker), (*quorum[1], *gone, *expiry[1], *stricter)


def _compare_escalations(before: Schedule, after: Schedule) -> _Changes:
    """Who may vote later, and how soon; reminders and reassignments widen nothing."""
    old, new = set(before.escalate_to), set(after.escalate_to)
    wider = [f"later approver {role} is new" for role in sorted(new - old)]
    narrower = [f"later approver {role} is gone" for role in sorted(old - new)]
    times = before.escalate_after_seconds, after.escalate_after_seconds
    sooner = _one(times[0] - times[1], f"escalation {times[0]} -> {times[1]} s") if old and new else ((), ())
    return (*wider, *sooner[0]), (*narrower, *sooner[1])


def _compare_filters(before: DecisionFilters | None, after: DecisionFilters | None) -> _Changes:
    if before is None or after is None or before == after:
        return (), ()
    labels = (set(after.labels) - set(before.labels), set(before.labels) - set(after.labels))
    wider = [f"label {label} is new" for label in sorted(labels[0])]
    narrower = [f"label {label} is gone" for label in sorted(labels[1])]
    if before.tenant != after.tenant:
        wider.append("the tenant is another")
    sealed = _one(after.sealed - before.sealed, f"sealed {before.sealed} -> {after.sealed}")
    return (*wider, *sealed[0]), (*narrower, *sealed[1])


def _one(step: int, text: str) -> _Changes:
    """A change that widens by `step`."""
    return ((text,), ()) if step > 0 else ((), (text,)) if step < 0 else ((), ())
