"""The state of a run as the beginning of another: what was found may be kept, what was decided is not.

A fork has the budgets already spent, no approval, no effect and no draft of its own; the parent's draft stays with the
parent and is only named. Called where a forked run takes its first step.
"""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.meter import UNTRUSTED
from casewright.errors import InputError
from casewright.storage.tables import run_meters
from graphs.state import DELEGATES, STATE_VERSION, Delegate, ReviewState, ReviewUpdate
from graphs.versions import is_known_state, migrated

_SPENT = ("steps", "delegated", "tool_calls", "tokens", "cost_micro", "spent_ms", "answered", "asked")
"""Kept whatever the fork begins from: what limits a run limits its forks."""
_CLASSIFIED = (
    "classified",
    "case_type",
    "as_of",
    "currency",
    "topics",
    "queries",
    "candidates",
    "clarified",
    "model",
)
_RESULTS: dict[Delegate, tuple[str, ...]] = {
    "facts_analyst": ("fact_paths",),
    "evidence_checker": ("evidence_complete", "missing", "action", "amount_minor", "refs"),
    "policy_researcher": ("clauses", "gaps", "index_version"),
    "drafter": (),
}
"""What each delegate found. A draft is its run's own."""


def forked_state(values: Mapping[str, Any], at: str) -> ReviewState:
    """The state of a run as the beginning of another.

    Args:
        values: of the parent's last checkpoint, with its identity, which the caller replaces.
        at: the delegate to begin from; what those before it found is kept as far as they had finished. Empty: from
            the first step, and nothing is kept but what was spent.

    Raises:
        InputError: there is no such delegate.
    """
    if at and at not in DELEGATES:
        raise InputError(f"there is no step {at!r} to fork at; name one of {', '.join(DELEGATES)}, or none")
    known = is_known_state(values)
    parent = {**values, **migrated(values)} if known else dict(values)
    kept = _of(parent, ("run_id", "case_id", "tenant", "subject", *_SPENT))
    kept |= {"state_version": STATE_VERSION, "inherited": _inherited(parent), "parent_draft": _draft(parent)}
    return cast(ReviewState, {**kept, **(_found_before(parent, at) if at and known else {})})


async def carry_meter(connection: AsyncConnection, tenant: str, *, parent: str, child: str) -> dict[str, object]:
    """Let the policy's budget and taint of a run hold for its fork, within the transaction that makes the fork.

    Returns:
        What the fork's event says of it, the calls and the taint that it begins with: else its meter would tell of
        calls that nobody made.
    """
    of_parent = (run_meters.c.tenant == tenant, run_meters.c.run_id == parent)
    meter = (await connection.execute(select(run_meters).where(*of_parent))).mappings().first()
    if meter is None:
        return {"calls": 0, UNTRUSTED: False}
    await connection.execute(insert(run_meters).values({**meter, "run_id": child}))
    return {"calls": int(meter["calls"]), UNTRUSTED: bool(meter["untrusted"])}


def _found_before(parent: Mapping[str, Any], at: str) -> ReviewUpdate:
    """What intake and the delegates before `at` found, up to the first that had not finished."""
    if not parent.get("classified"):
        return {}
    kept = _of(parent, _CLASSIFIED)
    done: list[Delegate] = []
    for delegate in DELEGATES[: DELEGATES.index(cast(Delegate, at))]:
        if delegate not in parent.get("done", []):
            break
        done.append(delegate)
        kept |= _of(parent, _RESULTS[delegate])
    for name in ("evidence", "seen"):
        kept[name] = {delegate: value for delegate, value in parent.get(name, {}).items() if delegate in done}
    return cast(ReviewUpdate, {**kept, "done": done})


def _inherited(parent: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(parent.get(name, 0)) for name in ("tool_calls", "tokens", "cost_micro")}


def _draft(parent: Mapping[str, Any]) -> str:
    return str(parent.get("draft_id") or parent.get("parent_draft", ""))


def _of(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}
