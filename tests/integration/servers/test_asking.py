"""Approvals and answers in place: who may answer is asked by their client, in both eras; others get the way there."""

from dataclasses import replace
from typing import Any

import pytest
from mcp import ClientSession
from mcp_types import ClientCapabilities, ElicitationCapability, UrlElicitationCapability

from casewright.contracts.question import Option, RunQuestion
from casewright.errors import InputError
from commands.review_requests import ReviewRequests
from tests.support.asking import APPROVE, REJECT, User, client_of
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, action_of, saved, vote
from tests.support.installation import CASE, MODES, Bearer, Mode, World, said, structured

SELMA = Bearer(identity="selma", case_id="")
SELMA_ON_THE_CASE = Bearer(identity="selma", case_id=ACTION_CASE)
QUEUE = "https://cases.example/queue"


async def requested(world: World) -> tuple[dict[str, Any], str]:
    """The arguments of an action that rosa asks for, and the approval that waits."""
    arguments = action_of(await saved(world))
    asked = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    assert asked["status"] == "approval_required"
    return arguments, asked["approval"]["approval_id"]


@pytest.mark.proves("I4", "C5")
@pytest.mark.parametrize("mode", MODES)
async def test_whoever_may_decide_is_shown_the_canonical_call_and_their_answer_is_the_vote(
    world: World, mode: Mode
) -> None:
    arguments, approval_id = await requested(world)
    user = User(APPROVE)
    async with client_of(world, "review", SELMA, user, mode=mode) as client:
        decided = structured(await client.call_tool("decide_approval", {"approval_id": approval_id}))
    assert (decided["status"], decided["approval"]["state"]) == ("recorded", "approved")
    approval = await world.services.approvals.get("harborline", approval_id)
    assert [(cast.voter, cast.approve, cast.note) for cast in approval.votes] == [("selma", True, "seen")]
    (shown,) = user.shown
    assert all(f'"{name}": ' in shown and str(value) in shown for name, value in arguments.items())
    assert approval.digest in shown and "'selma'" in shown
    done = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    assert done["status"] == "executed", "the requester's same call succeeds afterwards"


@pytest.mark.thorough
@pytest.mark.proves("I4", "D5")
@pytest.mark.parametrize("mode", MODES)
async def test_the_same_call_by_an_approver_asks_them_and_goes_on(world: World, mode: Mode) -> None:
    arguments, approval_id = await requested(world)
    user = User(APPROVE)
    async with client_of(world, "drafting", SELMA_ON_THE_CASE, user, mode=mode) as client:
        done = structured(await client.call_tool("execute_action", arguments))
    assert (done["status"], done["approval"]["approval_id"]) == ("executed", approval_id)
    assert len(user.shown) == 1
    assert len(await world.effects(ACTION_CASE)) == 1


@pytest.mark.thorough
@pytest.mark.proves("I4", "D5")
@pytest.mark.parametrize("tool", ["submit_action", "execute_action"])
@pytest.mark.parametrize("mode", MODES)
async def test_the_requester_is_never_asked_and_gets_the_way_to_those_who_may(
    world: World, mode: Mode, tool: str
) -> None:
    world.services.settings = replace(world.services.settings, approvals_url=QUEUE)
    arguments, approval_id = await requested(world)
    user = User(APPROVE)
    async with client_of(world, "drafting", DRAFTING_BEARER, user, mode=mode) as client:
        answer = structured(await client.call_tool(tool, arguments))
        assert (answer["status"], answer["url"]) == ("approval_required", f"{QUEUE}/{approval_id}")
        assert "not by 'rosa'" in answer["how"] and f"casewright approvals approve {approval_id}" in answer["how"]
        await vote(world, approval_id)
        again = structured(await client.call_tool("execute_action", arguments))
    assert again["status"] == "executed"
    assert user.shown == []


@pytest.mark.thorough
@pytest.mark.proves("I4")
@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_cannot_ask_gets_approval_required_and_later_what_became_of_it(
    world: World, mode: Mode
) -> None:
    arguments, approval_id = await requested(world)
    async with world.client("review", SELMA, mode=mode) as client:
        told = structured(await client.call_tool("decide_approval", {"approval_id": approval_id}))
        assert (told["status"], told["url"]) == ("approval_required", "")
        assert f"casewright approvals approve {approval_id}" in told["how"]
        assert told["approval"]["votes"] == []
        await vote(world, approval_id, approve=False)
        late = await client.call_tool("decide_approval", {"approval_id": approval_id})
        assert late.is_error and "is rejected; it takes no more votes" in said(late)
    refused = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    assert refused["status"] == "rejected", "the same call later says why not"


