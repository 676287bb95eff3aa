"""Recommendations that stand, made from what the servers themselves give, and the votes on their actions."""

import datetime as dt
from typing import Any

from casewright.contracts.approval import Approval
from tests.support.installation import Bearer, World, structured

ACTION_CASE = "HL-2025-0412"
"""Final credit of 136.40: one vote is enough."""
DRAFTING_BEARER = Bearer(case_id=ACTION_CASE)


async def recommendation(world: World, bearer: Bearer = DRAFTING_BEARER) -> dict[str, Any]:
    """A recommendation that the gate accepts: the clause behind the outcome, quoted whole by this run."""
    case = structured(await world.call("case-facts", "get_case", bearer=bearer))
    outcome = structured(await world.call("case-facts", "assess_case", bearer=bearer))["outcome"]
    received_on = dt.date.fromisoformat(case["received_on"])
    clause = await quotable(world, outcome["basis"][0]["clause"], as_of=received_on, bearer=bearer)
    return {
        "case_id": bearer.case_id,
        "as_of": case["received_on"],
        "summary": [{"claim": clause["text"], "citations": [citation(clause)], "facts": []}],
        "action": {
            "kind": outcome["action"],
            "amount_minor": outcome["amount_minor"],
            "currency": case["currency"],
            "reason": outcome["basis"][0]["because"],
        },
        "risk": outcome["risk"],
        "open_questions": list(outcome["questions"]),
        "model": "offline/extractive",
        "index_version": clause["index_version"],
    }


async def quotable(world: World, named: dict[str, str], *, as_of: dt.date, bearer: Bearer) -> dict[str, Any]:
    """The clause that a rule names, or its first child that is a sentence; now retrieved by this run."""
    arguments = {"document_id": named["document_id"], "label": named["label"], "as_of": as_of.isoformat()}
    found = structured(await world.call("policy-search", "get_clause", arguments, bearer=bearer))
    sentences = [clause for clause in (found["clause"], *found["children"]) if clause["text"].endswith(".")]
    return sentences[0] | {"index_version": found["index_version"]}


def citation(clause: dict[str, Any]) -> dict[str, str]:
    """A citation of a whole clause."""
    kept = {name: clause[name] for name in ("document_id", "version", "label", "sha256")}
    return kept | {"quote": clause["text"]}


async def saved(world: World, bearer: Bearer = DRAFTING_BEARER, **changes: Any) -> dict[str, Any]:
    """A saved draft: its id, version and digest, and the recommendation."""
    wanted = await recommendation(world, bearer) | changes
    result = structured(await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=bearer))
    assert result["ok"], result["problems"]
    return result | {"recommendation": wanted}


def action_of(draft: dict[str, Any]) -> dict[str, Any]:
    """The arguments that ask for, or execute, what a saved draft proposes."""
    action = draft["recommendation"]["action"]
    return {
        "draft_id": draft["draft_id"],
        "draft_version": draft["version"],
        "draft_digest": draft["digest"],
        "action": action["kind"],
        "amount_minor": action["amount_minor"],
        "currency": action["currency"],
    }


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
