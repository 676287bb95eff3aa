"""Keeps what a step's tools answered, in the transaction of the step's event: sealed, and once for each content.

A step that did not come to its end leaves no recording, nor does it leave a state. A step's document names its run, its
number and, by address, every result; addresses are keyed fingerprints (`casewright.models.contents`), so neither a
result nor the order of two can be changed unnoticed without the key. Read by `casewright.replay.kept_steps`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from casewright.audit.beside import Beside
from casewright.clock import Clock
from casewright.contracts.base import Contract
from casewright.models.contents import Content, Contents
from casewright.replay.made_call import Ending, MadeCall
from casewright.storage.model_tables import model_contents
from casewright.storage.replay_tables import tool_recordings

LONGEST_SAID = 100_000
"""Characters that are kept of what a server said; a step needs the first few hundred, and may not be lost for more."""


class KeptToolCall(Contract):
    """A call in the document of its step."""

    tool: str
    arguments: dict[str, Any]
    ending: Ending
    result: str
    """An address; empty: there is none."""
    said: str
    code: int


class KeptStep(Contract):
    """The document of a step."""

    kind: Literal["step/v1"] = "step/v1"
    run_id: str
    step: int
    node: str
    calls: tuple[KeptToolCall, ...]


@dataclass(frozen=True, kw_only=True)
class StepOfRun:
    """Which step of which run."""

    tenant: str
    run_id: str
    number: int
    """Steps of the run before it."""
    node: str


class ToolRecorder:
    """Makes the rows of a step's recording."""

    def __init__(self, contents: Contents, clock: Clock) -> None:
        self._contents = contents
        self._clock = clock

    def rows(self, step: StepOfRun, calls: Sequence[MadeCall]) -> tuple[Beside, ...]:
        """What to write with the step's event; nothing of a step that called no tool.

        Raises:
            StorageError: there is no key to seal with.
        """
        if not calls:
            return ()
        texts: dict[str, Content] = {}
        kept = tuple(self._kept(call, texts) for call in calls)
        document = KeptStep(run_id=step.run_id, step=step.number, node=step.node, calls=kept)
        address = self._sealed(document.model_dump(mode="json"), texts)
        at_ns = self._clock.now_ns()
        row = {"run_id": step.run_id, "step": step.number, "tenant": step.tenant, "at_ns": at_ns, "address": address}
        return (
            Beside(insert=_adding_step, rows=[row]),
            Beside(insert=adding_contents, rows=[self._packed(step.tenant, one, at_ns) for one in texts.values()]),
        )

    def _kept(self, call: MadeCall, texts: dict[str, Content]) -> KeptToolCall:
        result = "" if call.result is None else self._sealed(call.result, texts)
        said = call.said[:LONGEST_SAID]
        return KeptToolCall(
            tool=call.tool, arguments=call.arguments, ending=call.ending, result=result, said=said, code=call.code
        )

    def _sealed(self, document: dict[str, Any], texts: dict[str, Content]) -> str:
        content = self._contents.sealed(plain_json(document))
        texts[content.address] = content
        return content.address

    def _packed(self, tenant: str, content: Content, at_ns: int) -> dict[str, Any]:
        body = self._contents.pack(tenant, content)
        return {"tenant": tenant, "address": content.address, "at_ns": at_ns, "body": body}


def plain_json(document: Mapping[str, Any]) -> str:
    """One text for one content; not canonical JSON, which has no fractions: a search result holds scores."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@cache
def adding_contents(dialect: str) -> Insert:
    """What is there already stays, but counts as written now: it is pruned by when it was last needed."""
    statement = _insert(model_contents, dialect)
    return statement.on_conflict_do_update(
        index_elements=["tenant", "address"], set_={"at_ns": statement.excluded.at_ns}
    )


@cache
def _adding_step(dialect: str) -> Insert:
    """A step that was repeated, because its state was not kept, is recorded as it was done last."""
    statement = _insert(tool_recordings, dialect)
    changed = {name: statement.excluded[name] for name in ("tenant", "at_ns", "address")}
    return statement.on_conflict_do_update(index_elements=["run_id", "step"], set_=changed)


def _insert(table: Table, dialect: str) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)
