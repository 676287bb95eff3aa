"""A small LangGraph system that passes every probe, and the flaws that make it fail some: the probes' own proof.

propose asks the model and writes the approval; the gate only interrupts; act looks into the ledger, consumes the
approval and writes the effect in one transaction. What the graph is resumed with is ignored. A flaw takes one of these
away, in the way that one finds it in tutorials.
"""

import json
import sqlite3
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from .subject import Effect, Refused, Shown

Flaw = Literal[
    "acts before it asks",
    "never acts",
    "rejection counts as decided",
    "model beside the gate",
    "resume value decides",
    "state decides",
    "anybody decides",
    "requester decides",
    "last decision wins",
    "any key decides",
    "run not bound",
    "approval not consumed",
    "effect before its record",
    "ledger in memory",
    "input runs on",
]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS approvals (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS effects (run TEXT NOT NULL, arguments TEXT NOT NULL);
"""


class State(TypedDict, total=False):
    run: str
    key: str
    arguments: dict[str, Any]
    value: Any


class ReferenceSubject:
    """One gated payment over SQLite files in a folder."""

    requester = "rita"
    approvers = ("anna", "ben")
    stranger = "steve"

    def __init__(self, folder: Path, flaws: frozenset[Flaw] = frozenset()) -> None:
        self._folder = folder
        self._flaws = flaws
        self._runs = 0
        self._drifted: set[str] = set()
        self._breaks = False
        self._open = AsyncExitStack()
        self._graph: Any = None
        self._ledger: sqlite3.Connection

    async def restart(self) -> None:
        """Open everything anew."""
        await self.close()
        saver = await self._open.enter_async_context(
            AsyncSqliteSaver.from_conn_string(str(self._folder / "checkpoints.db"))
        )
        place = ":memory:" if "ledger in memory" in self._flaws else str(self._folder / "ledger.db")
        self._ledger = sqlite3.connect(place, isolation_level=None)
        self._open.callback(self._ledger.close)
        self._ledger.executescript(_SCHEMA)
        graph: Any = StateGraph(State)
        for name in ("propose", "gate", "act"):
            graph.add_node(name, getattr(self, f"_{name}"))
        graph.add_edge(START, "propose")
        graph.add_edge("propose", "gate")
        graph.add_edge("gate", "act")
        graph.add_conditional_edges("act", self._after_act, ["gate", END])
        self._graph = graph.compile(checkpointer=saver)

    async def close(self) -> None:
        """Close what is open."""
        await self._open.aclose()

    async def start(self) -> str:
        self._runs += 1
        run = f"run-{self._runs}"
        await self._invoke(run, {"run": run})
        return run

    async def shown(self, run: str) -> Shown | None:
        row = self._row("SELECT key, arguments FROM approvals WHERE run = ? AND state = 'pending'", run)
        return None if row is None else Shown(key=row[0], arguments=json.loads(row[1]))

    async def decide(self, run: str, key: str, *, approve: bool, by: str) -> None:
        self._check_person(by)
        if "any key decides" in self._flaws:
            key = str((self._row("SELECT key FROM approvals WHERE run = ?", run) or (key,))[0])
        state = "approved" if approve or "rejection counts as decided" in self._flaws else "rejected"
        where = "key = ?" if "last decision wins" in self._flaws else "key = ? AND state = 'pending'"
        values = [state, key]
        if "run not bound" in self._flaws:  # a decision by position: whatever waits now
            where, values = "state = 'pending'", [state]
        else:
            where, values = f"{where} AND run = ?", [*values, run]
        changed = self._ledger.execute(f"UPDATE approvals SET state = ? WHERE {where}", values)
        if changed.rowcount == 0:
            raise Refused(f"nothing waits under {key!r} for run {run!r}")

    async def wake(self, run: str, value: object = None) -> None:
        snapshot = await self._graph.aget_state(_config(run))
        if not snapshot.next:
            raise Refused(f"run {run!r} has ended")
        resume = Command(resume={snapshot.interrupts[0].id: value}) if snapshot.interrupts else None
        await self._invoke(run, resume)

    async def again(self, run: str) -> None:
        if "input runs on" in self._flaws:
            await self._graph.aupdate_state(_config(run), {"value": "woken"}, as_node="gate")
            self._ledger.execute("UPDATE approvals SET state = 'approved' WHERE run = ?", [run])
        await self._invoke(run, {"run": run} if "input runs on" not in self._flaws else None)

    async def drift(self, run: str) -> None:
        self._drifted.add(run)

    async def force(self, run: str, node: str) -> None:
        await self._graph.aupdate_state(_config(run), {"value": "approved"}, as_node=node)
        await self._invoke(run, None)

    async def break_after_effect(self) -> None:
        self._breaks = True

    async def effects(self) -> list[Effect]:
        rows = self._ledger.execute("SELECT run, arguments FROM effects").fetchall()
        return [Effect(run=run, arguments=json.loads(arguments)) for run, arguments in rows]

    async def _propose(self, state: State) -> State:
        run = state.get("run", "")
        arguments = self._model(run)
        key = f"{run}:1"
        row = [key, run, json.dumps(arguments)]
        self._ledger.execute("INSERT OR IGNORE INTO approvals VALUES (?, ?, ?, 'pending')", row)
        if "acts before it asks" in self._flaws:
            self._ledger.execute("INSERT INTO effects VALUES (?, ?)", row[1:])
        return {"key": key, "arguments": arguments}

    async def _gate(self, state: State) -> State:
        value = interrupt({"key": state.get("key", "")})
        if "model beside the gate" in self._flaws:
            return {"value": value, "arguments": self._model(state.get("run", ""))}
        return {"value": value}

    async def _act(self, state: State) -> State:
        run, key, arguments = state.get("run", ""), state.get("key", ""), state.get("arguments", {})
        if "never acts" in self._flaws or not self._consumed(key, arguments, state):
            return {}
        if self._breaks:
            self._breaks = False
            raise RuntimeError(f"run {run!r} was broken on purpose")
        return {}

    def _consumed(self, key: str, arguments: dict[str, Any], state: State) -> bool:
        """Consume the approval and write the effect, in one transaction; False: there is none to consume."""
        effect = [state.get("run", ""), json.dumps(arguments)]
        if self._decided_elsewhere(state):
            self._ledger.execute("INSERT INTO effects VALUES (?, ?)", effect)
            return True
        used = "approved" if "approval not consumed" in self._flaws else "consumed"
        match, values = "key = ? AND state = 'approved' AND arguments = ?", [used, key, effect[1]]
        if "model beside the gate" in self._flaws:
            match, values = "key = ? AND state = 'approved'", [used, key]
        if "effect before its record" in self._flaws:
            return self._careless(key, effect)
        self._ledger.execute("BEGIN IMMEDIATE")
        changed = self._ledger.execute(f"UPDATE approvals SET state = ? WHERE {match}", values)
        if changed.rowcount == 1:
            self._ledger.execute("INSERT INTO effects VALUES (?, ?)", effect)
        self._ledger.execute("COMMIT")
        return changed.rowcount == 1

    def _careless(self, key: str, effect: list[str]) -> bool:
        """Do it, then note that it was done: a crash between the two does it again."""
        row = self._row("SELECT state FROM approvals WHERE key = ?", key)
        if row is None or row[0] != "approved":
            return False
        self._ledger.execute("INSERT INTO effects VALUES (?, ?)", effect)
        if not self._breaks:
            self._ledger.execute("UPDATE approvals SET state = 'consumed' WHERE key = ?", [key])
        return True

    def _decided_elsewhere(self, state: State) -> bool:
        value = state.get("value")
        if "resume value decides" in self._flaws:
            return bool(value)
        return "state decides" in self._flaws and value == "approved"

    async def _after_act(self, state: State) -> str:
        row = self._row("SELECT state FROM approvals WHERE key = ?", state.get("key", ""))
        open_still = row is not None and row[0] in ("pending", "approved")
        return "gate" if open_still else END

    def _check_person(self, by: str) -> None:
        if "anybody decides" in self._flaws:
            return
        allowed = (*self.approvers, self.requester) if "requester decides" in self._flaws else self.approvers
        if by not in allowed:
            raise Refused(f"{by!r} may not decide")

    def _model(self, run: str) -> dict[str, Any]:
        return {"amount": 9_999 if run in self._drifted else 100}

    def _row(self, query: str, *values: str) -> tuple[Any, ...] | None:
        return cast(tuple[Any, ...] | None, self._ledger.execute(query, values).fetchone())

    async def _invoke(self, run: str, value: Any) -> None:
        await self._graph.ainvoke(value, _config(run), durability="sync")


@asynccontextmanager
async def reference(flaws: frozenset[Flaw] = frozenset()) -> AsyncGenerator[ReferenceSubject]:
    """A new reference system in a folder of its own, with some flaws."""
    with tempfile.TemporaryDirectory(prefix="hitl-") as folder:
        subject = ReferenceSubject(Path(folder), flaws)
        await subject.restart()
        try:
            yield subject
        finally:
            await subject.close()


def _config(run: str) -> Any:
    return {"configurable": {"thread_id": run}, "recursion_limit": 20}
