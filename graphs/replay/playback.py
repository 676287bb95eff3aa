"""Where a replay stands in its record, and what a desk asks of it: time, spending, events, questions and people.

Strict: what present code does is held against the next thing on record, and the first difference stops the replay
(`graphs.replay.parting`). Nothing here reads or writes a store.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from agents.specialist import Specialist
from agents.toolbox import Toolbox, ToolBudget
from casewright.audit.beside import Beside
from casewright.contracts.case import Classification
from casewright.contracts.principal import Principal
from casewright.contracts.question import RunQuestion
from casewright.errors import NotFoundError
from casewright.replay.kept_steps import PlayedStep
from casewright.replay.made_call import MadeCall
from casewright.trust.inspection import Suspicion
from graphs.budget import Recorded
from graphs.connections import RunIdentity
from graphs.replay.parting import PartedError, Parting, UnknownError, What, first_difference
from graphs.replay.record import RecordedRun, RecordedStep
from graphs.replay.tape import ToolTape, opened_tape
from graphs.spending import FAILED_STEP

_MS = 1_000_000
_GIVEN_UP = " was given up: "


class Playback:
    """One replay of one run; also its desk's clock, spending, recorder, wishes, inspection, questions and people."""

    def __init__(self, run: RecordedRun, questions: Sequence[RunQuestion]) -> None:
        self.run = run
        self.done = 0
        """Steps that were replayed to their end."""
        self.events: list[tuple[str, dict[str, Any]]] = []
        """What the replay would have written as events of the run."""
        self.made: list[MadeCall] = []
        """The calls of the steps that were replayed."""
        self.forget: Callable[[], object] = lambda: None
        """Makes the steps look into the records before each of them, as after a resume."""
        self._questions = {one.question_id: one for one in questions}
        self._working = False
        self._reads = self._times = self._told = 0
        self._tape = ToolTape(calls=())

    @property
    def present(self) -> RecordedStep:
        """The step that is being replayed.

        Raises:
            PartedError: the record has no further one.
        """
        if self.done >= len(self.run.steps):
            raise PartedError(
                Parting(step=self.done + 1, node="", what="step", place="it would go on, and the record ends here")
            )
        return self.run.steps[self.done]

    def parted(self, what: What, place: str, was: str = "", now: str = "") -> PartedError:
        """The difference, at the present step."""
        number = min(self.done + 1, len(self.run.steps))
        node = self.run.steps[number - 1].node
        return PartedError(Parting(step=number, node=node, what=what, place=place, was=was, now=now))

    def open(
        self, specialist: Specialist, identity: RunIdentity, budget: ToolBudget
    ) -> AbstractAsyncContextManager[Toolbox]:
        """The tools of a specialist: what the record has of them."""
        if identity.step != self.present.node:
            raise self.parted("step", "node", json.dumps(self.present.node), json.dumps(identity.step))
        return opened_tape(self._tape, budget, self.parted)

    def now_ns(self) -> int:
        """The times as recorded: when a step begins, and from then on when it ended."""
        if not self._working:
            self._begin()
        self._times += 1
        step = self.present
        return step.begun_ns if self._times == 1 else step.begun_ns + step.milliseconds * _MS

    async def of_run(self, tenant: str, run_id: str) -> Recorded:
        """What the run had spent by then, as its state tells: before the step, and then after it."""
        self._reads += 1
        after, calls = self.present.state, len(self._tape.calls)
        before = after.get("inherited", {})
        ended = self._reads > 1
        if ended:
            self._working = False
            self.done += 1
        return Recorded(
            calls=after.get("tool_calls", 0) - before.get("tool_calls", 0) - (0 if ended else calls),
            tokens=after.get("tokens", 0) - before.get("tokens", 0) if ended else 0,
            cost_micro=after.get("cost_micro", 0) - before.get("cost_micro", 0) if ended else 0,
            failed_steps=after.get("failed_steps", 0),
            failed_ms=after.get("failed_ms", 0),
        )

    async def step(self, run_id: str, kind: str, body: dict[str, object], *, beside: Sequence[Beside] = ()) -> None:
        """Hold an event against the record.

        Raises:
            PartedError: the record has another one, or none.
        """
        if kind == FAILED_STEP:
            return
        plain: dict[str, Any] = json.loads(json.dumps(body))
        if self._told >= len(self.present.events):
            raise self.parted("event", f"{kind} is new")
        expected = self.present.events[self._told]
        if expected.kind != kind:
            raise self.parted("event", "kind", json.dumps(expected.kind), json.dumps(kind))
        if (found := first_difference(expected.body, plain)) is not None:
            place, was, now = found
            raise self.parted("event", f"{kind}.{place}", was, now)
        self._told += 1
        self.events.append((kind, plain))
        if kind == "step":
            self._check_all_made()

    def _check_all_made(self) -> None:
        if left := self._tape.left():
            raise self.parted("tool", f"{left} recorded call(s) would not be made")
        self.made += self._tape.calls

    async def wanted(self, run_id: str) -> bool:
        """Nothing: of a run that people stopped, the record has the steps before it."""
        return False

    async def of(self, tenant: str, case_id: str) -> tuple[Suspicion, ...]:
        """What was suspicious in the case then: the case may be another one since."""
        told = [event.body["suspicions"] for event in self.present.events if event.kind == "suspected"]
        return tuple(Suspicion.model_validate(one) for one in told[0]) if told else ()

    async def ask(self, question: RunQuestion) -> RunQuestion:
        """The question as it was asked.

        Raises:
            PartedError: it would be another one.
        """
        known = await self.get(question.tenant, question.question_id)
        own = {"kind", "text", "options", "detail", "question_id", "run_id", "case_id"}
        found = first_difference(
            known.model_dump(mode="json", include=own), question.model_dump(mode="json", include=own)
        )
        if found is not None:
            raise self.parted("event", f"question.{found[0]}", found[1], found[2])
        return known

    async def get(self, tenant: str, question_id: str) -> RunQuestion:
        """A question with its answer."""
        if question_id not in self._questions:
            raise self.parted("event", f"question {question_id} was not asked")
        return self._questions[question_id]

    def find(self, identity: str) -> Principal:
        """The person for whom the run acted; who they are now plays no part, since nothing is asked of any server.

        Raises:
            NotFoundError: the run was another person's.
        """
        if identity != self.run.row.subject:
            raise NotFoundError(f"the run was for {self.run.row.subject!r}, not for {identity!r}")
        return Principal(id=identity, tenant=self.run.row.tenant, roles=(), clearance=Classification.PUBLIC)

    def _begin(self) -> None:
        step = self.present
        stop = str(step.ended.body.get("stop", ""))
        if stop.startswith(f"{step.node}{_GIVEN_UP}"):
            raise UnknownError(f"step {step.number} ({step.node}) was given up for its time; its end is as recorded")
        if lacks := self.run.lacks(step):
            raise UnknownError(f"step {step.number} ({step.node}): {lacks}")
        kept = self.run.tools.get(step.before)
        self._tape = ToolTape(calls=kept.calls if isinstance(kept, PlayedStep) else ())
        self._working, self._reads, self._times, self._told = True, 0, 0, 0
        self.forget()
