"""A gateway that asks nobody: each call is answered from its recording, by present prompts and checks."""

from collections.abc import Callable, Mapping, Sequence

from casewright.errors import ModelError
from casewright.models.accounting import MemoryRecorder
from casewright.models.gateway import Gateway, TaskResult
from casewright.models.kept_calls import KeptCall, LostCall
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import TextListener
from casewright.models.replaying import EveryModel, ReplayedCall, Replayer
from casewright.models.task import InputT, OutputT, Task
from graphs.replay.parting import UnknownError, What, first_difference
from graphs.replay.tape import Parted


class RecordedModels(Gateway):
    """The model calls of one run."""

    def __init__(self, calls: Sequence[KeptCall | LostCall], prompts: PromptLibrary, replayer: Replayer) -> None:
        super().__init__([OfflineProvider()], prompts, MemoryRecorder(), permission=EveryModel())
        self._calls = list(calls)
        self._replayer = replayer
        self.replayed: list[ReplayedCall] = []
        self.parted: Parted | None = None
        """Makes the difference; whoever drives the replay says where it stands."""
        self.times: Mapping[str, int] = {}
        self.since_ns: Callable[[], int] = lambda: 0
        """When what came before the present step had ended: calls of an attempt before it are no part of it."""

    async def run(
        self,
        task: Task[InputT, OutputT],
        value: InputT,
        *,
        context: CallContext,
        listener: TextListener | None = None,
    ) -> TaskResult[OutputT]:
        """The recorded answer to exactly this input.

        Raises:
            PartedError: another input would be given, another request sent, or another answer come of it.
            UnknownError: the recording does not tell.
            ModelError, DeniedError: as it failed then.
        """
        call = self._next(task.name, context.agent)
        if call is None:
            raise self._difference("model", f"{task.name} would be asked, and the record has no such call")
        if isinstance(call, LostCall):
            raise UnknownError(f"the model call {call.record.call_id!r} ({task.name}): {call.problem}")
        checked = task.input.model_validate(value.model_dump(warnings="none"))
        kept = task.input.model_validate_json(call.input)
        if checked.model_dump_json() != call.input:
            found = first_difference(kept.model_dump(mode="json"), checked.model_dump(mode="json"))
            place, was, now = found or ("its form", "", "")
            raise self._difference("model", f"{task.name}.input.{place}", was, now)
        replayed = await self._replayer.replay(call)
        self.replayed.append(replayed)
        if replayed.verdict == "missing":
            raise UnknownError(f"the model call {replayed.call_id!r} ({task.name}): {replayed.where}")
        if replayed.verdict == "differs":
            raise self._difference("model", f"{task.name}: {replayed.where}")
        if call.output:
            return TaskResult(output=task.output.model_validate_json(call.output), record=call.record)
        raise replayed.failure or ModelError(call.record.reason)

    @property
    def left(self) -> Sequence[KeptCall | LostCall]:
        """Calls on record that were not made again."""
        return tuple(self._calls)

    def _next(self, task: str, agent: str) -> KeptCall | LostCall | None:
        """The oldest call of this kind that is left, of the present step."""
        since = self.since_ns()
        for call in self._calls:
            record = call.record
            if (record.task, record.agent) == (task, agent) and self.times.get(record.call_id, since) >= since:
                self._calls.remove(call)
                return call
        return None

    def _difference(self, what: What, place: str, was: str = "", now: str = "") -> Exception:
        if self.parted is None:
            return UnknownError(place)
        return self.parted(what, place, was, now)
