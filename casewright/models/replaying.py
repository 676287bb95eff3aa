"""Replays recorded model calls without any model: the same task and input, the recorded replies, and then a comparison.

Prompts, redaction, validation, repair, retries and fallback are those of the present code, so a replay shows where they
would act otherwise than they did. Nothing is sent: a request that is not in the record stops the replay of its call
with the first place in which it differs. What depended on time or money (when it was given up, whether it was asked
again) is taken as it was. It is *not* a replay of tools or of the graph, which `graphs.replay` is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from casewright.errors import CasewrightError, DeniedError, InputError, ModelError
from casewright.models.accounting import MemoryRecorder
from casewright.models.cassette import GIVEN_UP
from casewright.models.conduct import Conduct
from casewright.models.differences import difference, document_difference
from casewright.models.exchange import Exchange, KeptRequest, outcome_again, request_kept, unmarked
from casewright.models.gateway import Gateway
from casewright.models.kept_calls import KeptCall, LostCall
from casewright.models.layer import CallContext, Layer
from casewright.models.numbering import renumbered, renumbering
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Provider
from casewright.models.retry import RetryPolicy
from casewright.models.tasks import TASKS

_TEXTS = ("system", "turns", "input")
"""Fields of a request that are texts; a turn has a name of its own."""
Verdict = Literal["same", "differs", "missing"]


class ReplayError(CasewrightError):
    """Look at the difference: what would be asked now is not what was recorded, and nobody is there to be asked."""


@dataclass(frozen=True, kw_only=True)
class ReplayedCall:
    """What came of replaying one call."""

    call_id: str
    task: str
    agent: str
    exchanges: int
    verdict: Verdict
    where: str = ""
    """Where it differs, or why it cannot be replayed; empty: it is the same."""
    failure: CasewrightError | None = None
    """How it failed, now as then; None: it was answered, or nothing was sent."""


@dataclass(kw_only=True)
class Tape:
    """The exchanges of one call with one model, in order."""

    exchanges: Sequence[Exchange]
    texts: dict[str, str]
    cut: bool
    """Whether the call ended without an answer, so that the record may stop anywhere."""
    played: int = 0
    problem: str = ""
    """The first request that was not on it."""


@dataclass(kw_only=True)
class ReplayingProvider:
    """Answers from a tape, as the provider that was recorded on it."""

    tape: Tape

    @property
    def name(self) -> str:
        return self.tape.exchanges[0].request.provider

    @property
    def model(self) -> str:
        return self.tape.exchanges[0].request.model

    @property
    def capabilities(self) -> Capabilities:
        first = self.tape.exchanges[0].request
        return Capabilities(structured_output=first.structured_output, leaves_process=first.leaves_process)

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        """The recorded outcome of exactly this request.

        Raises:
            ReplayError: the record has another request in its place, or none.
        """
        tape = self.tape
        number = tape.played + 1
        if number > len(tape.exchanges):
            return self._beyond(number)
        expected = tape.exchanges[tape.played]
        difference, numbers = compared(expected.request, tape.texts, request, self)
        if difference:
            tape.problem = f"request {number} to {self.name!r} is not the recorded one: {difference}"
            raise ReplayError(tape.problem)
        tape.played = number
        return outcome_again(expected.outcome, renumbered(tape.texts.get(expected.outcome.text, ""), numbers))

    async def aclose(self) -> None:
        return None

    def _beyond(self, number: int) -> NoReply:
        """After a failure the record ends because time did; after a reply nothing more was needed then."""
        last = self.tape.exchanges[-1].outcome
        if not last.text or self.tape.cut:
            return NoReply(reason=last.reason or GIVEN_UP, retryable=False, calls=0)
        self.tape.problem = f"a request {number} to {self.name!r} would be sent now, and the record has none"
        raise ReplayError(self.tape.problem)


class Replayer:
    """Replays calls with the prompts and layers of the present."""

    def __init__(self, prompts: PromptLibrary, layers: Sequence[Layer]) -> None:
        """`layers` are those that change what is sent and comes back, such as redaction; nothing forbids or records."""
        self._prompts = prompts
        self._layers = tuple(layers)

    async def replay(self, call: KeptCall | LostCall) -> ReplayedCall:
        """Replay one call and compare its answer byte for byte."""
        if isinstance(call, LostCall):
            return _told(call, "missing", call.problem)
        task = TASKS.get(call.record.task)
        if task is None or task.version != call.record.task_version:
            return _told(call, "missing", f"there is no version {call.record.task_version} of its task any more")
        if not call.exchanges:
            return self._without_exchanges(call)
        tapes = _tapes(call)
        failure: CasewrightError | None = None
        try:
            value = task.input.model_validate_json(call.input)
            async with self._gateway(tapes) as gateway:
                result = await gateway.run(task, value, context=_context(call))
            output = str(result.output.model_dump_json())
        except (ModelError, DeniedError) as error:
            output, failure = "", error
        except (ReplayError, InputError) as error:
            return _told(call, "differs", str(error))
        except ValueError:  # its words would hold the input
            return _told(call, "differs", "its input no longer has the shape of the task's input")
        return replace(self._compared(call, output, tapes), failure=failure)

    def _gateway(self, tapes: Sequence[Tape]) -> Gateway:
        return Gateway(
            [ReplayingProvider(tape=tape) for tape in tapes],
            self._prompts,
            MemoryRecorder(),
            permission=EveryModel(),
            layers=self._layers,
            conduct=Conduct(retry=RetryPolicy(pause=_at_once, jitter=lambda: 0.0)),
        )

    def _without_exchanges(self, call: KeptCall) -> ReplayedCall:
        """Nothing was sent: an answer was given again, which is checked anew, or the call was refused."""
        if call.record.outcome == "failed":
            return _told(call, "same")
        task = TASKS[call.record.task]
        try:
            value = task.input.model_validate_json(call.input)
            problems = task.check(value, task.output.model_validate_json(call.output))
        except ValueError:
            problems = ("its answer no longer has the shape of the task's output",)
        where = f"the answer that was given again would not pass today ({len(problems)} problems)" if problems else ""
        return _told(call, "differs" if problems else "same", where)

    def _compared(self, call: KeptCall, output: str, tapes: Sequence[Tape]) -> ReplayedCall:
        problem = next((tape.problem for tape in tapes if tape.problem), "")
        if problem:
            return _told(call, "differs", problem)
        if output != call.output:
            return _told(call, "differs", document_difference("the answer", call.output, output))
        left = sum(len(tape.exchanges) - tape.played for tape in tapes)
        if left:
            return _told(call, "differs", f"{left} recorded request(s) would not be sent now")
        return _told(call, "same")


def compared(
    recorded: KeptRequest, texts: dict[str, str], request: ModelRequest, provider: Provider
) -> tuple[str, Mapping[str, str]]:
    """The first place where a request is not the recorded one, in words, and empty where it is; and by which
    placeholders the recorded ones go now.
    """
    present: dict[str, str] = {}

    def keep(text: str) -> str:
        address = f"{len(present)}"
        present[address] = text
        return address

    now = request_kept(request, provider, keep)
    for name in KeptRequest.model_fields:
        if name not in _TEXTS and getattr(recorded, name) != getattr(now, name):
            return f"its {name} was {getattr(recorded, name)!r} and is {getattr(now, name)!r}", {}
    if len(recorded.turns) != len(now.turns):
        return f"it had {len(recorded.turns)} turns and has {len(now.turns)}", {}
    was, are = _texts_of(recorded, texts), _texts_of(now, present)
    numbers = renumbering(_turns(was), _turns(are))
    for (name, before), (_, after) in zip(was, are, strict=True):
        text = renumbered(before, numbers) if name not in _TEXTS else before
        if text != after:
            return difference(name, text, after), {}
    return "", numbers


def _texts_of(request: KeptRequest, texts: dict[str, str]) -> list[tuple[str, str]]:
    """Every text of a request with its name, without the markers that are drawn anew each time."""
    named = [("system", request.system), ("input", request.input)]
    named += [(f"turn {number}", turn.text) for number, turn in enumerate(request.turns, start=1)]
    plain = unmarked([texts[address] if address else "" for _, address in named])
    return [(name, text) for (name, _), text in zip(named, plain, strict=True)]


def _turns(named: Sequence[tuple[str, str]]) -> list[str]:
    """The texts that were redacted, without the instructions, which name placeholders as examples."""
    return [text for name, text in named if name not in _TEXTS]


def _tapes(call: KeptCall) -> list[Tape]:
    """One for each model, in the order in which they were asked first."""
    by_model: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in call.exchanges:
        by_model.setdefault((exchange.request.provider, exchange.request.model), []).append(exchange)
    cut = call.record.outcome == "failed"
    return [Tape(exchanges=exchanges, texts=call.texts, cut=cut) for exchanges in by_model.values()]


def _context(call: KeptCall) -> CallContext:
    record = call.record
    return CallContext(run_id=record.run_id, case_id=record.case_id, tenant=record.tenant, agent=record.agent)


def _told(call: KeptCall | LostCall, verdict: Verdict, where: str = "") -> ReplayedCall:
    record = call.record
    return ReplayedCall(
        call_id=record.call_id,
        task=record.task,
        agent=record.agent,
        exchanges=len(record.cassettes),
        verdict=verdict,
        where=where,
    )


class EveryModel:
    """Whether a model may be asked does not matter: none is."""

    async def check(self, context: CallContext, model: str) -> None:
        return None


async def _at_once(seconds: float) -> None:
    return None
