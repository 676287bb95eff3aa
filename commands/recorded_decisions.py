"""Reads recorded decisions for `policy explain` and `policy replay`, for people who may.

The encrypted parts are the personal data of cases: opening one decision to look at it, or writing
them into a file, is decided as `admin/read_decision`; having them decided again, which shows none
of them, as `admin/replay_decisions`. Both are audited.
"""

from dataclasses import dataclass
from typing import Any

from casewright.access.replay import ReplayInput
from casewright.audit.records import RecordedDecision, RecordQuery
from casewright.errors import NotFoundError
from commands.permission import permit
from commands.shell import Shell
from servers.permission import Deed

READ = "read_decision"
REPLAY = "replay_decisions"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which recorded decisions; the newest ones when there are more than `limit`."""

    tool: str
    since_ns: int
    limit: int
    opened: bool
    deed: str
    run_id: str = ""


async def one_decision(shell: Shell, decision_id: str) -> RecordedDecision:
    """The decision with this id of the acting person's tenant, opened.

    Raises:
        DeniedError: this person may not read decisions.
        NotFoundError: there is none in this tenant.
    """
    tenant = await _tenant(shell, READ, {"decision_id": decision_id})
    query = RecordQuery(tenant=tenant, decision_id=decision_id, limit=1)
    async for found in shell.services.decisions.read(query):
        return found
    raise NotFoundError(f"no decision {decision_id!r} is recorded; `casewright audit` events and replays name ids")


async def selected(shell: Shell, selection: Selection) -> list[ReplayInput]:
    """The recorded decisions of the acting person's tenant, oldest first.

    Raises:
        DeniedError: this person may not do this.
    """
    return [replayable(record) for record in await selected_records(shell, selection)]


async def selected_records(shell: Shell, selection: Selection) -> list[RecordedDecision]:
    """The same as they are on record, with their times.

    Raises:
        DeniedError: this person may not do this.
    """
    arguments = {"tool": selection.tool, "limit": selection.limit, "opened": selection.opened}
    tenant = await _tenant(shell, selection.deed, arguments)
    query = RecordQuery(
        tenant=tenant,
        tool=selection.tool,
        run_id=selection.run_id,
        since_ns=selection.since_ns,
        limit=selection.limit,
        newest_first=True,
        opened=selection.opened,
    )
    found = [record async for record in shell.services.decisions.read(query)]
    return found[::-1]


async def _tenant(shell: Shell, deed: str, arguments: dict[str, Any]) -> str:
    decision = await permit(
        shell.services, shell.principal("audit"), Deed(name=deed, verb="read", risk="medium", arguments=arguments)
    )
    return decision.filters.tenant


def replayable(record: RecordedDecision) -> ReplayInput:
    """A recorded decision as it is decided again."""
    return ReplayInput(
        name=record.decision_id,
        document=record.input,
        effect=record.effect,
        codes=record.codes,
        revision=record.revision,
        missing=record.redacted,
    )
