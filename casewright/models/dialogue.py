"""One provider and one task: ask, read the answer, say what is wrong with it, at most twice.

It keeps to the deadline it is given, and every attempt is written down. Which provider comes next
is the gateway's business.
"""

import re
from dataclasses import dataclass, replace
from typing import Generic, Literal

from pydantic import ValidationError

from casewright.models.fitting import TooLong, fitted
from casewright.models.layer import CallContext
from casewright.models.prompts import (
    JSON_PROMPT,
    REPAIR_PROMPT,
    PromptLibrary,
    neutral,
    render,
    render_problems,
    render_schema,
)
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider, TextListener, Turn
from casewright.models.retry import Trying
from casewright.models.task import InputT, OutputT, Task
from casewright.models.turns import Turns

MAXIMUM_REPAIRS = 2
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(?P<body>.*)\n\s*```\s*\Z", re.DOTALL)
_MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 300


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[OutputT]):
    """A valid output."""

    output: OutputT
    model: str
    cache: Literal["hit", "miss", "off"] = "off"
    """`hit`: it was kept from before, and nobody was asked; `off`: it was not looked for."""


@dataclass(frozen=True, kw_only=True)
class NoAnswer:
    """Why there is none."""

    reason: str
    """Carries no text of the input or of a reply."""
    denied: str = ""
    """Code of the decision that forbade asking; empty: nobody forbade it."""


@dataclass(frozen=True, kw_only=True)
class _Problems:
    """Why a reply does not hold."""

    texts: tuple[str, ...]
    """For the model, in words it can act on; they may quote its own reply."""
    kinds: tuple[str, ...]
    """For the record: no word of a reply in them."""

    @property
    def reason(self) -> str:
        count = f"{len(self.texts)} problem{'s' if len(self.texts) > 1 else ''}"
        return f"{count}: {', '.join(sorted(set(self.kinds)))}"


@dataclass(frozen=True, kw_only=True)
class Dialogue(Generic[InputT, OutputT]):
    """The rounds with one provider."""

    task: Task[InputT, OutputT]
    prompts: PromptLibrary
    provider: Provider
    context: CallContext
    trying: Trying
    turns: Turns
    call_seconds: float
    listener: TextListener | None = None

    async def hold(self, value: InputT) -> Answer[OutputT] | NoAnswer:
        """Ask until an output is valid for `value`, or the rounds or the time are spent."""
        async with self.turns:
            asked = fitted(self.task, value, self.provider.capabilities, self._first_request)
        if isinstance(asked, TooLong):
            return NoAnswer(reason=f"the input is longer than {asked.characters} characters")
        request, log = asked.request, self.trying.log
        log.left_out, repairs = max(log.left_out, asked.left_out), 0
        while True:
            outcome = await self.trying.complete(self.provider, request)
            if isinstance(outcome, NoReply):
                return NoAnswer(reason=outcome.reason, denied=outcome.denied)
            async with self.turns:
                read = self._read(asked.value, outcome)
            if not isinstance(read, _Problems):
                return Answer(output=read, model=outcome.model)
            log.did_not_hold(outcome, read.reason)
            if repairs >= MAXIMUM_REPAIRS:
                still = f"the output was still not valid after {MAXIMUM_REPAIRS} corrections"
                return NoAnswer(reason=f"{still} ({read.reason})")
            repairs, log.repairs = repairs + 1, log.repairs + 1
            request = self._repair_request(request, outcome, read.texts)

    def _first_request(self, value: InputT) -> ModelRequest:
        system = self.prompts.for_task(self.task).system
        if not self.provider.capabilities.structured_output:
            system = f"{system}\n\n{render_schema(self.prompts.get(JSON_PROMPT), self.task.output)}"
        return ModelRequest(
            task=self.task.name,
            task_version=self.task.version,
            risk=self.task.risk,
            data_class=self.context.data_class(self.task),
            personal_data=self.task.personal_data,
            max_cost_micro=self.task.max_cost_micro,
            input=value,
            output=self.task.output,
            system=system,
            turns=(render(self.task, value),),
            max_output_tokens=self.task.max_output_tokens,
            timeout_seconds=self.call_seconds,
            listener=self.listener,
        )

    def _repair_request(self, request: ModelRequest, reply: ModelReply, problems: tuple[str, ...]) -> ModelRequest:
        """The first question again, with the last answer and what is wrong with it."""
        correction = render_problems(self.prompts.get(REPAIR_PROMPT), problems)
        first = request.turns[0]
        if not reply.text.strip():
            # A provider refuses an empty turn, so the correction joins the question.
            return replace(request, turns=(Turn(role="user", text=f"{first.text}\n\n{correction}"),))
        answer = Turn(role="assistant", text=reply.text.strip())
        return replace(request, turns=(first, answer, Turn(role="user", text=correction)))

    def _read(self, value: InputT, reply: ModelReply) -> OutputT | _Problems:
        if reply.cut_off:
            told = f"the answer was cut off at {self.task.max_output_tokens} tokens: answer more briefly"
            return _Problems(texts=(told,), kinds=("cut off",))
        if not reply.text.strip():
            return _Problems(texts=("the answer was empty: answer with one JSON document",), kinds=("empty",))
        fenced = _FENCE.match(reply.text)
        try:
            output = self.task.output.model_validate_json(fenced["body"] if fenced else reply.text)
        except ValidationError as error:
            return _validation_problems(error)
        texts = tuple(neutral(one)[:_LONGEST_PROBLEM] for one in self.task.check(value, output)[:_MOST_PROBLEMS])
        return _Problems(texts=texts, kinds=("checks of the task",)) if texts else output


def _validation_problems(error: ValidationError) -> _Problems:
    found = error.errors(include_input=False, include_url=False)[:_MOST_PROBLEMS]
    texts: list[str] = []
    for one in found:
        where = ".".join(map(str, one["loc"])) or "the document"
        texts.append(neutral(f"{where}: {one['msg']}")[:_LONGEST_PROBLEM])
    return _Problems(texts=tuple(texts), kinds=tuple(one["type"] for one in found))
