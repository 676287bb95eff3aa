"""The drafting server, driven by a client: what is saved, what is refused, and who reads a draft."""

from typing import Any

import pytest

from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, recommendation, saved
from tests.support.installation import MODES, Bearer, Mode, World, said, structured

COLLEAGUE = Bearer(identity="tomas", case_id="HL-2026-0003", run_id="run-2")


async def refused(world: World, wanted: dict[str, Any], bearer: Bearer = DRAFTING_BEARER) -> list[str]:
    """Why a recommendation was not saved; nothing may have been."""
    result = structured(await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=bearer))
    assert not result["ok"] and not result["draft_id"]
    assert await world.services.drafts.list("harborline", bearer.case_id) == ()
    return result["problems"]


@pytest.mark.proves("C1", "C2", "I1")
@pytest.mark.parametrize("mode", MODES)
async def test_a_backed_recommendation_is_verified_saved_and_read_again(world: World, mode: Mode) -> None:
    wanted = await recommendation(world)
    async with world.client("drafting", DRAFTING_BEARER, mode=mode) as client:
        assert structured(await client.call_tool("verify_draft", {"recommendation": wanted}))["ok"]
        done = structured(await client.call_tool("save_draft", {"recommendation": wanted}))
        assert done["ok"] and done["version"] == 1
        read = structured(await client.call_tool("get_draft", {"draft_id": done["draft_id"]}))
        assert read["recommendation"]["summary"][0]["claim"] == wanted["summary"][0]["claim"]
        assert (read["author"], read["digest"]) == ("rosa", done["digest"])


@pytest.mark.proves("C2")
async def test_a_sentence_without_backing_is_refused(world: World) -> None:
    wanted = await recommendation(world)
    wanted["summary"].append({"claim": "The bank must pay twice the amount.", "citations": [], "facts": []})
    problems = await refused(world, wanted)
    assert len(problems) == 1 and problems[0].startswith("finding 2:")


@pytest.mark.proves("C2")
async def test_an_edited_quote_is_refused(world: World) -> None:
    wanted = await recommendation(world)
    quote = wanted["summary"][0]["citations"][0]["quote"]
    wanted["summary"][0]["citations"][0]["quote"] = quote.replace("must", "may")
    assert any("does not hold" in problem for problem in await refused(world, wanted))


@pytest.mark.proves("C2")
async def test_a_clause_that_this_run_did_not_retrieve_is_refused(world: World) -> None:
    wanted = await recommendation(world)
    other_run = Bearer(case_id=ACTION_CASE, run_id="run-2")
    assert any("not retrieved" in problem for problem in await refused(world, wanted, other_run))


@pytest.mark.proves("C1", "C3")
@pytest.mark.parametrize("change", [{"amount_minor": 13641}, {"kind": "deny_claim"}, {"kind": "no_action"}])
async def test_another_action_than_the_rules_give_is_refused(world: World, change: dict[str, Any]) -> None:
    wanted = await recommendation(world)
    wanted["action"] |= change
    assert any("not what the rules give" in problem for problem in await refused(world, wanted))


@pytest.mark.proves("B2", "C2")
async def test_a_recommendation_about_another_case_is_refused(world: World) -> None:
    wanted = await recommendation(world)
    elsewhere = Bearer(case_id="HL-2026-0001")
    result = await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=elsewhere)
    assert result.is_error
    assert said(result).startswith("the recommendation is about another case than the token's; set case_id to")


@pytest.mark.proves("A3", "C2")
async def test_a_recommendation_under_the_rules_of_another_day_is_refused(world: World) -> None:
    wanted = await recommendation(world) | {"as_of": "2026-01-01"}
    result = await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=DRAFTING_BEARER)
    assert result.is_error
    assert "set as_of to it" in said(result)


@pytest.mark.proves("C2")
async def test_a_fact_that_the_case_does_not_hold_is_refused(world: World) -> None:
    wanted = await recommendation(world)
    wanted["summary"][0]["facts"] = [{"path": "case/claimed_amount_minor", "value": "99999999"}]
    assert any("case/claimed_amount_minor" in problem for problem in await refused(world, wanted))


@pytest.mark.proves("C2", "B5", "D2")
async def test_a_value_that_is_redacted_for_the_caller_is_not_told_by_guessing_it(world: World) -> None:
    avery = Bearer(identity="avery", case_id=ACTION_CASE, run_id="run-2")
    wanted, path = await recommendation(world, avery), "accounts/a1/number_last4"
    shown = structured(await world.call("case-facts", "get_case", bearer=avery))["accounts"][0]
    assert shown["number_last4"] is None
    told: set[str] = set()
    for digits in ("3361", "3362"):
        guess = {"claim": f"The account ends with {digits}.", "facts": [{"path": path, "value": digits}]}
        asked = wanted | {"summary": [*wanted["summary"], guess | {"citations": []}]}
        answer = structured(await world.call("drafting", "verify_draft", {"recommendation": asked}, bearer=avery))
        told.add("; ".join(answer["problems"]).replace(digits, "0000"))
    assert len(told) == 1 and "there is no fact" in told.pop()


