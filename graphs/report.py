"""The report of a run: from its state and the stores, never from what a model says of itself."""

from casewright.contracts.approval import Approval
from casewright.contracts.question import RunQuestion
from casewright.contracts.recommendation import CaseAssessment
from casewright.contracts.run import Budget, PendingApproval, RunReport, RunStatus
from casewright.effects.history import receipt_of
from casewright.models.prices import prices
from casewright.services import Services
from graphs.budget import limits, reconciled, spent
from graphs.records import RunRecords
from graphs.spending import RecordedSpending
from graphs.state import ReviewState


async def build_report(
    services: Services, records: RunRecords, state: ReviewState, status: RunStatus, because: str
) -> RunReport:
    """Everything a reviewer needs to see of one run now."""
    tenant = state["tenant"]
    draft_id = state.get("draft_id", "")
    draft = await services.drafts.find(tenant, draft_id, state.get("draft_version")) if draft_id else None
    assessed = await records.events(state["run_id"], kind="assessed")
    assessment = CaseAssessment.model_validate(assessed[-1].body) if assessed else None
    approval_id = state.get("approval_id", "")
    approval = await services.approvals.get(tenant, approval_id) if approval_id else None
    known = await RecordedSpending(services.database).of_run(tenant, state["run_id"])
    counted: ReviewState = {**state, **reconciled(state, known)}
    receipt = await receipt_of(services.database, tenant, approval_id) if approval_id else None
    return RunReport(
        run_id=state["run_id"],
        case_id=state["case_id"],
        status=status,
        because=because,
        recommendation=draft.recommendation if draft else None,
        draft_id=draft_id,
        evidence=assessment.evidence if assessment else None,
        deadlines=assessment.deadlines if assessment else (),
        pending=_pending(approval),
        steps=tuple(state.get("trail", [])),
        budget=Budget(limits=limits(services.settings.budgets), spent=spent(counted), currency=prices().currency),
        model=state.get("model", ""),
        receipt=receipt.model_dump(mode="json") if receipt else None,
        questions=assessment.outcome.questions if assessment and status == "waiting_information" else (),
        asked=await _asked(services, state) if status == "waiting_answer" else None,
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
