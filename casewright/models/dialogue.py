"""One provider and one task: ask, read the answer, say what is wrong with it, at most twice.

It keeps to the task's deadline and counts what is spent. Which provider comes next is the
gateway's business.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Generic

from pydantic import ValidationError

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
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider, TextListener, Turn, Usage
from casewright.models.retry import Deadline, RetryPolicy, complete
from casewright.models.task import InputT, OutputT, Task

MAXIMUM_REPAIRS = 2
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(?P<body>.*)\n\s*```\s*\Z", re.DOTALL)
_MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 300


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What asking has cost so far."""

    usage: Usage = field(default_factory=Usage)
    calls: int = 0
    repairs: int = 0
    request_ids: tuple[str, ...] = ()

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            usage=self.usage + other.usage,
            calls=self.calls + other.calls,
            repairs=self.repairs + other.repairs,
            request_ids=self.request_ids + other.request_ids,
        )


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[OutputT]):
    """A valid output."""

    output: OutputT
    model: str
    spent: Spent


@dataclass(frozen=True, kw_only=True)
class NoAnswer:
    """Why there is none."""

    reason: str
    """Carries no text of the input or of a reply."""
    spent: Spent


@dataclass(frozen=True, kw_only=True)
class Dialogue(Generic[InputT, OutputT]):
    """The rounds with one provider."""

    task: Task[InputT, OutputT]
    prompts: PromptLibrary
    provider: Provider
    context: CallContext
    retry: RetryPolicy
    call_timeout_seconds: float
    listener: TextListener | None = None

    async def hold(self, value: InputT) -> Answer[OutputT] | NoAnswer:
        """Ask until an output is valid for `value`, or the rounds or the time are spent."""
        request = self._first_request(value)
        if self._too_long(request):
            return NoAnswer(
                reason=f"the input is longer than {self.task.max_input_characters} characters", spent=Spent()
            )
        deadline = Deadline.after(self.task.timeout_seconds)
        spent = Spent()
        while True:
            outcome = await complete(self.provider, request, policy=self.retry, deadline=deadline)
            spent = spent + _spent_on(outcome)
            if isinstance(outcome, NoReply):
                return NoAnswer(reason=outcome.reason, spent=spent)
            read = self._read(value, outcome)
            if not isinstance(read, tuple):
                return Answer(output=read, model=outcome.model, spent=spent)
            if spent.repairs >= MAXIMUM_REPAIRS:
                reason = f"the output was still not valid after {MAXIMUM_REPAIRS} corrections ({len(read)} problems)"
                return NoAnswer(reason=reason, spent=spent)
            spent = replace(spent, repairs=spent.repairs + 1)
            request = self._repair_request(request, outcome, read)

    def _first_request(self, value: InputT) -> ModelRequest:
        system = self.prompts.for_task(self.task).instructions
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
            timeout_seconds=self.call_timeout_seconds,
            listener=self.listener,
        )

    def _too_long(self, request: ModelRequest) -> bool:
        """Whether more would be sent out of the process than the task allows."""
        length = len(request.system) + sum(len(turn.text) for turn in request.turns)
        return self.provider.capabilities.leaves_process and length > self.task.max_input_characters

    def _repair_request(self, request: ModelRequest, reply: ModelReply, problems: tuple[str, ...]) -> ModelRequest:
        """The first question again, with the last answer and what is wrong with it."""
        correction = render_problems(self.prompts.get(REPAIR_PROMPT), problems)
        first = request.turns[0]
        if not reply.text.strip():
            # A provider refuses an empty turn, so the correction joins the question.
            return replace(request, turns=(Turn(role="user", text=f"{first.text}\n\n{correction}"),))
        answer = Turn(role="assistant", text=reply.text.strip())
        return replace(request, turns=(first, answer, Turn(role="user", text=correction)))

    def _read(self, value: InputT, reply: ModelReply) -> OutputT | tuple[str, ...]:
        if reply.cut_off:
            return (f"the answer was cut off at {self.task.max_output_tokens} tokens: answer more briefly",)
        if not reply.text.strip():
            return ("the answer was empty: answer with one JSON document",)
        fenced = _FENCE.match(reply.text)
        try:
            output = self.task.output.model_validate_json(fenced["body"] if fenced else reply.text)
        except ValidationError as error:
            return _validation_problems(error)
        return (
            tuple(neutral(one)[:_LONGEST_PROBLEM] for one in self.task.check(value, output)[:_MOST_PROBLEMS]) or output
        )


def _validation_problems(error: ValidationError) -> tuple[str, ...]:
    problems: list[str] = []
    for one in error.errors(include_input=False, include_url=False)[:_MOST_PROBLEMS]:
        where = ".".join(map(str, one["loc"])) or "the document"
        problems.append(neutral(f"{where}: {one['msg']}")[:_LONGEST_PROBLEM])
    return tuple(problems)


def _spent_on(outcome: ModelReply | NoReply) -> Spent:
    ids = (outcome.request_id,) if outcome.request_id else ()
    return Spent(usage=outcome.usage, calls=outcome.calls, request_ids=ids)
