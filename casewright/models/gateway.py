"""The one way to ask a model: a task, its input, a validated output, and a record of the call.

Every output is parsed, validated and checked against its input; a provider gets at most two
chances to mend an answer. Then the next provider of the tier answers, and in the end the offline
one, if the task permits it; the result says that it is degraded. All of them share the task's
time. No provider left: `ModelError`. Before every request it asks whether the model may be called;
one that is switched off is not, and the next provider is tried. The gateway decides nothing about
access itself and believes nothing a model says about itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self

from pydantic import ValidationError

from casewright.errors import CasewrightError, DeniedError, InputError, ModelError
from casewright.models.accounting import CallRecord, Recorder
from casewright.models.cached import CachedAnswer
from casewright.models.call import Call, told
from casewright.models.conduct import Conduct
from casewright.models.dialogue import Answer, Dialogue, NoAnswer
from casewright.models.fallback import Asking, Failure, Found, first_answer
from casewright.models.layer import AskedTask, CallContext, CallNotes, Layer, new_call_id
from casewright.models.permission import ModelPermission, Permitted
from casewright.models.prompts import JSON_PROMPT, REPAIR_PROMPT, PromptLibrary
from casewright.models.provider import Provider, TextListener
from casewright.models.retry import Deadline, InTime, Trying
from casewright.models.routing import routes
from casewright.models.task import InputT, OutputT, Task, TaskRisk
from casewright.models.tasks import TASKS
from casewright.models.tasks import task as task_named
from casewright.models.turns import Places, Turns

_LOCAL_SECONDS = 10.0
"""What a provider in this process always has: it waits for nobody, and is asked when the others took all the time."""


@dataclass(frozen=True, kw_only=True)
class TaskResult(Generic[OutputT]):
    """A valid output and the record of how it came about."""

    output: OutputT
    record: CallRecord


class Gateway:
    """Asks providers in the order that the installation gives for the task's risk: first is best."""

    def __init__(
        self,
        providers: Sequence[Provider] | Mapping[TaskRisk, Sequence[Provider]],
        prompts: PromptLibrary,
        recorder: Recorder,
        *,
        permission: ModelPermission,
        layers: Sequence[Layer] = (),
        conduct: Conduct | None = None,
    ) -> None:
        """Check that every task has its prompt.

        Args:
            providers: the order for every risk, or one for each.
            layers: what stands around the permission (see `casewright.models.assembly`), the outermost first.

        Raises:
            InputError: there is no provider for a risk, or a task's prompt is missing or does not fit it.
        """
        self._routes = routes(providers)
        self._prompts = prompts
        self._recorder = recorder
        self._permission = permission
        self._layers = tuple(layers)
        self._conduct = conduct or Conduct()
        self._turns = Turns()
        self._places = Places(self._conduct.requests_at_once)
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
            InputError: the input is not valid for the task, or no task of that name is listed.
            ModelError: no provider gave a valid output; its record is kept all the same.
            DeniedError: every provider that the task permits is switched off or may not have the data; recorded as
                well.
            StorageError: nobody can tell what is switched off; no model was called.
        """
        async with self._turns:
            checked = _validated(task, value)
        call = Call(
            task=task,
            value=checked,
            context=replace(context, call_id=new_call_id(), notes=CallNotes(input=checked)),
            listener=listener,
            deadline=Deadline.after(self._conduct.task_seconds.get(task.name, task.timeout_seconds)),
        )
        try:
            found = await first_answer(self._askings(call), hedge_after_seconds=self._hedging(call))
        except CasewrightError as error:
            await self._keep(call, Found(answer=None), cut_off=str(error))
            raise
        except Exception as error:
            # Nobody foresaw it; what was sent has to be paid for all the same. Its words might hold what was sent.
            await self._keep(call, Found(answer=None), cut_off=f"it ended with {type(error).__name__}")
            raise
        except asyncio.CancelledError:
            if call.log.attempts:  # what was asked has to be paid for
                await self._keep(call, Found(answer=None), cut_off="given up by whoever asked")
            raise
        record = await self._keep(call, found)
        if found.answer is None:
            raise _failure(task, found.failures)
        return TaskResult(output=found.answer.output, record=record)

    async def aclose(self) -> None:
        """Let go of the providers' connections."""
        for provider in self._routes.providers:
            await provider.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _hedging(self, call: Call[Any, Any]) -> float | None:
        """Whoever listens to one reply cannot listen to two."""
        return self._conduct.hedge_after_seconds if call.listener is None else None

    def _askings(self, call: Call[InputT, OutputT]) -> list[Asking[OutputT]]:
        route = self._routes.of(call.task)
        leaving = [provider.capabilities.leaves_process for provider in route]
        return [
            Asking(
                provider=provider.name,
                may_race=leaving[at],
                ask=partial(self._ask, call, provider, later=sum(leaving[at + 1 :])),
            )
            for at, provider in enumerate(route)
        ]

    async def _ask(self, call: Call[InputT, OutputT], provider: Provider, *, later: int) -> Answer[OutputT] | NoAnswer:
        """One provider; `later` others may still have to be asked in the same time."""
        cached = self._cached(call, provider)
        if cached is not None and (kept := await cached.find()) is not None:
            return kept
        result = await self._dialogue(call, provider, later).hold(call.value)
        if cached is None or isinstance(result, NoAnswer):
            return result
        return await cached.keep(result, call.log)

    def _cached(self, call: Call[InputT, OutputT], provider: Provider) -> CachedAnswer[InputT, OutputT] | None:
        """Its place among the answers that are kept; None: none are of this task and provider."""
        answers, kept = self._conduct.answers, call.task.deterministic and provider.capabilities.leaves_process
        if answers is None or not kept:
            return None
        asked = AskedTask(
            task=call.task,
            value=call.value,
            provider=provider.name,
            model=provider.model,
            prompts_sha256=self._prompts.sha256,
            context=call.context,
        )
        return CachedAnswer(answers, self._permission, asked, call.task)

    def _dialogue(self, call: Call[InputT, OutputT], provider: Provider, later: int) -> Dialogue[InputT, OutputT]:
        trying = Trying(
            policy=self._conduct.retry,
            deadline=self._deadline(call, provider, later),
            place=self._places.of(provider.name),
            log=call.log,
        )
        return Dialogue(
            task=call.task,
            prompts=self._prompts,
            provider=self._stacked(provider, call.context),
            context=call.context,
            trying=trying,
            turns=self._turns,
            call_seconds=self._conduct.call_seconds,
            listener=call.listener,
        )

    def _deadline(self, call: Call[Any, Any], provider: Provider, later: int) -> Deadline:
        """Until when one provider is asked: those that come after it are left their share, or what is in reserve."""
        left = call.deadline.remaining_seconds
        if not provider.capabilities.leaves_process:
            return Deadline.after(max(left, _LOCAL_SECONDS))
        return Deadline.after(max(left / (later + 1), left - later * self._conduct.reserve_seconds))

    def _stacked(self, provider: Provider, context: CallContext) -> Provider:
        breakers = self._conduct.breakers
        outer = (*([breakers] if breakers else []), InTime(), Permitted(self._permission))
        for layer in reversed((*outer, *self._layers)):
            provider = layer.around(provider, context)
        return provider

    async def _keep(self, call: Call[Any, OutputT], found: Found[OutputT], *, cut_off: str = "") -> CallRecord:
        notes = call.context.notes
        notes.output = found.answer.output.model_dump_json() if found.answer else ""
        return await self._recorder.record(call.record(self._prompts, found, cut_off=cut_off), notes)


def _failure(task: Task[Any, Any], failures: Sequence[Failure]) -> CasewrightError:
    """Denied where every provider was; else that none of them gave a valid output."""
    denied = [failure.because for failure in failures if failure.because.denied]
    if len(denied) == len(failures):
        reasons = "; ".join(dict.fromkeys(one.reason for one in denied))
        return DeniedError(reasons, code=denied[-1].denied)
    reasons = "; ".join(map(told, failures))
    return ModelError(f"no valid output for task {task.name!r}: {reasons}. Try again later or use another model.")


def _validated(task: Task[InputT, OutputT], value: InputT) -> InputT:
    task_named(task.name)
    if not isinstance(value, task.input):
        raise InputError(f"task {task.name!r} takes {task.input.__name__}, not {type(value).__name__}")
    try:
        return task.input.model_validate(value.model_dump(warnings="none"))
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors(include_input=False))
        raise InputError(f"the input of task {task.name!r} is wrong in: {wrong}; correct it") from error
