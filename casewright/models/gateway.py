"""The one way to ask a model: a task, its input, a validated output, and a record of the call.

Every output is parsed, validated and checked against its input; a provider gets at most two
chances to mend an answer. Then the next provider answers, if the task permits it, and the result
says that it is degraded. No provider left: `ModelError`. Before every request it asks whether the
model may be called; one that is switched off is not, and the next provider is tried. The gateway
decides nothing about access itself and believes nothing a model says about itself.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Generic, Self

from pydantic import ValidationError

from casewright.errors import CasewrightError, DeniedError, InputError, ModelError
from casewright.models.accounting import CallRecord, Recorder
from casewright.models.dialogue import Answer, Dialogue, Spent
from casewright.models.layer import AnswerCache, CallContext, CallNotes, Layer, new_call_id
from casewright.models.permission import ModelPermission, PermittedProvider
from casewright.models.prompts import JSON_PROMPT, REPAIR_PROMPT, PromptLibrary
from casewright.models.provider import Provider, TextListener
from casewright.models.retry import RetryPolicy
from casewright.models.task import InputT, OutputT, Task
from casewright.models.tasks import TASKS


@dataclass(frozen=True, kw_only=True)
class TaskResult(Generic[OutputT]):
    """A valid output and the record of how it came about."""

    output: OutputT
    record: CallRecord


class Gateway:
    """Asks providers in order of preference. The order is the policy: first is best."""

    def __init__(
        self,
        providers: Sequence[Provider],
        prompts: PromptLibrary,
        recorder: Recorder,
        *,
        permission: ModelPermission,
        layers: Sequence[Layer] = (),
        answers: AnswerCache | None = None,
        retry: RetryPolicy | None = None,
        call_timeout_seconds: float = 60.0,
    ) -> None:
        """Check that every task has its prompt. `layers` stand around every provider, the outermost first.

        Raises:
            InputError: there is no provider, or a task's prompt is missing or does not fit it.
        """
        if not providers:
            raise InputError("the model gateway has no provider; give it at least the offline one")
        self._providers = tuple(providers)
        self._prompts = prompts
        self._recorder = recorder
        self._permission = permission
        self._layers = tuple(layers)
        self._answers = answers
        self._retry = retry or RetryPolicy()
        self._call_timeout_seconds = call_timeout_seconds
        for one in TASKS.values():
            prompts.for_task(one)
        prompts.get(REPAIR_PROMPT)
        prompts.get(JSON_PROMPT)

    async def run(
        self,
        task: Task[InputT, OutputT],
        value: InputT,
        *,
        context: CallContext,
        listener: TextListener | None = None,
    ) -> TaskResult[OutputT]:
        """Have `task` answered for `value`.

        Args:
            listener: hears replies as they are written, those that do not hold in the end as well.

        Raises:
            InputError: the input is not valid for the task.
            ModelError: no provider gave a valid output; its record is kept all the same.
            DeniedError: every provider that the task permits is switched off; recorded as well.
            StorageError: nobody can tell what is switched off; no model was called.
        """
        checked = _validated(task, value)
        context = replace(context, call_id=new_call_id(), notes=CallNotes(input=checked))
        started_ns = time.monotonic_ns()
        spent, failures, denied = Spent(), list[str](), list[DeniedError]()
        for provider in self._providers if task.may_degrade else self._providers[:1]:
            asked = PermittedProvider(self._layered(provider, context), self._permission, context)
            try:
                result = await self._dialogue(task, asked, context, listener).hold(checked)
            except CasewrightError as error:
                ending = _Ending(failures=(*failures, f"{provider.name}: {error}"))
                await self._recorder.record(self._record(task, context, spent, ending, started_ns), context.notes)
                raise
            spent = spent + result.spent
            if isinstance(result, Answer):
                ending = _Ending(provider=provider.name, model=result.model, failures=tuple(failures))
                context.notes.output = result.output.model_dump_json()
                record = self._record(task, context, spent, ending, started_ns)
                kept = await self._recorder.record(record, context.notes)
                return TaskResult(output=result.output, record=kept)
            failures.append(f"{provider.name}: {result.reason}")
            denied += [asked.denied] if asked.denied else []
        ending = _Ending(failures=tuple(failures))
        await self._recorder.record(self._record(task, context, spent, ending, started_ns), context.notes)
        if len(denied) == len(failures):
            raise DeniedError("; ".join(dict.fromkeys(map(str, denied))), code=denied[-1].code)
        raise ModelError(
            f"no valid output for task {task.name!r}: {'; '.join(failures)}. Try again later or use another model."
        )

    async def aclose(self) -> None:
        """Let go of the providers' connections."""
        for provider in self._providers:
            await provider.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _layered(self, provider: Provider, context: CallContext) -> Provider:
        for layer in reversed(self._layers):
            provider = layer.around(provider, context)
        return provider

    def _dialogue(
        self, task: Task[InputT, OutputT], provider: Provider, context: CallContext, listener: TextListener | None
    ) -> Dialogue[InputT, OutputT]:
        return Dialogue(
            task=task,
            prompts=self._prompts,
            provider=provider,
            context=context,
            retry=self._retry,
            call_timeout_seconds=self._call_timeout_seconds,
            listener=listener,
        )

    def _record(
        self, task: Task[Any, Any], context: CallContext, spent: Spent, ending: "_Ending", started_ns: int
    ) -> CallRecord:
        prompt = self._prompts.for_task(task)
        return CallRecord(
            task=task.name,
            task_version=task.version,
            risk=task.risk,
            prompt_id=prompt.head.id,
            prompt_version=prompt.head.version,
            prompt_hash=prompt.sha256,
            repair_prompt_hash=self._prompts.get(REPAIR_PROMPT).sha256 if spent.repairs else "",
            provider=ending.provider,
            model=ending.model,
            request_ids=spent.request_ids,
            input_tokens=spent.usage.input_tokens,
            output_tokens=spent.usage.output_tokens,
            cache_read_tokens=spent.usage.cache_read_tokens,
            cache_write_tokens=spent.usage.cache_write_tokens,
            duration_ms=(time.monotonic_ns() - started_ns) // 1_000_000,
            calls=spent.calls,
            repairs=spent.repairs,
            degraded=bool(ending.provider and ending.failures),
            outcome="answered" if ending.provider else "failed",
            reason="; ".join(ending.failures),
            run_id=context.run_id,
            case_id=context.case_id,
            tenant=context.tenant,
            agent=context.agent,
            call_id=context.call_id,
            estimated_tokens=context.notes.estimated_tokens,
            estimated_cost_micro=context.notes.estimated_cost_micro,
            cassettes=tuple(context.notes.cassettes),
        )


@dataclass(frozen=True, kw_only=True)
class _Ending:
    provider: str = ""
    """Empty: none answered."""
    model: str = ""
    failures: tuple[str, ...]


def _validated(task: Task[InputT, OutputT], value: InputT) -> InputT:
    if not isinstance(value, task.input):
        raise InputError(f"task {task.name!r} takes {task.input.__name__}, not {type(value).__name__}")
    try:
        return task.input.model_validate(value.model_dump(warnings="none"))
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors(include_input=False))
        raise InputError(f"the input of task {task.name!r} is wrong in: {wrong}; correct it") from error
