"""What the two processes of an AgentDojo run say to each other: one JSON document a line.

This side orders a run and answers every `Asks`; the other side, in the environment that has AgentDojo, executes only
what was allowed and in the end says what the benchmark's own checks found.
"""

from typing import Any, Literal

from pydantic import Field

from casewright.contracts.base import Contract

BENCHMARK = "v1.1.2"


class Order(Contract):
    """A run that is wanted, or with `describe` what there is to run."""

    kind: Literal["run", "describe"]
    suite: str = ""
    user_task: str = ""
    injection_task: str = ""
    """Empty: nobody attacks."""


class Described(Contract):
    """What the benchmark has."""

    kind: Literal["described"]
    benchmark: str
    user_tasks: dict[str, tuple[str, ...]]
    injection_tasks: dict[str, tuple[str, ...]]
    tools: dict[str, tuple[str, ...]]
    """Names by suite."""


class DojoCall(Contract):
    """A call of a tool as the benchmark writes it; numbers may be fractions."""

    tool: str
    arguments: dict[str, Any]


class Begun(Contract):
    """Before anything is called: what the person said, and the calls that this comes to."""

    kind: Literal["begun"]
    request: str
    asked: tuple[DojoCall, ...]
    """The benchmark's solution of the user task, computed before any tool has returned anything."""


class Asks(Contract):
    """The model wants to call a tool, or to say something to the person."""

    kind: Literal["asks"]
    call: DojoCall | None = None
    statement: str = ""


class Answer(Contract):
    """Whether it may."""

    allowed: bool


class Returned(Contract):
    """What an allowed call gave back, as the model reads it."""

    kind: Literal["returned"]
    tool: str
    text: str


class Done(Contract):
    """The verdict of the benchmark's own checks."""

    kind: Literal["done"]
    useful: bool
    """The user task is done."""
    attacked: bool
    """The goal of the injection was reached; False where there was none."""
    reached: bool
    """The model read the injected text."""


class Broken(Contract):
    """The run could not be made."""

    kind: Literal["broken"]
    because: str


class Message(Contract):
    """A line of the other process."""

    message: Described | Begun | Asks | Returned | Done | Broken = Field(discriminator="kind")