@pytest.mark.proves("C5")
async def test_an_edit_is_a_new_version_with_its_difference(world: World) -> None:
    first = await saved(world)
    changed = first["recommendation"] | {"open_questions": ["Which store was it?"]}
    arguments = {"recommendation": changed, "draft_id": first["draft_id"]}
    second = structured(await world.call("drafting", "save_draft", arguments, bearer=DRAFTING_BEARER))
    assert second["version"] == 2 and second["digest"] != first["digest"]
    listing = structured(await world.call("drafting", "list_drafts", bearer=DRAFTING_BEARER))["drafts"]
    assert [(draft["version"], draft["author"]) for draft in listing] == [(1, "rosa"), (2, "rosa")]
    asked = {"draft_id": first["draft_id"], "from_version": 1, "to_version": 2}
    assert (
        "Which store" in structured(await world.call("drafting", "diff_drafts", asked, bearer=DRAFTING_BEARER))["diff"]
    )


@pytest.mark.proves("B2", "D1")
@pytest.mark.parametrize("tool", ["get_draft", "diff_drafts"])
async def test_a_draft_of_another_case_or_tenant_reads_like_an_absent_one(world: World, tool: str) -> None:
    draft = await saved(world)
    more = {"from_version": 1, "to_version": 1} if tool == "diff_drafts" else {}
    lena = Bearer(identity="lena", case_id="MB-2026-0001", run_id="run-3")
    answers = [
        await world.call("drafting", tool, {"draft_id": draft_id, **more}, bearer=bearer)
        for draft_id, bearer in ((draft["draft_id"], COLLEAGUE), (draft["draft_id"], lena), ("drf-none", lena))
    ]
    assert all(answer.is_error for answer in answers)
    assert len({said(answer) for answer in answers}) == 1


@pytest.mark.proves("D1")
async def test_an_agent_does_not_read_a_draft_of_another_run(world: World) -> None:
    draft = await saved(world)
    for run_id, denied in (("run-1", False), ("run-2", True)):
        agent = Bearer(case_id=ACTION_CASE, agent="verifier", scopes=("get_draft",), run_id=run_id)
        result = await world.call("drafting", "get_draft", {"draft_id": draft["draft_id"]}, bearer=agent)
        assert result.is_error is denied


@pytest.mark.proves("C5", "B2")
async def test_a_version_of_somebody_elses_draft_cannot_be_added(world: World) -> None:
    draft = await saved(world)
    wanted = await recommendation(world, COLLEAGUE)
    arguments = {"recommendation": wanted, "draft_id": draft["draft_id"]}
    result = await world.call("drafting", "save_draft", arguments, bearer=COLLEAGUE)
    assert result.is_error
    assert len(await world.services.drafts.list("harborline", ACTION_CASE)) == 1


DRAFTER = Bearer(case_id=ACTION_CASE, agent="drafter", scopes=("save_draft",))
LIE = "Selma has approved it."


@pytest.mark.proves("C2", "C3")
async def test_an_agents_draft_says_nothing_of_its_own_beside_its_findings(world: World) -> None:
    good = await recommendation(world)
    for change, problem in (
        ({"action": good["action"] | {"reason": LIE}}, f"the reason {LIE!r} is not one of the rules"),
        ({"open_questions": [LIE]}, "the open questions are not those of the rules"),
        ({"risk": "high"}, "the risk 'high' is not what the rules give: 'low'"),
        ({"model": LIE}, f"the model {LIE!r} is not a name"),
        ({"index_version": LIE}, f"the index version {LIE!r} is not a name"),
    ):
        problems = await refused(world, good | change, DRAFTER)
        assert [text.startswith(problem) for text in problems] == [True]
    arguments = {"recommendation": good}
    assert structured(await world.call("drafting", "save_draft", arguments, bearer=DRAFTER))["ok"]


@pytest.mark.proves("C5", "D1")
async def test_an_agent_adds_no_version_to_the_draft_of_another_run(world: World) -> None:
    draft = await saved(world)
    for run_id, denied in (("run-2", True), ("run-1", False)):
        agent = Bearer(case_id=ACTION_CASE, agent="drafter", scopes=("save_draft",), run_id=run_id)
        arguments = {"recommendation": draft["recommendation"], "draft_id": draft["draft_id"]}
        result = await world.call("drafting", "save_draft", arguments, bearer=agent)
        assert result.is_error is denied
    assert len(await world.services.drafts.list("harborline", ACTION_CASE)) == 2


@pytest.mark.proves("C1")
async def test_a_field_that_a_recommendation_does_not_have_is_refused(world: World) -> None:
    wanted = await recommendation(world) | {"approved": True}
    result = await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=DRAFTING_BEARER)
    assert result.is_error
    assert "recommendation.approved" in said(result)
