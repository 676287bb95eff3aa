"""Resources of the drafting server: drafts, and the list of them, both to be subscribed to."""

from collections.abc import Mapping
from typing import Any

from casewright.contracts.principal import Caller
from casewright.services import Services
from servers.entry_spec import ResourceSpec, renamed


class DraftResources:
    """Bound to the draft store, which says whether something changed."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def specs(self) -> tuple[ResourceSpec, ...]:
        return (
            ResourceSpec(
                uri="draft://{draft}{?version}",
                name="draft",
                title="A draft",
                description=(
                    "A recommendation with its quotes and digest; the latest version unless one is named. `draft` is "
                    "completed. Subscribe to hear of a new version."
                ),
                asks="get_draft",
                arguments=renamed(draft_id="draft", draft_version="version"),
                stamp=self._of_draft,
            ),
            ResourceSpec(
                uri="case://{case}/drafts",
                name="case_drafts",
                title="Drafts of the case",
                description="Every version of every draft of the case that the token names. Subscribe to hear of more.",
                asks="list_drafts",
                case_variable="case",
                stamp=self._of_case,
            ),
        )

    async def _of_draft(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        version = arguments.get("draft_version") or None
        found = await self._services.drafts.find(caller.principal.tenant, arguments["draft_id"], version)
        return f"{found.version} {found.digest}" if found else ""

    async def _of_case(self, caller: Caller, _arguments: Mapping[str, Any]) -> str:
        found = await self._services.drafts.list(caller.principal.tenant, caller.actor.case_id)
        return " ".join(draft.digest for draft in found)
