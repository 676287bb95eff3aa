"""What a call asks for, loaded from the stores: tenant, team, classification, author, amount.

For case, draft and action alike `id` is the case; arguments only name a handle (a draft id),
and what it refers to is looked up within the caller's own tenant. What is not found does not
exist, so another tenant's draft and a misspelt one give the same document.
"""

from collections.abc import Mapping
from typing import Any, Literal

from casewright.contracts.decision import ResourceInput
from casewright.contracts.principal import Caller
from casewright.services import Services
from servers.spec import ResourceKind


async def load_resource(
    services: Services, kind: ResourceKind, caller: Caller, arguments: Mapping[str, Any], *, case_id: str = ""
) -> ResourceInput:
    """The resource document of one call; `exists` is False for whatever is not there.

    Args:
        case_id: the case that somebody names in a URI, a claim that the policy compares with the token's; empty: the
            token's own.
    """
    tenant = caller.principal.tenant
    match kind:
        case "none" | "corpus":
            return ResourceInput(kind=kind, exists=True, tenant=tenant, classification="public")
        case "case":
            return await load_case(services, tenant, case_id or caller.actor.case_id)
        case "draft":
            return await _load_draft(services, "draft", caller, arguments)
        case "action":
            return await _load_draft(services, "action", caller, arguments)


async def load_case(services: Services, tenant: str, case_id: str) -> ResourceInput:
    """The case as a resource; absent cases and other tenants' look the same."""
    attributes = await services.cases.attributes(tenant, case_id) if case_id else None
    if attributes is None:
        return ResourceInput(kind="case", exists=False)
    return ResourceInput(
        kind="case",
        exists=True,
        id=case_id,
        tenant=tenant,
        team=attributes.team,
        classification=attributes.classification.value,
        assigned_to=attributes.assigned_to,
        conflicts=attributes.conflicts,
        state=attributes.state,
        sealed=attributes.sealed,
    )


async def _load_draft(
    services: Services, kind: Literal["draft", "action"], caller: Caller, arguments: Mapping[str, Any]
) -> ResourceInput:
    draft_id, version = arguments.get("draft_id"), arguments.get("draft_version")
    if not isinstance(draft_id, str):
        return ResourceInput(kind=kind, exists=False)
    tenant = caller.principal.tenant
    named = version if isinstance(version, int) and version > 0 else None  # 0 and absent are the latest
    draft = await services.drafts.find(tenant, draft_id, named)
    if draft is None:
        return ResourceInput(kind=kind, exists=False)
    case = await load_case(services, tenant, draft.case_id)
    action = draft.recommendation.action
    return case.model_copy(
        update={
            "kind": kind,
            "author": draft.author,
            "run_id": draft.run_id,
            "action": action.kind,
            "amount_minor": action.amount_minor,
        }
    )
