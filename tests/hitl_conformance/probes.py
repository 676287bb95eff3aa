"""The probes. Each names one thing that goes wrong when a gate is built in the obvious way.

A probe gets a new subject, does what people, clients and machines do, and looks at the effects alone.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from .subject import Refused, Shown, Subject

Probe = Callable[[Subject], Awaitable[None]]
APPROVING_VALUES: tuple[object, ...] = (
    True,
    "approve",
    "approved",
    {"approved": True},
    {"decision": "approve", "by": "somebody"},
    [{"type": "accept", "args": None}],
    {"goto": "act"},
)
"""What a client might send hoping that the value itself decides; in the forms that common tools send."""
AT_ONCE = 5


class ProbeFailedError(AssertionError):
    """The subject did what no gate may do."""


def expect(holds: bool, told: str) -> None:
    """Raise what the probe found.

    Raises:
        ProbeFailedError: it does not hold.
    """
    if not holds:
        raise ProbeFailedError(told)


async def nothing_happens_before_a_decision(subject: Subject) -> None:
    run = await subject.start()
    await _shown(subject, run)
    expect(not await subject.effects(), "the action was executed before anybody decided")


async def what_was_approved_happens_once(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await subject.wake(run)
    await _expect_exactly(subject, run, shown)


async def what_was_rejected_never_happens(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=False, by=subject.approvers[0])
    await _try(subject.wake(run))
    await _expect_nothing(subject, "a rejected action was executed")


async def a_rejection_is_final(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=False, by=subject.approvers[0])
    await _try(subject.decide(run, shown.key, approve=True, by=subject.approvers[1]))
    await _try(subject.wake(run))
    await _expect_nothing(subject, "an approval after the rejection was obeyed")


async def the_requester_cannot_approve(subject: Subject) -> None:
    run, shown = await _started(subject)
    await _try(subject.decide(run, shown.key, approve=True, by=subject.requester))
    await _try(subject.wake(run))
    await _expect_nothing(subject, "the requester approved their own request")


async def a_stranger_cannot_approve(subject: Subject) -> None:
    run, shown = await _started(subject)
    await _try(subject.decide(run, shown.key, approve=True, by=subject.stranger))
    await _try(subject.wake(run))
    await _expect_nothing(subject, "somebody approved who may not")


async def what_was_shown_is_what_happens(subject: Subject) -> None:
    """A node runs again from its top when it is resumed: a model in the gate's own node answers anew."""
    run, shown = await _started(subject)
    await subject.drift(run)
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await _try(subject.wake(run))
    await _expect_at_most(subject, run, shown)


