"""LangGraph alone, for comparison: the nodes of a review answer at once with what a real review stored."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

from graphs.checkpoint import open_checkpoints
from graphs.state import ReviewState

Update = tuple[str, dict[str, Any]]
"""A node, and what it wrote."""


async def recorded_updates(checkpoints: Path, run_id: str) -> list[Update]:
    """What each node of a finished run wrote, in order, from its checkpoints."""
    found: list[Update] = []
    config: Any = {"configurable": {"thread_id": run_id}}
    async with open_checkpoints(checkpoints) as saver:
        history = [entry async for entry in saver.alist(config)]
    values = [entry.checkpoint["channel_values"] for entry in reversed(history)]
    for before, after in pairwise(values):
        trail: list[str] = after.get("trail", [])
        if len(trail) > len(before.get("trail", [])):
            own = {key: value for key, value in after.items() if key in ReviewState.__annotations__}
            found.append((trail[-1], {key: value for key, value in own.items() if before.get(key) != value}))
    return found


async def bare_milliseconds(path: Path, updates: list[Update], runs: int) -> list[float]:
    """Milliseconds of each of `runs` runs over a chain of nodes that answer with `updates`, checkpointed in sync."""
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        graph = _chain(updates).compile(checkpointer=saver)
        took: list[float] = []
        for number in range(runs + 1):
            config: Any = {"configurable": {"thread_id": str(number)}, "recursion_limit": 100}
            start: Any = {"run_id": str(number), "case_id": "", "tenant": "", "subject": ""}
            began = time.perf_counter()
            await graph.ainvoke(start, config, durability="sync")
            took.append((time.perf_counter() - began) * 1000)
    return took[1:]


def _chain(updates: list[Update]) -> Any:
    graph: Any = StateGraph(ReviewState)
    before = START
    for number, (node, update) in enumerate(updates):
        name = f"{number}_{node}"
        graph.add_node(name, _answering(update))
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph


def _answering(update: dict[str, Any]) -> Any:
    async def node(_state: ReviewState) -> dict[str, Any]:
        return update

    return node
