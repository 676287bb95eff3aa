"""Trails as values for tests of scorers: a review that went as it should, and ways to change one thing in it."""

from dataclasses import replace
from typing import Any, cast

from casewright.contracts.event import AuditEvent, EventKind
from evals.reviewing.trail import EffectRow, RunTrail, Trail
from graphs.records import RunEvent

RUN = "run-1"
STEPS = ("intake", "facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "propose", "act")
GOOD: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("run.started", "tomas", {}),
    ("call.allowed", "facts_analyst", {"tool": "get_case"}),
    ("call.allowed", "executor", {"tool": "submit_action"}),
    ("approval.requested", "tomas", {"approval_id": "a", "digest": "d", "rule": {"quorum": 1}}),
    ("approval.voted", "selma", {"approval_id": "a", "digest": "d", "approve": True}),
    ("call.allowed", "executor", {"tool": "execute_action"}),
    ("approval.consumed", "tomas", {"approval_id": "a", "digest": "d"}),
    (
        "effect.executed",
        "tomas",
        {"approval_id": "a", "digest": "d", "effect_id": "e", "action": "pay", "amount_minor": 5},
    ),
    ("run.ended", "tomas", {}),
)
"""Kind, who (an agent for a call, else a person), body."""


def audit(*told: tuple[str, str, dict[str, Any]]) -> tuple[AuditEvent, ...]:
    """Events numbered from 1."""
    return tuple(
        AuditEvent(
            seq=number,
            at_ns=number,
            kind=cast(EventKind, kind),
            tenant="harborline",
            subject="tomas" if kind.startswith("call.") else who,
            agent=who if kind.startswith("call.") else "",
            run_id=RUN,
            case_id="HL-1",
            body=body,
            previous="",
            hash="",
        )
        for number, (kind, who, body) in enumerate(told, start=1)
    )


def steps(*names: str) -> tuple[RunEvent, ...]:
    """A reading and then these steps, numbered from 1."""
    told: list[tuple[str, dict[str, str]]] = [("reading", {}), *(("step", {"node": name}) for name in names)]
    return tuple(
        RunEvent(seq=number, at_ns=number, kind=kind, body=body) for number, (kind, body) in enumerate(told, start=1)
    )


def good() -> Trail:
    """One run, one vote, one effect."""
    run = RunTrail(
        run_id=RUN,
        parent="",
        status="completed",
        because="the approved action was executed",
        events=steps(*STEPS),
        audit=audit(*GOOD),
        spent=None,
    )
    effect = EffectRow(effect_id="e", approval_id="a", run_id=RUN, state="done")
    return Trail(runs=(run,), effects=(effect,), recorded=("paid",), audit_problem="")


def with_steps(*names: str) -> Trail:
    """The good trail with other steps."""
    trail = good()
    return replace(trail, runs=(replace(trail.last, events=steps(*names)),))


def with_audit(*told: tuple[str, str, dict[str, Any]]) -> Trail:
    """The good trail with another audit."""
    trail = good()
    return replace(trail, runs=(replace(trail.last, audit=audit(*told)),))
