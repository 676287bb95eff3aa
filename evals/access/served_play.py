"""Plays attacks of level `servers`: over clients of real servers, whose users say yes to every question."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequestParams, ElicitResult

from casewright.clock import ManualClock
from casewright.contracts.principal import ServerName
from casewright.errors import CasewrightError
from evals.access.attacks import Step
from evals.access.drafts import ACTION_CASE, AUTHOR, DRAFT_RUN, SavedDraft, structured
from evals.access.kernel import HOUR
from evals.world import Caller, ServerWorld
from servers.approving import Approving

VOTER = "selma"
SCOPES = ("execute_action", "submit_action", "decide_approval")
"""Of an agent's token: more than any agent's own, so that it is not the scope that holds an attack up."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What an attack is played on."""

    world: ServerWorld
    clock: ManualClock
    policies: Path
    draft: SavedDraft


class ServedPlay:
    """One attack on one installation."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._draft = stage.draft
        self._approval_id = ""

    async def step(self, step: Step) -> None:
        """Do one thing; refusals are answers, anything else that is raised is a defect of its own."""
        match step.do:
            case "ask" | "execute":
                await asyncio.gather(*(self._execute(step) for _ in range(step.times)))
            case "vote":
                caller = _caller(step, VOTER)
                await self._call("review", "decide_approval", {"approval_id": self._approval_id}, caller, step)
            case "revoke":
                await self._revoke(step)
            case "wait":
                self._stage.clock.advance(seconds=step.hours * HOUR)
            case "rewrite":
                await self._rewrite()
            case "amend":
                amend(self._stage.policies, *step.statements)
            case _:
                raise ValueError(f"{step.do!r} is not for attacks over servers; give the attack the level 'ledger'")

    async def effects(self) -> int:
        """How many effects the record of the case holds."""
        return len(await self._stage.world.effects("harborline", ACTION_CASE))

    async def _execute(self, step: Step) -> None:
        named = self._draft.action() | dict(step.call.get("arguments", {}))
        arguments = {name: value for name, value in named.items() if name not in step.without}
        document = await self._call("drafting", "execute_action", arguments, _caller(step, AUTHOR.identity), step)
        if document.get("status") == "approval_required":
            self._approval_id = document["approval"]["approval_id"]

    async def _call(
        self, server: ServerName, tool: str, arguments: dict[str, Any], caller: Caller, step: Step
    ) -> dict[str, Any]:
        """The document of an answer; of a refusal an empty one."""

        async def says(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            decision = "approve" if step.approve is True else "reject"
            return ElicitResult(action="accept", content={"decision": decision, "note": step.note})

        world = self._stage.world
        built = world.factory.build(server, world.token(server, caller))
        async with Client(built, elicitation_callback=says, read_timeout_seconds=20) as client:
            try:
                result = await client.call_tool(tool, arguments)
            except MCPError:
                return {}
        return {} if result.is_error else result.structured_content or {}

    async def _revoke(self, step: Step) -> None:
        services = self._stage.world.services
        by = services.identities.find(step.who.id if step.who else AUTHOR.identity)
        try:
            await Approving(services, by, session="eval").revoke(self._approval_id, why="withdrawn")
        except CasewrightError:
            return

    async def _rewrite(self) -> None:
        """A second version of the draft, which stands as well as the first."""
        asked = {"recommendation": self._draft.recommendation, "draft_id": self._draft.draft_id}
        saved = structured(await self._stage.world.call("drafting", "save_draft", asked, AUTHOR))
        self._draft = SavedDraft(
            draft_id=saved["draft_id"],
            version=saved["version"],
            digest=saved["digest"],
            recommendation=self._draft.recommendation,
            clause=self._draft.clause,
        )


def amend(policies: Path, old: str, new: str) -> None:
    """Replace one text in the data of the access policy.

    Raises:
        ValueError: the text is not there, so that the attack would be none.
    """
    path = policies / "data" / "access" / "data.json"
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise ValueError(f"{str(path)!r} has no {old!r}; mend the attack")
    path.write_text(text.replace(old, new), encoding="utf-8")


def _caller(step: Step, identity: str) -> Caller:
    agent = step.token.get("agent", "")
    return Caller(
        identity=step.who.id if step.who else identity,
        case_id=step.token.get("case_id", ACTION_CASE),
        agent=agent,
        step=step.token.get("step", ""),
        run_id=step.token.get("run_id", DRAFT_RUN),
        scopes=SCOPES if agent else ("*",),
    )
