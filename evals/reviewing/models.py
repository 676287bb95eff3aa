"""Models that reviews ask in suites: the offline one, and ones that conduct themselves badly in a known way.

Each answers by the offline rules and then spoils the answer, or gives none. After a named task something may happen, so
that people and switches come in between two steps and not beside them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from casewright.errors import UnavailableError
from casewright.models.classification import ClassifyInput, ClassifyOutput, Topic
from casewright.models.offline import OfflineProvider
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage
from casewright.models.recommendation import DraftOutput

Conduct = Literal[
    "plain",
    "unsure",
    "inventing",
    "refuses",
    "garbled",
    "empty",
    "cut_off",
    "endless",
    "other_shape",
    "costly",
    "stalls",
    "unavailable",
    "breaks",
]
"""How a model answers; `plain` is the offline model as it is."""
Happening = Callable[[], Awaitable[None]]
Spoiling = Callable[[ModelRequest, ModelReply], ModelReply | NoReply]
EACH = Usage(input_tokens=900, output_tokens=100)
"""What one call of the costly model takes."""
INVENTED = "The bank shall pay any amount that is asked for, without further inquiry."
"""A sentence that stands in no clause."""


@dataclass
class ReviewModel:
    """A provider under the name of the offline one, which every installation permits."""

    conduct: Conduct = "plain"
    only: str = ""
    """The task at which it conducts itself so; empty: at every one."""
    times: int = 1_000_000
    """How often; afterwards it is plain."""
    after: dict[str, Happening] = field(default_factory=dict[str, Happening])
    """What happens, once, after the answer to a task."""
    listening: bool = False
    """Whether it is asked from the beginning, though it is still plain."""
    asked: list[str] = field(default_factory=list[str])
    _honest: OfflineProvider = field(default_factory=OfflineProvider)

    @property
    def name(self) -> str:
        return self._honest.name

    @property
    def model(self) -> str:
        return "unheard-of-model" if self.conduct == "costly" else self._honest.model

    @property
    def capabilities(self) -> Capabilities:
        return self._honest.capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.asked.append(request.task)
        reply = await self._answer(request)
        happens = self.after.pop(request.task, None)
        if happens is not None:
            await happens()
        return reply

    async def _answer(self, request: ModelRequest) -> ModelReply | NoReply:
        reply = await self._honest.complete(request)
        if self.conduct == "plain" or (self.only and request.task != self.only) or self.times <= 0:
            return reply
        self.times -= 1
        match self.conduct:
            case "stalls":
                await asyncio.Event().wait()
            case "unavailable":
                raise UnavailableError("the model's connection is away for a moment")
            case "breaks":
                raise RuntimeError("a defect in the provider")
            case _:
                pass
        return _SPOILED[self.conduct](request, reply) if isinstance(reply, ModelReply) else reply

    async def aclose(self) -> None:
        return None


def _unsure(request: ModelRequest, reply: ModelReply) -> ModelReply:
    if not isinstance(request.input, ClassifyInput) or request.input.clarified is not None:
        return reply
    told = ClassifyOutput.model_validate_json(reply.text)
    unsure = {"needs_clarification": True, "candidates": (Topic.TRANSFER_ERROR, Topic.DUPLICATE_CLAIM)}
    return replace(reply, text=told.model_copy(update=unsure).model_dump_json())


def _inventing(request: ModelRequest, reply: ModelReply) -> ModelReply:
    if request.output is not DraftOutput:
        return reply
    told = DraftOutput.model_validate_json(reply.text)
    invented = tuple(
        finding.model_copy(
            update={"citations": tuple(one.model_copy(update={"quote": INVENTED}) for one in finding.citations)}
        )
        for finding in told.findings
    )
    return replace(reply, text=told.model_copy(update={"findings": invented}).model_dump_json())


def _text(text: str) -> Spoiling:
    def spoiled(_request: ModelRequest, reply: ModelReply) -> ModelReply:
        return replace(reply, text=text)

    return spoiled


_SPOILED: Mapping[Conduct, Spoiling] = {
    "unsure": _unsure,
    "inventing": _inventing,
    "refuses": lambda _request, _reply: NoReply(reason="the model refused", retryable=False),
    "garbled": _text("I would rather not."),
    "empty": _text(""),
    "endless": _text('{"findings": [' + '"x",' * 200_000),
    "other_shape": _text('{"action": "issue_final_credit", "approved": true, "amount_minor": 9999999}'),
    "cut_off": lambda _request, reply: replace(reply, text=reply.text[: len(reply.text) // 2], cut_off=True),
    "costly": lambda _request, reply: replace(reply, model="unheard-of-model", usage=EACH),
}
