"""What every step of a review has around it: its budgets, its deadline, its record.

An expected failure becomes a reason to stop, so that a review ends as "incomplete, because" and not with an
exception. Where the machine failed, not the review, the exception goes on to the runner, and what the attempt took
is kept for the next one to count. What people want of the run is looked for before a step does anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, cast

from langgraph.errors import GraphDrained
from mcp.shared.exceptions import MCPError

from agents.toolbox import ToolBudget
from casewright.errors import CasewrightError, StorageError, UnavailableError
from casewright.replay.made_call import MadeCall
from casewright.replay.recording import StepOfRun
from graphs.budget import handed_over, reconciled, spent_out, step_deadline
from graphs.desk import Desk
from graphs.progress import noted
from graphs.spending import FAILED_STEP
from graphs.state import STATE_VERSION, Delegate, ReviewState, ReviewUpdate

NodeWork = Callable[[ReviewState, ToolBudget], Awaitable[ReviewUpdate]]
LONGEST_REASON = 600
MOST_COUNTED = 256
"""Runs whose steps are known without their records; far more than one process drives at once."""
_log = logging.getLogger("casewright.graphs")


class Node(Protocol):
    """A node as the graph calls it."""

    async def __call__(self, state: ReviewState) -> ReviewUpdate: ...


class Stepping:
    """Makes nodes of what specialists do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._counted: dict[str, int] = {}
        """Steps of a run when its last step was counted here, the latest last; a failed attempt takes it out."""

    def forget(self, run_id: str) -> None:
        """Count the run from its records again: while its lease was not had here, others may have worked on it."""
        self._counted.pop(run_id, None)

    def step(self, name: str, work: NodeWork, *, agent: str = "", closing: bool = False) -> Node:
        """A node that counts against the budgets and records what it did.

        With a budget spent it does nothing but say so; a closing node, which spends nothing, runs.
        """

        async def node(state: ReviewState) -> ReviewUpdate:
            begun_ns = self._desk.clock.now_ns()
            here: ReviewState = {**state, **await self._caught_up(state), "node": name}
            budget = ToolBudget(limit=self._desk.budgets.tool_calls, spent=here.get("tool_calls", 0))
            refused = "" if closing else self._refused(here, agent)
            handed = {agent: 1} if agent and not refused else {}
            update: ReviewUpdate = {"stop": refused} if refused else await self._attempt(here, work, budget)
            spent_ms = self._milliseconds_since(begun_ns)
            counted = _counted({**here, "tool_calls": budget.spent}, handed, spent_ms)
            await self._record(here, update, counted, (spent_ms, budget.made))
            used = await self._used(here, counted)
            self._remember(state["run_id"], counted.get("steps", 0))
            return _changed(state, {**update, **counted, **used})

        return self.unless_wanted(node)

    def unless_wanted(self, node: Node) -> Node:
        """The node, begun only while nobody wants the run to stop; else what ends the graph between two steps.

        That leaves no trace of the node.
        """

        async def obeying(state: ReviewState) -> ReviewUpdate:
            if await self._desk.wishes.wanted(state["run_id"]):
                raise GraphDrained("wanted")
            return await node(state)

        return obeying

    def delegate(self, name: Delegate, work: NodeWork) -> Node:
        """A step of the router's delegates: done once per reading of the facts, and watched for circles."""

        async def delegated(state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
            update = await work(state, budget)
            return {**update, **noted(name, state, update), "done": [*state.get("done", []), name]}

        return self.step(name, delegated, agent=name)

    def _refused(self, state: ReviewState, agent: str) -> str:
        budgets = self._desk.budgets
        return spent_out(state, budgets) or (handed_over(state, agent, budgets) if agent else "")

    async def _attempt(self, state: ReviewState, work: NodeWork, budget: ToolBudget) -> ReviewUpdate:
        """The work within its time; what fails beyond the review is noted and raised."""
        begun_ns = self._desk.clock.now_ns()
        name = state.get("node", "")
        seconds, why = step_deadline(state, self._desk.budgets)
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await work(state, budget)
        except TimeoutError as error:
            if deadline.expired():
                return {"stop": f"{name} was given up: {why}"}
            await self._note_failure(state, error, begun_ns)
            raise
        except (StorageError, UnavailableError) as error:
            await self._note_failure(state, error, begun_ns)
            raise  # the machine failed, not the review: it can go on from its last checkpoint
        except (CasewrightError, MCPError) as error:
            return {"stop": f"{name}: {error}"[:LONGEST_REASON]}
        except Exception as error:
            await self._note_failure(state, error, begun_ns)
            raise

    async def _note_failure(self, state: ReviewState, error: Exception, begun_ns: int) -> None:
        """Keep what the attempt took; where that cannot be kept, the error itself is what matters."""
        body: dict[str, object] = {
            "node": state.get("node", ""),
            "milliseconds": self._milliseconds_since(begun_ns),
            "error": type(error).__name__,
        }
        try:
            await self._desk.recorder.step(state["run_id"], FAILED_STEP, body)
        except CasewrightError:
            _log.warning("a failed step of run %r could not be noted", state["run_id"], exc_info=True)

    async def _record(
        self, state: ReviewState, update: ReviewUpdate, counted: ReviewUpdate, took: tuple[int, Sequence[MadeCall]]
    ) -> None:
        """The step's event, and beside it what its tools answered; `took` are milliseconds and those calls."""
        spent_ms, calls = took
        node = state.get("node", "")
        here = StepOfRun(tenant=state["tenant"], run_id=state["run_id"], number=state.get("steps", 0), node=node)
        body: dict[str, object] = {
            "node": node,
            "milliseconds": spent_ms,
            "tool_calls": counted.get("tool_calls", 0),
        }
        if update.get("stop"):
            body["stop"] = update.get("stop", "")
        kept = self._desk.tool_recording.rows(here, calls)
        await self._desk.recorder.step(state["run_id"], "step", body, beside=kept)

    async def _used(self, state: ReviewState, counted: ReviewUpdate) -> ReviewUpdate:
        """Tokens and money after the step, and calls that the records know of beyond it."""
        known = await self._reconciled({**state, **counted})
        return {
            "tool_calls": known.get("tool_calls", 0),
            "tokens": known.get("tokens", 0),
            "cost_micro": known.get("cost_micro", 0),
        }

    def _remember(self, run_id: str, steps: int) -> None:
        """Runs end without a word here, so that only the latest are known; any other is counted from its records."""
        self._counted[run_id] = steps
        if len(self._counted) > MOST_COUNTED:
            del self._counted[next(iter(self._counted))]

    async def _caught_up(self, state: ReviewState) -> ReviewUpdate:
        """What the records know beyond the state; nothing, where the step before this one was just counted here."""
        if self._counted.pop(state["run_id"], -1) == state.get("steps", 0):
            return {}
        return await self._reconciled(state)

    async def _reconciled(self, state: ReviewState) -> ReviewUpdate:
        return reconciled(state, await self._desk.spending.of_run(state["tenant"], state["run_id"]))

    def _milliseconds_since(self, begun_ns: int) -> int:
        return max(0, self._desk.clock.now_ns() - begun_ns) // 1_000_000


def _changed(state: ReviewState, update: ReviewUpdate) -> ReviewUpdate:
    """Only what is another value than before: every value that is written is stored again, with its place."""
    return cast(
        ReviewUpdate, {name: value for name, value in update.items() if name not in state or state[name] != value}
    )


def _failures(state: ReviewState) -> ReviewUpdate:
    """How much of what is counted failed, where anything did."""
    if not state.get("failed_steps", 0):
        return {}
    return {"failed_steps": state.get("failed_steps", 0), "failed_ms": state.get("failed_ms", 0)}


def _counted(state: ReviewState, handed: dict[str, int], spent_ms: int) -> ReviewUpdate:
    delegated = state.get("delegated", {})
    return {
        "state_version": STATE_VERSION,
        "steps": state.get("steps", 0) + 1,
        "delegated": {**delegated, **{agent: delegated.get(agent, 0) + times for agent, times in handed.items()}},
        "tool_calls": state.get("tool_calls", 0),
        "spent_ms": state.get("spent_ms", 0) + spent_ms,
        **_failures(state),
        "trail": [*state.get("trail", []), state.get("node", "")],
    }