@pytest.mark.thorough
@pytest.mark.proves("I4")
@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_can_only_open_links_is_sent_to_the_queue(
    world: World, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = ClientSession._build_capabilities  # pyright: ignore[reportPrivateUsage]
    links = ElicitationCapability(url=UrlElicitationCapability())

    def claimed(own: ClientSession, version: str) -> ClientCapabilities:
        return full(own, version).model_copy(update={"elicitation": links})

    monkeypatch.setattr(ClientSession, "_build_capabilities", claimed)
    world.services.settings = replace(world.services.settings, approvals_url=QUEUE)
    _, approval_id = await requested(world)
    user = User(APPROVE)
    async with client_of(world, "review", SELMA, user, mode=mode) as client:
        told = structured(await client.call_tool("decide_approval", {"approval_id": approval_id}))
    assert user.links == [f"{QUEUE}/{approval_id}"]
    assert user.forms == []
    assert (told["status"], told["approval"]["votes"]) == ("approval_required", []), "it is decided there, not here"


@pytest.mark.thorough
@pytest.mark.proves("I4")
@pytest.mark.parametrize("mode", MODES)
async def test_who_declines_decides_nothing_and_may_decide_later(world: World, mode: Mode) -> None:
    _, approval_id = await requested(world)
    user = User(None)
    async with client_of(world, "review", SELMA, user, mode=mode) as client:
        told = structured(await client.call_tool("decide_approval", {"approval_id": approval_id}))
        assert (told["status"], told["approval"]["state"], told["approval"]["votes"]) == ("not_decided", "pending", [])
        user.content = REJECT
        told = structured(await client.call_tool("decide_approval", {"approval_id": approval_id}))
        assert (told["status"], told["approval"]["state"]) == ("recorded", "rejected")
    assert len(user.shown) == 2


async def asked(world: World) -> tuple[str, str]:
    """A review of rosa's case, and what it asks."""
    principal = world.services.identities.find("rosa")
    row = await ReviewRequests(world.services).start(principal, CASE, fresh=True)
    question = RunQuestion(
        question_id="question-1",
        tenant="harborline",
        run_id=row.run_id,
        case_id=CASE,
        kind="loop",
        text="Go on once more, or stop?",
        options=(Option(value="continue", text="Go on once more"), Option(value="stop", text="Stop here")),
        detail={},
        state="open",
        created_ns=0,
        answer="",
        answered_by="",
        answered_ns=0,
    )
    await world.services.questions.ask(question)
    return row.run_id, question.question_id


@pytest.mark.proves("I4", "I5", "E6")
@pytest.mark.parametrize("mode", MODES)
async def test_what_a_review_asks_is_answered_by_the_callers_own_user(world: World, mode: Mode) -> None:
    run_id, question_id = await asked(world)
    user = User({"answer": "stop"})
    async with client_of(world, "review", Bearer(case_id=""), user, mode=mode) as client:
        told = structured(await client.call_tool("answer_question", {"run_id": run_id}))
    assert (told["status"], told["question"]["answer"]) == ("answered", "stop")
    question = await world.services.questions.get("harborline", question_id)
    assert (question.state, question.answered_by) == ("answered", "rosa")
    assert "Go on once more, or stop?" in user.shown[0]
    assert user.forms[0]["properties"]["answer"]["enum"] == ["continue", "stop"]


@pytest.mark.thorough
@pytest.mark.proves("I4", "I5")
@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_cannot_ask_gets_the_options_and_answers_with_the_next_call(
    world: World, mode: Mode
) -> None:
    run_id, question_id = await asked(world)
    async with world.client("review", Bearer(case_id=""), mode=mode) as client:
        told = structured(await client.call_tool("answer_question", {"run_id": run_id}))
        assert (told["status"], told["question"]["question_id"]) == ("answer_required", question_id)
        assert [option["value"] for option in told["question"]["options"]] == ["continue", "stop"]
        given = {"run_id": run_id, "question_id": question_id}
        odd = await client.call_tool("answer_question", given | {"value": "pay everybody"})
        assert odd.is_error
        for _ in range(2):
            told = structured(await client.call_tool("answer_question", given | {"value": "continue"}))
            assert (told["status"], told["question"]["answer"]) == ("answered", "continue")
        other = await client.call_tool("answer_question", given | {"value": "stop"})
        assert other.is_error and "answered already" in said(other)


def test_an_address_of_the_queue_that_is_none_is_refused(world: World) -> None:
    from casewright.config import Settings

    for odd in ("cases.example/queue", "ftp://cases.example", "https://a:b@cases.example", "https://"):
        with pytest.raises(InputError, match="CASEWRIGHT_APPROVALS_URL"):
            Settings.load(home=str(world.home), environment={"CASEWRIGHT_APPROVALS_URL": odd}, app_root=world.home)
    found = Settings.load(
        home=str(world.home), environment={"CASEWRIGHT_APPROVALS_URL": f"{QUEUE}/"}, app_root=world.home
    )
    assert found.approvals_url == QUEUE
