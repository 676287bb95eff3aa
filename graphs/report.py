"""The report of a run: from its state and the stores, never from what a model says of itself."""

from dataclasses import dataclass

from casewright.config import Budgets
from casewright.contracts.approval import Approval, Receipt
from casewright.contracts.question import RunQuestion
from casewright.contracts.recommendation import CaseAssessment, Recommendation
from casewright.contracts.run import Budget, PendingApproval, RunReport, RunStatus
from casewright.effects.history import receipt_of
from casewright.models.prices import prices
from casewright.services import Services
from graphs.budget import Recorded, limits, reconciled, spent
from graphs.records import RunRecords
from graphs.spending import RecordedSpending
from graphs.state import ReviewState


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a report has from elsewhere than the state."""

    recommendation: Recommendation | None
    assessment: CaseAssessment | None
    approval: Approval | None
    receipt: Receipt | None
    asked: RunQuestion | None
    spent: Recorded
    budgets: Budgets
    release: str = ""
    """Of the run's pins."""


async def build_report(
    services: Services, records: RunRecords, state: ReviewState, status: RunStatus, because: str
) -> RunReport:
    """Everything a reviewer needs to see of one run now."""
    tenant = state["tenant"]
    draft_id = state.get("draft_id", "")
    draft = await services.drafts.find(tenant, draft_id, state.get("draft_version")) if draft_id else None
    assessed = await records.events(state["run_id"], kind="assessed")
    approval_id = state.get("approval_id", "")
    found = Findings(
        recommendation=draft.recommendation if draft else None,
        assessment=CaseAssessment.model_validate(assessed[-1].body) if assessed else None,
        approval=await services.approvals.get(tenant, approval_id) if approval_id else None,
        receipt=await receipt_of(services.database, tenant, approval_id) if approval_id else None,
        asked=await _asked(services, state) if status == "waiting_answer" else None,
        spent=await RecordedSpending(services.database).of_run(tenant, state["run_id"]),
        budgets=services.settings.budgets,
        release=str((await records.get(tenant, state["run_id"])).pins.get("release", "")),
    )
    return composed(state, found, status, because)


def composed(state: ReviewState, found: Findings, status: RunStatus, because: str) -> RunReport:
    """The report of a state and what was found elsewhere. Pure; a replay composes the same from its record."""
    counted: ReviewState = {**state, **reconciled(state, found.spent)}
    assessment = found.assessment
    return RunReport(
        run_id=state["run_id"],
        case_id=state["case_id"],
        status=status,
        because=because,
        recommendation=found.recommendation,
        draft_id=state.get("draft_id", ""),
        evidence=assessment.evidence if assessment else None,
        deadlines=assessment.deadlines if assessment else (),
        pending=_pending(found.approval),
        steps=tuple(state.get("trail", [])),
        budget=Budget(limits=limits(found.budgets), spent=spent(counted), currency=prices().currency),
        model=state.get("model", ""),
        receipt=found.receipt.model_dump(mode="json") if found.receipt else None,
        questions=assessment.outcome.questions if assessment and status == "waiting_information" else (),
        asked=found.asked,
        release=found.release,
    )


async def _asked(services: Services, state: ReviewState) -> RunQuestion | None:
    """The question that is open."""
    found = await services.questions.of_run(state["tenant"], state["run_id"])
    return next((question for question in found if question.state == "open"), None)


def _pending(approval: Approval | None) -> tuple[PendingApproval, ...]:
    if approval is None or approval.state not in ("pending", "approved"):
        return ()
    arguments = approval.call.arguments
    return (
        PendingApproval(
            approval_id=approval.approval_id,
            action=str(arguments.get("action", "")),
            amount_minor=int(arguments.get("amount_minor", 0)),
            currency=str(arguments.get("currency", "")),
            digest=approval.digest,
            roles=approval.rule.roles,
            quorum=approval.rule.quorum,
            state=approval.state,
            expires_ns=approval.expires_ns,
        ),
    )
