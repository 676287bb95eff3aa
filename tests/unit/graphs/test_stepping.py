"""When a step looks into the records before it begins: always, but for a step that directly follows another here."""

from collections.abc import Sequence
from typing import cast

import pytest
from langgraph.errors import GraphDrained

from casewright.audit.beside import Beside
from casewright.clock import ManualClock
from casewright.config import Budgets, app_root
from casewright.identity.local import sample_identities
from casewright.models.accounting import MemoryRecorder
from casewright.models.gateway import Gateway
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from graphs.budget import Recorded
from graphs.connections import Connections
from graphs.desk import Desk
from graphs.state import ReviewState, ReviewUpdate
from graphs.stepping import MOST_COUNTED, Stepping
from tests.support.model_permission import offline_only
from tests.unit.graphs.test_review_graph import NoDelegation, NoPins, NoQuestions, no_server


class Steps:
    """Keeps the kinds of what was recorded."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    async def step(self, run_id: str, kind: str, body: dict[str, object], *, beside: Sequence[Beside] = ()) -> None:
        self.kinds.append(kind)


class Wanted:
    """What people want of the run."""

    def __init__(self) -> None:
        self.stop = False

    async def wanted(self, run_id: str) -> bool:
        return self.stop


class ElsewhereSpending:
    """What another process has meanwhile spent."""

    def __init__(self) -> None:
        self.reads = 0
        self.tokens = 0

    async def of_run(self, tenant: str, run_id: str) -> Recorded:
        self.reads += 1
        return Recorded(calls=0, tokens=self.tokens, cost_micro=0, failed_steps=0, failed_ms=0)


def desk(spending: ElsewhereSpending, budgets: Budgets, wishes: Wanted | None = None) -> Desk:
    prompts = PromptLibrary(app_root() / "agents" / "prompts")
    return Desk(
        connections=Connections(NoDelegation(), no_server, NoPins()),
        gateway=Gateway([OfflineProvider()], prompts, MemoryRecorder(), permission=offline_only()),
        recorder=Steps(),
        wishes=wishes or Wanted(),
        questions=NoQuestions(),
        spending=spending,
        people=sample_identities(),
        budgets=budgets,
        clock=ManualClock(1),
    )


async def nothing(state: ReviewState, budget: object) -> ReviewUpdate:
    return {}


async def test_a_run_that_was_not_held_in_between_is_counted_from_its_records_before_its_next_step() -> None:
    spending = ElsewhereSpending()
    stepping = Stepping(desk(spending, Budgets(tokens=100)))
    node = stepping.step("intake", nothing)
    state: ReviewState = {"tenant": "harborline", "run_id": "run-1", "case_id": "HL-1", "subject": "rosa"}
    state = {**state, **await node(state)}
    assert spending.reads == 2  # before the step and after it
    state = {**state, **await node(state)}
    assert spending.reads == 3  # only after it: the step before was counted here
    spending.tokens = 100
    stepping.forget("run-1")
    stopped = await node(state)
    assert spending.reads == 5
    assert "tokens" in stopped.get("stop", "")


async def test_only_the_latest_runs_are_known_without_their_records() -> None:
    spending = ElsewhereSpending()
    node = Stepping(desk(spending, Budgets())).step("intake", nothing)
    state: ReviewState = {"tenant": "harborline", "run_id": "run-0", "case_id": "HL-1", "subject": "rosa"}
    state = {**state, **await node(state)}
    for number in range(1, MOST_COUNTED):
        await node({**state, "run_id": f"run-{number}", "steps": 0})
    before = spending.reads
    state = {**state, **await node(state)}
    assert spending.reads - before == 1  # only after the step: it was the oldest, and is the latest now
    for number in range(MOST_COUNTED, 2 * MOST_COUNTED):
        await node({**state, "run_id": f"run-{number}", "steps": 0})
    before = spending.reads
    await node(state)
    assert spending.reads - before == 2  # before the step, too: nothing is known of it any more


@pytest.mark.proves("E5")
async def test_a_step_before_which_the_run_is_wanted_to_stop_neither_works_nor_counts_nor_records() -> None:
    wishes, worked, spending = Wanted(), list[str](), ElsewhereSpending()
    kept = desk(spending, Budgets(), wishes)

    async def work(state: ReviewState, budget: object) -> ReviewUpdate:
        worked.append("once")
        return {}

    node = Stepping(kept).step("record", work, closing=True)
    state: ReviewState = {"tenant": "harborline", "run_id": "run-1", "case_id": "HL-1", "subject": "rosa"}
    wishes.stop = True
    with pytest.raises(GraphDrained):
        await node(state)
    recorder = cast(Steps, kept.recorder)
    assert (worked, recorder.kinds, spending.reads) == ([], [], 0)
    wishes.stop = False
    assert (await node(state)).get("trail") == ["record"]
    assert (worked, recorder.kinds) == (["once"], ["step"])
