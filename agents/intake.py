"""Intake: what the case is about, as topics and search queries that carry nothing personal."""

from dataclasses import dataclass

from agents.documents import CaseReading
from agents.toolbox import Toolbox
from casewright.models.classification import INTAKE_CLASSIFY, ClassifyInput, Topic
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext


@dataclass(frozen=True, kw_only=True)
class IntakeNote:
    """What intake hands on: small values, no text of the case but its own search queries."""

    case_type: str
    as_of: str
    """The date whose rules apply: when the case was received."""
    currency: str
    topics: tuple[str, ...]
    queries: tuple[str, ...]
    candidates: tuple[str, ...]
    """Topics among which it cannot be told what the case is about; empty: it can."""
    model: str


async def classify(tools: Toolbox, gateway: Gateway, context: CallContext, *, clarified: str = "") -> IntakeNote:
    """Read the case and name its topics; `clarified` is the one that a person chose, empty: nobody was asked."""
    case = await tools.call("get_case", {}, CaseReading)
    known = [name for name in ("accounts", "notices", "parties") if getattr(case, name)]
    asked = ClassifyInput(
        case_type=case.case_type,
        title=case.title,
        narrative=case.narrative,
        product=case.product,
        issue=case.issue,
        transactions="",
        known_facts=tuple(known),
        clarified=Topic(clarified) if clarified else None,
    )
    result = await gateway.run(INTAKE_CLASSIFY, asked, context=context)
    return IntakeNote(
        case_type=case.case_type.value,
        as_of=case.received_on.isoformat(),
        currency=case.currency,
        topics=tuple(topic.value for topic in result.output.topics),
        queries=result.output.queries,
        candidates=tuple(topic.value for topic in result.output.candidates),
        model=result.record.model,
    )
