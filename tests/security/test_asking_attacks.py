"""Attacks on questions in place: whatever is sent instead of an answer, nobody's decision is made for them.

The rounds of the newest revision are made by hand, so that state and answers can be anything. After
every attack the ledger has no vote that its person did not give, and nothing was executed.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from mcp.client.context import ClientRequestContext
from mcp.server.request_state import AESGCMRequestStateCodec
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, InputRequiredResult

from casewright.controls.reviewed import ReviewedData
from casewright.errors import CasewrightError
from servers.asking import SealedStates
from tests.support.asking import ACCEPTED, APPROVE, Rounds, User, answers_to, client_of
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, action_of, saved
from tests.support.installation import Bearer, World, said, structured

pytestmark = [pytest.mark.thorough, pytest.mark.proves("I4", "C5", "D5")]
SELMA = Bearer(identity="selma", case_id="")
DECLINED = ElicitResult(action="decline")
Content = dict[str, str | int | float | bool | list[str] | None]


@dataclass(kw_only=True)
class Scene:
    """An action that rosa asked for, and supervisor selma's client in the middle of being asked."""

    world: World
    arguments: dict[str, Any]
    approval_id: str
    rounds: Rounds

    async def by(self, bearer: Bearer, state: str | None, asked: InputRequiredResult, tool: str = "") -> str:
        """Somebody else sends the answer with this state; what they are told."""
        server = "drafting" if tool else "review"
        arguments = self.arguments if tool else self.rounds.arguments
        async with client_of(self.world, server, bearer, User(APPROVE)) as client:
            own = Rounds(client=client, tool=tool or "decide_approval", arguments=arguments)
            return await refused(own.send(answers_to(asked), state))


async def refused(attempt: Awaitable[CallToolResult | InputRequiredResult]) -> str:
    """What the attempt was told instead of its will: an error, the question again, or that approval is needed."""
    try:
        found = await attempt
    except MCPError as error:
        return error.error.message
    if isinstance(found, InputRequiredResult):
        return "asked again"
    if found.is_error:
        return said(found)
    status = str(structured(found)["status"])
    assert status in ("approval_required", "not_decided"), structured(found)
    return status


async def forged(scene: Scene, asked: InputRequiredResult) -> str:
    return await refused(scene.rounds.send(answers_to(asked), "v1." + secrets.token_urlsafe(200)))


async def one_letter_changed(scene: Scene, asked: InputRequiredResult) -> str:
    state = str(asked.request_state)
    other = state[:60] + ("A" if state[60] != "A" else "B") + state[61:]
    return await refused(scene.rounds.send(answers_to(asked), other))


async def sealed_elsewhere(scene: Scene, asked: InputRequiredResult) -> str:
    plain = SealedStates(scene.world.services).unseal(str(asked.request_state))
    state = AESGCMRequestStateCodec([secrets.token_bytes(32)]).seal(plain)
    return await refused(scene.rounds.send(answers_to(asked), state))


async def past_its_time(scene: Scene, asked: InputRequiredResult) -> str:
    states = SealedStates(scene.world.services)
    claims = json.loads(states.unseal(str(asked.request_state)))
    state = states.seal(json.dumps(claims | {"exp": claims["iat"] - 1}).encode())
    return await refused(scene.rounds.send(answers_to(asked), state))


async def replayed_after_declining(scene: Scene, asked: InputRequiredResult) -> str:
    told = structured(await scene.rounds.answer(asked, DECLINED))
    assert told["status"] == "not_decided"
    return await refused(scene.rounds.send(answers_to(asked), asked.request_state))


async def without_its_state(scene: Scene, asked: InputRequiredResult) -> str:
    return await refused(scene.rounds.send(answers_to(asked)))


async def without_being_asked(scene: Scene, asked: InputRequiredResult) -> str:
    made_up = {"answer": ACCEPTED, "servers.asking:ask.<locals>.question": ACCEPTED}
    return await refused(scene.rounds.send(made_up))


async def under_another_name(scene: Scene, asked: InputRequiredResult) -> str:
    return await refused(scene.rounds.send({"another": ACCEPTED}, asked.request_state))


