"""Drafts and reports as one person may read them: what they may not see of the case is withheld.

They were written from what the run's own person was shown. Whoever reads them later gets the redaction and the seals of
their own decision. For the drafting and the review server, the API and the commands.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread

from casewright.clock import today
from casewright.contracts.case import CaseFile
from casewright.contracts.clause import SearchFilters
from casewright.contracts.decision import DecisionFilters
from casewright.contracts.recommendation import Citation, DraftVersion
from casewright.contracts.run import RunReport
from casewright.errors import NotFoundError
from casewright.services import Services
from servers.obligations import Duties

if TYPE_CHECKING:
    from casewright.drafts.withholding import Sight
    from servers.permission import Permission


async def shown_draft(
    services: Services, draft: DraftVersion, *, filters: DecisionFilters, duties: Duties, own: bool
) -> DraftVersion:
    """The draft as a reader with this decision may have it; its digest stays that of the whole.

    Args:
        own: whether it was written for the reader.

    Raises:
        NotFoundError: its case is gone.
    """
    from casewright.drafts.withholding import withheld

    sight = await _sight(services, _Reader(case_id=draft.case_id, filters=filters, duties=duties, own=own))
    recommendation = await anyio.to_thread.run_sync(withheld, draft.recommendation, sight)
    return draft.model_copy(update={"recommendation": recommendation})


async def shown_report(services: Services, report: RunReport, permission: "Permission", *, own: bool) -> RunReport:
    """The report as a reader with this permission on its case may have it.

    Args:
        own: whether the run is of the reader.

    Raises:
        NotFoundError: its case is gone.
    """
    from casewright.drafts.withholding import withheld, withheld_deadlines, withheld_evidence, withheld_texts

    sight = await sight_of(services, report.case_id, permission, own=own)
    if sight.whole:
        return report
    recommendation, evidence = report.recommendation, report.evidence
    if recommendation is not None:
        recommendation = await anyio.to_thread.run_sync(withheld, recommendation, sight)
    return report.model_copy(
        update={
            "because": withheld_texts((report.because,), sight)[0],
            "recommendation": recommendation,
            "deadlines": withheld_deadlines(report.deadlines, sight),
            "evidence": evidence and withheld_evidence(evidence, sight),
            "questions": withheld_texts(report.questions, sight),
        }
    )


async def sight_of(services: Services, case_id: str, permission: "Permission", *, own: bool) -> "Sight":
    """What a reader with this permission sees of a case.

    Args:
        own: whether what is shown was written for the reader.

    Raises:
        NotFoundError: it is gone.
    """
    duties = permission.duties
    return await _sight(services, _Reader(case_id=case_id, filters=permission.decision.filters, duties=duties, own=own))


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the decision lets somebody see of one case, and whether it was written for them."""

    case_id: str
    filters: DecisionFilters
    duties: Duties
    own: bool


async def _sight(services: Services, reader: _Reader) -> "Sight":
    """What the reader may see of the case; what rules compute from it only where that may differ."""
    from casewright.cases.milestones import with_milestones
    from casewright.cases.views import view
    from casewright.drafts.withholding import Sight

    stored = await services.cases.load(reader.filters.tenant, reader.case_id)
    if stored is None:
        raise NotFoundError(f"there is no case {reader.case_id!r}")
    case = stored.case.model_copy(update={"timeline": with_milestones(stored.case.timeline)})
    seen = view(case, filters=reader.filters, above=reader.duties.redact_above or "public")
    sight = Sight(case=case, seen=seen, own=reader.own, finds=partial(_finds, services, reader.filters))
    return replace(sight, computed=await _computed(services, case, reader.filters)) if sight.partial else sight


def _finds(services: Services, filters: DecisionFilters, citation: Citation) -> bool:
    """Whether the reader's labels let them find the clause, in that version, on whatever day; reads the index."""
    named = SearchFilters(
        tenant=filters.tenant,
        labels=filters.labels,
        as_of=today(services.clock),
        include="named_version",
        version=citation.version,
    )
    try:
        services.corpus.clause(named, document_id=citation.document_id, label=citation.label)
    except NotFoundError:
        return False
    return True


async def _computed(services: Services, case: CaseFile, filters: DecisionFilters) -> dict[str, str]:
    from casewright.cases.computed import computed_facts
    from casewright.cases.views import view

    return computed_facts(await services.assessments.of(view(case, filters=filters, above=None)))
