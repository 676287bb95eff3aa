"""Recommendations that stand, made from what the servers themselves give, and the votes on their actions."""

from typing import Any

from casewright.contracts.approval import Approval
from casewright.contracts.principal import ServerName
from evals.access.drafts import ACTION_CASE as ACTION_CASE
from evals.access.drafts import action_of as action_of
from evals.access.drafts import recommended
from tests.support.installation import Bearer, World, structured

DRAFTING_BEARER = Bearer(case_id=ACTION_CASE)


async def recommendation(world: World, bearer: Bearer = DRAFTING_BEARER) -> dict[str, Any]:
    """A recommendation that the gate accepts: the clause behind the outcome, quoted whole by this run."""

    async def asking(server: ServerName, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return structured(await world.call(server, tool, arguments, bearer=bearer))

    wanted, _ = await recommended(asking, bearer.case_id)
    return wanted


async def saved(world: World, bearer: Bearer = DRAFTING_BEARER, **changes: Any) -> dict[str, Any]:
    """A saved draft: its id, version and digest, and the recommendation."""
    wanted = await recommendation(world, bearer) | changes
    result = structured(await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=bearer))
    assert result["ok"], result["problems"]
    return result | {"recommendation": wanted}


async def vote(world: World, approval_id: str, *, voter: str = "selma", approve: bool = True) -> Approval:
    """One person's vote, as the command line casts it after its own decision."""
    return await world.services.approvals.vote(
        approval_id, voter=world.services.identities.find(voter), approve=approve, note=""
    )


async def approved(world: World, arguments: dict[str, Any], bearer: Bearer = DRAFTING_BEARER) -> Approval:
    """The action is asked for, and a supervisor agrees."""
    asked = structured(await world.call("drafting", "execute_action", arguments, bearer=bearer))
    assert asked["status"] == "approval_required"
    return await vote(world, asked["approval"]["approval_id"])
