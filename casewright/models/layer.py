"""What stands between the gateway and a provider: one concern each, put around the provider for one call.

A layer sees the whole request and the whole reply and may replace either. In which order they stand is said once, in
`casewright.models.assembly`; a layer knows none of the others.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.models.allowance import Allowance
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Provider
from casewright.models.task import Task


@dataclass(kw_only=True)
class CallNotes:
    """What layers find out about one call, for its record; the gateway begins each call with new ones."""

    input: Contract | None = None
    """What the task was asked with; None: nobody has said yet."""
    output: str = ""
    """The answer as JSON; empty: there is none."""

    estimated_tokens: int = 0
    """The most that its requests could use."""
    estimated_cost_micro: int = 0
    sent: list[str] = field(default_factory=list[str])
    """What left for where, and the policy revision that let it; one entry for each request that left."""
    cassettes: list[str] = field(default_factory=list[str])
    """Addresses of the exchanges that were recorded, in order."""
    contents: dict[str, str] = field(default_factory=dict[str, str])
    """What is to be kept of them, by address; see `casewright.models.contents`."""
    recorded: bool = False
    """Whether the call's record is kept."""
    given_up_cost_micro: int = 0
    """What requests were estimated to cost that were given up on their way, so that nobody says what they used."""


@dataclass(frozen=True, kw_only=True)
class CallContext:
    """Whose call it is; goes to the record, never to the model."""

    run_id: str
    case_id: str
    tenant: str
    agent: str
    case_class: Classification | None = None
    """What the case is classified as; None: not known, so a task about a case counts as `restricted`."""

    allowance: Allowance | None = None
    """What the run may still spend; None: the call belongs to no run, and only its tenant's limits hold."""
    call_id: str = ""
    """Names the call; the gateway gives it."""
    notes: CallNotes = field(default_factory=CallNotes, compare=False, repr=False)

    def data_class(self, task: Task[Any, Any]) -> Classification:
        """How far what `task` sends in this call may travel: the stricter one of the task's class and the case's."""
        if not task.holds_case:
            return task.data_class
        levels = list(Classification)
        return max(task.data_class, self.case_class or Classification.RESTRICTED, key=levels.index)


def new_call_id() -> str:
    """A name for one call."""
    return f"call-{secrets.token_hex(8)}"


class ProviderAround:
    """What a layer puts around a provider: the same from outside, until it does something else with a request."""

    def __init__(self, provider: Provider) -> None:
        self.inner = provider

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def model(self) -> str:
        return self.inner.model

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        return await self.inner.complete(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


class Layer(Protocol):
    """One concern around every call, such as the protection of personal data or the recording of exchanges."""

    def around(self, provider: Provider, context: CallContext) -> Provider:
        """A provider for one call of one task that does its part and asks `provider` for the rest."""
        ...


@dataclass(frozen=True, kw_only=True)
class AskedTask:
    """One task with its input, as one model is asked for it: everything that its answer depends on."""

    task: Task[Any, Any]
    value: Contract
    provider: str
    model: str
    prompts_sha256: str
    """Of every prompt file: the task's, and those that ask for corrections, for JSON and about placeholders."""
    context: CallContext


class AnswerCache(Protocol):
    """Keeps valid answers of deterministic tasks. It stands around the whole dialogue, so it keeps nothing unchecked;
    what it gives back is validated again, and the model has to be permitted as if it were asked.
    """

    async def find(self, asked: AskedTask) -> str | None:
        """The output as JSON that was kept for exactly this; None: there is none."""
        ...

    async def keep(self, asked: AskedTask, output: str) -> None:
        """Keep a valid output, as JSON."""
        ...
