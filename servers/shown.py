"""Drafts and reports as one person may read them: what they may not see of the case is withheld.

They were written from what the run's own person was shown. Whoever reads them later gets the redaction and the seals of
their own decision. For the drafting and the review server, the API and the commands.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from casewright.contracts.case import CaseFile
from casewright.contracts.decision import DecisionFilters
from casewright.contracts.recommendation import DraftVersion
from casewright.contracts.run import RunReport
from casewright.errors import NotFoundError
from casewright.services import Services
from servers.obligations import Duties

if TYPE_CHECKING:
    from casewright.drafts.withholding import Sight
    from servers.permission import Permission


async def shown_draft(
    services: Services, draft: DraftVersion, *, filters: DecisionFilters, duties: Duties
) -> DraftVersion:
    """The draft as a reader with this decision may have it; its digest stays that of the whole.

    Raises:
        NotFoundError: its case is gone.
    """
    from casewright.drafts.withholding import withheld

    sight = await _sight(services, draft.case_id, filters, duties)
    return draft.model_copy(update={"recommendation": withheld(draft.recommendation, sight)})


async def shown_report(services: Services, report: RunReport, permission: "Permission") -> RunReport:
    """The report as a reader with this permission on its case may have it.

    Raises:
        NotFoundError: its case is gone.
    """
    from casewright.drafts.withholding import withheld, withheld_evidence, withheld_texts

    sight = await _sight(services, report.case_id, permission.decision.filters, permission.duties)
    if sight.whole:
        return report
    recommendation, evidence = report.recommendation, report.evidence
    return report.model_copy(
        update={
            "recommendation": recommendation and withheld(recommendation, sight),
            "evidence": evidence and withheld_evidence(evidence, sight),
            "questions": withheld_texts(report.questions, sight),
        }
    )


async def _sight(services: Services, case_id: str, filters: DecisionFilters, duties: Duties) -> "Sight":
    """What the reader may see of the case; what rules compute from it only where that may differ."""
    from casewright.cases.milestones import with_milestones
    from casewright.cases.views import view
    from casewright.drafts.withholding import Sight

    stored = await services.cases.load(filters.tenant, case_id)
    if stored is None:
        raise NotFoundError(f"there is no case {case_id!r}")
    case = stored.case.model_copy(update={"timeline": with_milestones(stored.case.timeline)})
    sight = Sight(case=case, seen=view(case, filters=filters, above=duties.redact_above or "public"))
    return replace(sight, computed=await _computed(services, case, filters)) if sight.partial else sight


async def _computed(services: Services, case: CaseFile, filters: DecisionFilters) -> dict[str, str]:
    from casewright.cases.computed import computed_facts
    from casewright.cases.views import view

    return computed_facts(await services.assessments.of(view(case, filters=filters, above=None)))
