"""The offline provider: every task answered in this process, without a model and without a key.

It chooses whole sentences and applies rules; the same input gives the same answer. The gateway
treats its answers like any other's: parsed, validated, checked.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from casewright.contracts.base import Contract
from casewright.errors import CasewrightError
from casewright.models.extractive.answering import answer
from casewright.models.extractive.drafting import draft
from casewright.models.extractive.intake import classify
from casewright.models.extractive.research import select
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage
from casewright.models.tasks import ANSWER_QUESTION, DRAFT_RECOMMENDATION, INTAKE_CLASSIFY, RESEARCH_SELECT

OFFLINE_MODEL = "offline/extractive"
_ANSWERS: Mapping[str, Callable[[Any], Contract]] = MappingProxyType(
    {
        INTAKE_CLASSIFY.name: classify,
        RESEARCH_SELECT.name: select,
        DRAFT_RECOMMENDATION.name: draft,
        ANSWER_QUESTION.name: answer,
    }
)


class OfflineProvider:
    """Answers from the typed input; the rendered prompt is not read."""

    @property
    def name(self) -> str:
        return "offline"

    @property
    def model(self) -> str:
        return OFFLINE_MODEL

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(structured_output=True, leaves_process=False)

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        answer_for = _ANSWERS.get(request.task)
        if answer_for is None:
            return NoReply(reason=f"the offline provider has no rules for task {request.task!r}", retryable=False)
        try:
            output = answer_for(request.input)
        except CasewrightError as error:
            return NoReply(reason=f"the offline rules failed: {type(error).__name__}", retryable=False)
        return ModelReply(text=output.model_dump_json(), model=OFFLINE_MODEL, usage=Usage())

    async def aclose(self) -> None:
        return None