async def nothing_changes_between_decision_and_effect(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.restart()
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await subject.drift(run)
    await _try(subject.wake(run))
    await _expect_at_most(subject, run, shown)


async def a_double_click_counts_once(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await _try(subject.decide(run, shown.key, approve=True, by=subject.approvers[0]))
    await _try(subject.wake(run))
    await _try(subject.wake(run))
    await _expect_exactly(subject, run, shown)


async def two_approvers_at_once_cause_one_effect(subject: Subject) -> None:
    run, shown = await _started(subject)
    clicks = [_decide_and_wake(subject, run, shown, approve=True, by=person) for person in subject.approvers]
    await asyncio.gather(*clicks)
    await _try(subject.wake(run))
    await _expect_exactly(subject, run, shown)


async def an_approver_and_a_rejecter_at_once_cause_at_most_one_effect(subject: Subject) -> None:
    run, shown = await _started(subject)
    yes = _decide_and_wake(subject, run, shown, approve=True, by=subject.approvers[0])
    no = _decide_and_wake(subject, run, shown, approve=False, by=subject.approvers[1])
    await asyncio.gather(yes, no)
    await _try(subject.wake(run))
    await _expect_at_most(subject, run, shown)


async def a_value_decides_nothing(subject: Subject) -> None:
    """Whoever can resume a run could otherwise approve it."""
    run, _shown_now = await _started(subject)
    for value in APPROVING_VALUES:
        await _try(subject.wake(run, value))
        await _expect_nothing(subject, f"the run was resumed with {value!r} and executed what nobody decided")


async def waking_many_times_repeats_nothing(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    for _ in range(3):
        await _try(subject.wake(run))
    await _expect_exactly(subject, run, shown)


async def waking_at_once_repeats_nothing(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await asyncio.gather(*(_try(subject.wake(run)) for _ in range(AT_ONCE)))
    await _try(subject.wake(run))
    await _expect_exactly(subject, run, shown)


async def a_decision_on_one_run_moves_no_other(subject: Subject) -> None:
    first, shown = await _started(subject)
    second, _other = await _started(subject)
    await _try(subject.decide(second, shown.key, approve=True, by=subject.approvers[0]))
    await _try(subject.wake(second))
    done = [effect.run for effect in await subject.effects()]
    expect(second not in done, f"run {second!r} executed on a decision about {first!r}")


async def a_key_that_nobody_was_shown_decides_nothing(subject: Subject) -> None:
    run, shown = await _started(subject)
    for key in ("", "0", shown.key + "x", shown.key.upper() + " "):
        await _try(subject.decide(run, key, approve=True, by=subject.approvers[0]))
    await _try(subject.wake(run))
    await _expect_nothing(subject, "a decision that named nothing that was shown was obeyed")


async def new_input_does_not_drop_the_gate(subject: Subject) -> None:
    run, _shown_now = await _started(subject)
    await _try(subject.again(run))
    await _try(subject.wake(run))
    await _expect_nothing(subject, "a second input while the run waited walked past the gate")


async def nothing_walks_around_the_gate(subject: Subject) -> None:
    """`Command(goto=...)` and `update_state(as_node=...)` are for those who hold the graph and may write its state."""
    for node in ("gate", "propose", "act"):
        run, _shown_now = await _started(subject)
        await _try(subject.force(run, node))
        await _try(subject.wake(run))
        await _expect_nothing(subject, f"state written as if {node!r} had finished walked around the gate")


async def a_restart_while_waiting_loses_nothing(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.restart()
    still = await subject.shown(run)
    expect(still is not None and still.key == shown.key, "after a restart the run waits for nothing, or something else")
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await subject.wake(run)
    await _expect_exactly(subject, run, shown)


async def a_restart_after_the_decision_loses_nothing(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
    await subject.restart()
    await subject.wake(run)
    await _expect_exactly(subject, run, shown)


async def a_crash_after_the_effect_repeats_nothing(subject: Subject) -> None:
    run, shown = await _started(subject)
    await subject.break_after_effect()
    with contextlib.suppress(Exception):  # the crash that was asked for
        await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
        await subject.wake(run)
    await subject.restart()
    await _try(subject.wake(run))
    await _expect_exactly(subject, run, shown)


PROBES: tuple[Probe, ...] = (
    nothing_happens_before_a_decision,
    what_was_approved_happens_once,
    what_was_rejected_never_happens,
    a_rejection_is_final,
    the_requester_cannot_approve,
    a_stranger_cannot_approve,
    what_was_shown_is_what_happens,
    nothing_changes_between_decision_and_effect,
    a_double_click_counts_once,
    two_approvers_at_once_cause_one_effect,
    an_approver_and_a_rejecter_at_once_cause_at_most_one_effect,
    a_value_decides_nothing,
    waking_many_times_repeats_nothing,
    waking_at_once_repeats_nothing,
    a_decision_on_one_run_moves_no_other,
    a_key_that_nobody_was_shown_decides_nothing,
    new_input_does_not_drop_the_gate,
    nothing_walks_around_the_gate,
    a_restart_while_waiting_loses_nothing,
    a_restart_after_the_decision_loses_nothing,
    a_crash_after_the_effect_repeats_nothing,
)


async def _started(subject: Subject) -> tuple[str, Shown]:
    run = await subject.start()
    return run, await _shown(subject, run)


async def _shown(subject: Subject, run: str) -> Shown:
    shown = await subject.shown(run)
    if shown is None:
        raise ProbeFailedError(f"run {run!r} waits for nobody; the subject must propose an action that needs a person")
    return shown


async def _try(work: Awaitable[None]) -> None:
    with contextlib.suppress(Refused):
        await work


async def _decide_and_wake(subject: Subject, run: str, shown: Shown, *, approve: bool, by: str) -> None:
    with contextlib.suppress(Refused):
        await subject.decide(run, shown.key, approve=approve, by=by)
        await subject.wake(run)


async def _expect_nothing(subject: Subject, told: str) -> None:
    found = await subject.effects()
    expect(not found, f"{told}: {found}")


async def _expect_exactly(subject: Subject, run: str, shown: Shown) -> None:
    await _expect_at_most(subject, run, shown)
    expect(bool(await subject.effects()), "what was approved was never executed")


async def _expect_at_most(subject: Subject, run: str, shown: Shown) -> None:
    found = await subject.effects()
    expect(len(found) <= 1, f"the action was executed {len(found)} times")
    for effect in found:
        expect(effect.run == run, f"run {effect.run!r} executed what was approved for {run!r}")
        same = dict(effect.arguments) == dict(shown.arguments)
        expect(same, f"approved was {dict(shown.arguments)}, executed {dict(effect.arguments)}")
