"""What a run waits for, whether that has happened, and what its graph is invoked with.

The value a graph is resumed with means nothing: what people decided, answered or added is in the
stores, and its nodes read it there. It drives nothing (see `graphs.runner`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from langgraph.types import Command

from casewright.contracts.run import RunStatus
from casewright.services import Services
from graphs.beginning import Beginnings, blank
from graphs.records import RunRecords, RunRow
from graphs.review import RECURSION_LIMIT
from graphs.state import ReviewState

if TYPE_CHECKING:
    from langgraph.types import StateSnapshot

    from graphs.review import ReviewGraph


@dataclass(frozen=True)
class Wake:
    """An input for the graph; wraps None, which is a valid one ("go on")."""

    input: Any


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a run stands, from its last checkpoint."""

    status: RunStatus
    because: str
    waiting_for: str = ""
    """The approval or question that it waits for."""


class Waker:
    """Looks whether runs can go on."""

    def __init__(self, services: Services, records: RunRecords) -> None:
        self._services = services
        self._records = records
        self._beginnings = Beginnings(services, records)

    async def wake(self, graph: "ReviewGraph", row: RunRow) -> Wake | None:
        """What to invoke the graph with; None: it is at its end, or waits for something that has not happened.

        Raises:
            VersionRefusedError: code of another version wrote its state.
        """
        snapshot = await graph.aget_state(config_of(row.run_id))
        if not snapshot.values:  # new, or it crashed before its first checkpoint
            await self._note_revision(row)
            return Wake(await self._beginnings.state(graph, row))
        if not snapshot.tasks:
            return None
        if not snapshot.interrupts:
            # It stopped between two steps: go on. Not `next`, which leaves out a node whose writes are
            # stored but not yet taken up by a checkpoint; such a run is not at its end.
            update = await self._beginnings.admitted(row, snapshot.values)
            return Wake(Command(update=update) if update else None)
        waiting = cast(dict[str, Any], snapshot.interrupts[0].value)
        if not await self._happened(row, waiting):
            return None
        update = await self._beginnings.admitted(row, snapshot.values)
        return Wake(Command(resume={snapshot.interrupts[0].id: "woken"}, update=update or None))

    async def noted_revision(self, run_id: str) -> int:
        """The case revision that the run last read its facts from; 0: none."""
        noted = await self._records.events(run_id, kind="reading")
        return int(noted[-1].body.get("case_revision", 0)) if noted else 0

    async def _happened(self, row: RunRow, waiting: dict[str, Any]) -> bool:
        match _kind(waiting):
            case "approval":
                approval = await self._services.approvals.get(row.tenant, str(waiting.get("approval_id", "")))
                return approval.state != "pending"
            case "answer":
                question = await self._services.questions.get(row.tenant, str(waiting.get("question_id", "")))
                return question.state != "open"
            case "information":
                return await self._case_changed(row)

    async def _case_changed(self, row: RunRow) -> bool:
        """Whether the case is another one than when its facts were read; then that one is noted.

        A note that no step came after, since whoever woke the run was stopped, says of no facts that they were read.
        """
        noted = await self._records.events(row.run_id, kind="reading")
        read = noted and await self._records.events(row.run_id, kind="step", after=noted[-1].seq, limit=1)
        if read and await self.noted_revision(row.run_id) == await self._revision(row):
            return False
        await self._note_revision(row)
        return True

    async def _note_revision(self, row: RunRow) -> None:
        """Note the case's revision before its facts are read, so that no later change is missed."""
        body: dict[str, object] = {"case_revision": await self._revision(row)}
        await self._records.step(row.run_id, "reading", body)

    async def _revision(self, row: RunRow) -> int:
        """The case's revision; 0: there is no such case, which the first step finds out."""
        stored = await self._services.cases.load(row.tenant, row.case_id)
        return stored.revision if stored is not None else 0


def standing_of(state: ReviewState, snapshot: "StateSnapshot") -> Standing:
    """What a run waits for, or how it ended."""
    if not snapshot.interrupts:
        status = cast(RunStatus, state.get("status", "failed"))
        return Standing(status=status, because=state.get("because", "the run stopped in the middle"))
    waiting = cast(dict[str, Any], snapshot.interrupts[0].value)
    match _kind(waiting):
        case "approval":
            return Standing(
                status="waiting_approval",
                because="the proposed action waits for approval",
                waiting_for=str(waiting.get("approval_id", "")),
            )
        case "answer":
            return Standing(
                status="waiting_answer",
                because="a person is asked before it goes on",
                waiting_for=str(waiting.get("question_id", "")),
            )
        case "information":
            missing = ", ".join(state.get("missing", []))
            return Standing(status="waiting_information", because=f"the checklist is not complete: {missing}")


def state_of(row: RunRow, snapshot: "StateSnapshot") -> ReviewState:
    """The run's state as far as it has one."""
    return cast(ReviewState, {**blank(row), **cast(dict[str, Any], snapshot.values)})


def config_of(run_id: str) -> Any:
    """How the graph library is told which run is meant."""
    return {"configurable": {"thread_id": run_id}, "recursion_limit": RECURSION_LIMIT}


def _kind(waiting: dict[str, Any]) -> Literal["approval", "answer", "information"]:
    kind = waiting.get("waiting")
    return kind if kind in ("approval", "answer") else "information"