async def another_approvers_state(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(Bearer(identity="idris", case_id=""), asked.request_state, asked)


async def the_requester_with_her_state(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(Bearer(case_id=""), asked.request_state, asked)


async def the_requester_executing_with_her_state(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(DRAFTING_BEARER, asked.request_state, asked, tool="execute_action")


async def the_requester_with_no_state(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(DRAFTING_BEARER, None, asked, tool="execute_action")


async def another_tenants_supervisor(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(Bearer(identity="marc", case_id=""), asked.request_state, asked)


async def an_auditor(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(Bearer(identity="avery", case_id=""), None, asked)


async def an_agent(scene: Scene, asked: InputRequiredResult) -> str:
    agent = Bearer(case_id=ACTION_CASE, agent="executor", scopes=("execute_action", "decide_approval"))
    return await scene.by(agent, asked.request_state, asked)


async def an_agent_whose_client_can_ask(scene: Scene, asked: InputRequiredResult) -> str:
    agent = Bearer(identity="selma", case_id=ACTION_CASE, agent="executor", scopes=("execute_action",), run_id="run-1")
    return await scene.by(agent, None, asked, tool="execute_action")


async def a_token_for_another_case(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(replace(SELMA, case_id="HL-2026-0001"), asked.request_state, asked)


async def a_token_without_the_tool(scene: Scene, asked: InputRequiredResult) -> str:
    return await scene.by(replace(SELMA, scopes=("get_approval",)), asked.request_state, asked)


async def for_another_approval(scene: Scene, asked: InputRequiredResult) -> str:
    other = action_of(await saved(scene.world, open_questions=["Which store was it?"]))
    waiting = structured(await scene.world.call("drafting", "execute_action", other, bearer=DRAFTING_BEARER))
    other_id = waiting["approval"]["approval_id"]
    assert other_id != scene.approval_id
    told = await refused(scene.rounds.send(answers_to(asked), asked.request_state, approval_id=other_id))
    assert (await scene.world.services.approvals.get("harborline", other_id)).votes == ()
    return told


async def at_another_tool(scene: Scene, asked: InputRequiredResult) -> str:
    rounds = Rounds(client=scene.rounds.client, tool="get_approval", arguments=scene.rounds.arguments)
    return await refused(rounds.send(answers_to(asked), asked.request_state))


async def at_another_server(scene: Scene, asked: InputRequiredResult) -> str:
    on_the_case = replace(SELMA, case_id=ACTION_CASE)
    return await scene.by(on_the_case, asked.request_state, asked, tool="execute_action")


async def after_the_approval_expired(scene: Scene, asked: InputRequiredResult) -> str:
    scene.world.clock.advance(seconds=73 * 3600)
    token = scene.world.token("review", SELMA)
    async with scene.world.client_with("review", token) as client:
        rounds = replace(scene.rounds, client=client)
        return await refused(rounds.send(answers_to(asked), asked.request_state))


async def after_voting_was_switched_off(scene: Scene, asked: InputRequiredResult) -> str:
    services = scene.world.services
    selma = services.identities.find("selma")
    reviewed = ReviewedData.read(scene.world.policies)
    await services.controls.set(
        "switches.tools", "+admin/vote_approval", principal=selma, why="for this test", reviewed=reviewed
    )
    return await refused(scene.rounds.send(answers_to(asked), asked.request_state))


async def after_it_was_revoked(scene: Scene, asked: InputRequiredResult) -> str:
    services = scene.world.services
    await services.approvals.revoke(scene.approval_id, by=services.identities.find("rosa"), why="a mistake")
    return await refused(scene.rounds.send(answers_to(asked), asked.request_state))


async def with_an_odd_form(scene: Scene, asked: InputRequiredResult) -> str:
    told = ""
    odd: list[Content] = [{}, {"decision": "APPROVE"}, {"decision": ["approve"]}, {"note": "approve"}]
    for content in odd:
        given = ElicitResult(action="accept", content=content)
        told = await refused(scene.rounds.send(answers_to(asked, given), asked.request_state))
    return told


Attack = Callable[[Scene, InputRequiredResult], Awaitable[str]]
INVALID = "Invalid or expired requestState"
HIDDEN = "not available"
ATTACKS: dict[Attack, str] = {
    forged: INVALID,
    one_letter_changed: INVALID,
    sealed_elsewhere: INVALID,
    past_its_time: INVALID,
    replayed_after_declining: "answered already",
    without_its_state: "asked again",
    without_being_asked: "asked again",
    under_another_name: "asked again",
    another_approvers_state: INVALID,
    the_requester_with_her_state: INVALID,
    the_requester_executing_with_her_state: INVALID,
    the_requester_with_no_state: "approval_required",
    another_tenants_supervisor: INVALID,
    an_auditor: HIDDEN,
    an_agent: INVALID,
    an_agent_whose_client_can_ask: "approval_required",
    a_token_for_another_case: HIDDEN,
    a_token_without_the_tool: HIDDEN,
    for_another_approval: INVALID,
    at_another_tool: INVALID,
    at_another_server: INVALID,
    after_the_approval_expired: "expired",
    after_voting_was_switched_off: HIDDEN,
    after_it_was_revoked: "revoked",
    with_an_odd_form: "does not fit",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_nothing_but_the_persons_own_answer_is_a_vote(world: World, attack: Attack) -> None:
    arguments = action_of(await saved(world))
    waiting = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    approval_id = waiting["approval"]["approval_id"]
    async with client_of(world, "review", SELMA, User(APPROVE)) as client:
        rounds = Rounds(client=client, tool="decide_approval", arguments={"approval_id": approval_id})
        scene = Scene(world=world, arguments=arguments, approval_id=approval_id, rounds=rounds)
        told = await attack(scene, await rounds.ask())
    assert ATTACKS[attack] in told
    approval = await world.services.approvals.get("harborline", approval_id)
    assert approval.votes == ()
    assert approval.state != "approved"
    assert await world.effects(ACTION_CASE) == []


async def test_the_same_rounds_without_an_attack_are_a_vote(world: World) -> None:
    arguments = action_of(await saved(world))
    waiting = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    approval_id = waiting["approval"]["approval_id"]
    async with client_of(world, "review", SELMA, User(APPROVE)) as client:
        rounds = Rounds(client=client, tool="decide_approval", arguments={"approval_id": approval_id})
        asked = await rounds.ask()
        assert structured(await rounds.answer(asked))["status"] == "recorded"
        assert "takes no more votes" in await refused(rounds.send(answers_to(asked), asked.request_state))
    approval = await world.services.approvals.get("harborline", approval_id)
    assert [vote.voter for vote in approval.votes] == ["selma"]


async def test_a_state_is_taken_up_by_another_process_of_the_installation(world: World) -> None:
    arguments = action_of(await saved(world))
    waiting = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    approval_id = waiting["approval"]["approval_id"]
    other = World(world.home, world.policies)
    try:
        async with (
            client_of(world, "review", SELMA, User(APPROVE)) as here,
            client_of(other, "review", SELMA, User(APPROVE)) as there,
        ):
            asking = Rounds(client=here, tool="decide_approval", arguments={"approval_id": approval_id})
            asked = await asking.ask()
            told = structured(await replace(asking, client=there).answer(asked))
            assert (told["status"], told["approval"]["state"]) == ("recorded", "approved")
            replay = refused(asking.send(answers_to(asked, DECLINED), asked.request_state))
            assert "takes no more votes" in await replay
    finally:
        await other.services.close()


@pytest.mark.parametrize("meanwhile", ["expires", "is revoked", "is voted on", "voting is switched off"])
async def test_an_answer_within_the_call_is_decided_on_as_things_are_then(world: World, meanwhile: str) -> None:
    """The handshake era: the question is asked within the call, and people take their time."""
    services = world.services
    arguments = action_of(await saved(world))
    waiting = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    approval_id = waiting["approval"]["approval_id"]

    @dataclass
    class Slow(User):
        async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            if meanwhile == "expires":
                world.clock.advance(seconds=73 * 3600)
            elif meanwhile == "is revoked":
                await services.approvals.revoke(approval_id, by=services.identities.find("rosa"), why="a mistake")
            elif meanwhile == "is voted on":
                idris = services.identities.find("idris")
                await services.approvals.vote(approval_id, voter=idris, approve=False, note="")
            else:
                selma, reviewed = services.identities.find("selma"), ReviewedData.read(world.policies)
                await services.controls.set(
                    "switches.tools", "+admin/vote_approval", principal=selma, why="a test", reviewed=reviewed
                )
            return await super().answer(context, params)

    async with client_of(world, "review", SELMA, Slow(APPROVE), mode="legacy") as client:
        result = await client.call_tool("decide_approval", {"approval_id": approval_id})
    assert result.is_error, said(result)
    approval = await services.approvals.get("harborline", approval_id)
    assert "selma" not in {vote.voter for vote in approval.votes}
    assert await world.effects(ACTION_CASE) == []


async def test_a_state_is_spent_once_whoever_is_first(world: World) -> None:
    from casewright.questions.spent import SpentStates

    selma, idris = (world.services.identities.find(name) for name in ("selma", "idris"))
    states = SpentStates(world.services.database, world.clock)
    await states.spend(selma, "a" * 64)
    with pytest.raises(CasewrightError, match="answered already"):
        await states.spend(selma, "a" * 64)
    await states.spend(idris, "a" * 64)
    world.clock.advance(seconds=25 * 3600)
    await states.spend(selma, "b" * 64)
    await states.spend(selma, "a" * 64)
