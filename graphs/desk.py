"""What the nodes of a review work with: connections, models, the record, and limits.

One desk serves many runs; it holds nothing of any of them.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from agents.specialist import Specialist
from agents.toolbox import Toolbox, ToolBudget
from casewright.audit.beside import Beside
from casewright.cases.inspection import Inspection, Uninspected
from casewright.clock import Clock
from casewright.config import Budgets
from casewright.contracts.question import RunQuestion
from casewright.identity.local import Directory
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.replay.made_call import MadeCall
from casewright.replay.recording import StepOfRun
from graphs.budget import allowance
from graphs.connections import RunIdentity
from graphs.spending import Spending
from graphs.state import ReviewState


class Opening(Protocol):
    """Opens a specialist's tools; see `graphs.connections.Connections`."""

    def open(
        self, specialist: Specialist, identity: RunIdentity, budget: ToolBudget
    ) -> AbstractAsyncContextManager[Toolbox]: ...


class StepRecorder(Protocol):
    """Keeps what a run did, for people and for the report; see `graphs.record`."""

    async def step(self, run_id: str, kind: str, body: dict[str, object], *, beside: Sequence[Beside] = ()) -> None: ...


class ToolRecording(Protocol):
    """Makes of a step's tool calls what is kept of them; see `casewright.replay.recording`."""

    def rows(self, step: StepOfRun, calls: Sequence[MadeCall]) -> tuple[Beside, ...]: ...


class NothingKept:
    """Keeps no tool calls: of a replay, which has them from the record."""

    def rows(self, step: StepOfRun, calls: Sequence[MadeCall]) -> tuple[Beside, ...]:
        return ()


class Wishes(Protocol):
    """Tells what people want of a run that is driven; see `graphs.wishes`."""

    async def wanted(self, run_id: str) -> bool: ...


class Questions(Protocol):
    """Keeps what a run asks people; see `casewright.questions`."""

    async def ask(self, question: RunQuestion) -> RunQuestion: ...

    async def get(self, tenant: str, question_id: str) -> RunQuestion: ...


@dataclass(frozen=True, kw_only=True)
class Desk:
    connections: Opening
    gateway: Gateway
    recorder: StepRecorder
    wishes: Wishes
    questions: Questions
    spending: Spending
    people: Directory
    budgets: Budgets
    clock: Clock
    inspection: Inspection = field(default_factory=Uninspected)
    """Tells people what looks as if it were written to steer a model. It informs, so that a desk may go without."""
    tool_recording: ToolRecording = field(default_factory=NothingKept)
    """Keeps what tools answered, for replay. It decides nothing, so that a desk may go without."""

    def identity(self, state: ReviewState) -> RunIdentity:
        """For whom the run acts now; a person who was removed stops it."""
        return RunIdentity(
            principal=self.people.find(state["subject"]),
            run_id=state["run_id"],
            case_id=state["case_id"],
            step=state.get("node", ""),
            steps_taken=state.get("steps", 0),
        )

    def context(self, state: ReviewState, agent: str) -> CallContext:
        return CallContext(
            run_id=state["run_id"],
            case_id=state["case_id"],
            tenant=state["tenant"],
            agent=agent,
            allowance=allowance(state, self.budgets),
        )
