"""Replays a question: the answerer over what is on record of it, and its answer held against the recorded one.

Sentences that were shown while the model wrote are no part of it: what counts is the answer that was kept. The calls of
tools are taken by their content, since their order came from how the reply arrived.
"""

import json
from dataclasses import dataclass
from typing import Any

from agents.answerer import Asked, answer
from agents.sentences import ShownSentence
from agents.toolbox import ToolBudget
from casewright.models.kept_calls import KeptCall, KeptCalls, LostCall
from casewright.models.layer import CallContext
from casewright.models.replaying import ReplayedCall
from casewright.replay.kept_steps import KeptSteps, LostStep, PlayedStep
from casewright.services import Services
from graphs.answering import CALLS, answer_document
from graphs.inquiries import Inquiry, inquiry_of
from graphs.records import RunRecords, RunRow
from graphs.replay.models import RecordedModels
from graphs.replay.parting import PartedError, Parting, UnknownError, What, first_difference
from graphs.replay.record import NotRecordedError
from graphs.replay.review import ReplayMeans
from graphs.replay.tape import TapeToolbox, ToolTape

ANSWERER = "answerer"


@dataclass(frozen=True, kw_only=True)
class RecordedQuestion:
    """A question as it was."""

    row: RunRow
    inquiry: Inquiry
    answered: dict[str, Any]
    tools: PlayedStep | LostStep
    models: tuple[KeptCall | LostCall, ...]


@dataclass(frozen=True, kw_only=True)
class ReplayedQuestion:
    """What came of a replay."""

    tool_calls: int
    models: tuple[ReplayedCall, ...]
    parting: Parting | None
    unknown: str


async def recorded_question(services: Services, records: RunRecords, row: RunRow) -> RecordedQuestion:
    """Everything that is on record of a question.

    Raises:
        NotRecordedError: it was not answered, or nothing is on record of its tools.
        StorageError: something cannot be read.
    """
    inquiry, answered = await inquiry_of(records, row.run_id)
    tools = await KeptSteps(services.database, services.contents).of_run(row.tenant, row.run_id)
    if answered is None or not tools:
        lacks = "was not answered" if answered is None else "has no recording of what its tools answered"
        raise NotRecordedError(f"question {row.run_id!r} {lacks}; its model calls alone are replayed")
    kept = KeptCalls(services.database, services.contents)
    models = await kept.of_run(row.tenant, row.run_id)
    return RecordedQuestion(row=row, inquiry=inquiry, answered=answered, tools=tools[-1], models=models)


async def replay_question(question: RecordedQuestion, means: ReplayMeans) -> ReplayedQuestion:
    """The question again. Nothing is sent, and nothing is written."""
    models = RecordedModels(question.models, means.prompts, means.replayer)
    models.parted = _parted
    budget = ToolBudget(limit=CALLS, spent=0)
    parting, unknown = None, ""
    try:
        await _answered(question, models, budget)
    except PartedError as error:
        parting = error.parting
    except UnknownError as error:
        unknown = str(error)
    return ReplayedQuestion(
        tool_calls=len(budget.made), models=tuple(models.replayed), parting=parting, unknown=unknown
    )


async def _answered(question: RecordedQuestion, models: RecordedModels, budget: ToolBudget) -> None:
    if isinstance(question.tools, LostStep):
        raise UnknownError(question.tools.problem)
    row, inquiry = question.row, question.inquiry
    tools = TapeToolbox(ToolTape(calls=question.tools.calls, in_order=False), budget, _parted)
    context = CallContext(run_id=row.run_id, case_id="", tenant=row.tenant, agent=ANSWERER)
    asked = Asked(question=inquiry.question, as_of=inquiry.as_of, outlet=_Nowhere())
    found = await answer(tools, models, context, asked)
    release = str(question.answered.get("release", ""))
    now = json.loads(json.dumps(answer_document(found, row.run_id, inquiry.as_of, release=release)))
    was = {name: value for name, value in question.answered.items() if name != "question"}
    if (parts := first_difference(was, now)) is not None:
        raise _parted("answer", *parts)


def _parted(what: What, place: str, was: str = "", now: str = "") -> PartedError:
    return PartedError(Parting(step=1, node=ANSWERER, what=what, place=place, was=was, now=now))


class _Nowhere:
    """Shows nothing to anybody."""

    async def show(self, number: int, sentence: ShownSentence) -> None:
        return None

    async def withdraw(self, first: int, because: str) -> None:
        return None
