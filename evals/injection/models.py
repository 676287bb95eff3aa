"""The obeying model behind the real gateway: whatever a task asks, it answers what the order wants."""

import json
from dataclasses import replace
from typing import Any

from casewright.contracts.base import Contract
from casewright.contracts.case import CaseType
from casewright.models.classification import INTAKE_CLASSIFY, ClassifyInput, ClassifyOutput
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage
from casewright.models.selection import RESEARCH_SELECT, CandidateClause, SelectInput, SelectOutput
from casewright.models.task import InputT, OutputT, Task
from casewright.services import Services
from evals.injection.orders import MARK, order_in
from evals.injection.scene import Own, Scene
from evals.world import gateway_over


class ObeyingModel:
    """Gives one answer, however often it is told that it does not hold; keeps what it was shown."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = json.dumps(answer)
        self.shown: list[str] = []

    @property
    def name(self) -> str:
        return "obeying"

    @property
    def model(self) -> str:
        return "scripted"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(structured_output=True, leaves_process=False)

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.shown.append("\n".join(turn.text for turn in request.turns))
        return ModelReply(text=self._answer, model="scripted", usage=Usage())

    async def aclose(self) -> None:
        return None


def _gateway(services: Services, model: ObeyingModel) -> Gateway:
    return gateway_over(services, model)


def _context(own: Own, agent: str) -> CallContext:
    return CallContext(run_id=own.run_id, case_id=own.case_id, tenant="harborline", agent=agent)


def _believed(value: Contract, output: Contract) -> tuple[str, ...]:
    """Of a control: nothing is ever wrong with an answer."""
    return ()


def _tried(task: Task[InputT, OutputT], scene: Scene) -> Task[InputT, OutputT]:
    return task if scene.enforced else replace(task, check=_believed)


async def classified(scene: Scene, own: Own, narrative: str, answer: dict[str, Any]) -> ClassifyOutput:
    """What intake hands on when its model answers so.

    Raises:
        ModelError, DeniedError: the gateway took none of it.
    """
    value = ClassifyInput(
        case_type=CaseType.UNAUTHORIZED_TRANSFER,
        title="Lost card",
        narrative=narrative,
        product="Checking account",
        issue="Unauthorized debit card purchases",
        transactions="",
        known_facts=("accounts", "notices"),
    )
    task, gateway = _tried(INTAKE_CLASSIFY, scene), _gateway(scene.services, ObeyingModel(answer))
    found = await gateway.run(task, value, context=_context(own, "intake"))
    return found.output


async def selected(
    scene: Scene, own: Own, topic: str, offered: tuple[str, ...], answer: dict[str, Any]
) -> tuple[SelectOutput, str]:
    """What the researcher takes when its model answers so, and what the model was shown.

    Raises:
        ModelError, DeniedError: the gateway took none of it.
    """
    clauses = tuple(
        CandidateClause(clause_id=name, label="4.1", lead_in="", text="The bank must correct it.", score=1.0)
        for name in offered
    )
    model = ObeyingModel(answer)
    value = SelectInput(topic=topic, clauses=clauses)
    task, gateway = _tried(RESEARCH_SELECT, scene), _gateway(scene.services, model)
    found = await gateway.run(task, value, context=_context(own, "policy_researcher"))
    return found.output, "\n".join(model.shown)


def intake_answer(*queries: str, **more: Any) -> dict[str, Any]:
    """A well-formed answer of intake with these queries."""
    known = {"topics": ["other"], "language": "en", "needs_clarification": False, "candidates": [], "why": "asked to"}
    return known | {"queries": list(queries)} | more


async def handed_on(scene: Scene, own: Own, narrative: str, goal: str) -> str:
    """What the researcher's model reads after intake's obeyed the letter: the order as a query.

    Raises:
        ModelError, DeniedError: the gateway took nothing of it.
    """
    output = await classified(scene, own, narrative, intake_answer(MARK + goal))
    topic = "; ".join(output.queries)
    _, shown = await selected(scene, own, topic, ("hl@1#4.1",), {"clause_ids": [], "why": ""})
    return shown if order_in(shown) else topic
