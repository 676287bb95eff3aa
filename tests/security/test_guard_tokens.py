"""Tokens at the servers, with a raw client: missing, expired, forged, for another server, tenant or case.

Every one is refused before anything is read, on the listing and on the call, in both protocol eras.
"""

from collections.abc import Callable

import jwt
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from casewright.identity.keys import SigningKey
from casewright.identity.tokens import LocalTokenAuthority
from servers.boundary import HOW_TO_AUTHENTICATE
from tests.support.installation import CASE, MODES, ROSA, Bearer, Mode, World, said, structured


def expired(world: World) -> str:
    token = world.token("case-facts", Bearer(seconds=30))
    world.clock.advance(seconds=31)
    return token


def from_another_installation(world: World) -> str:
    services, own = world.services, world.services.tokens
    services.tokens = LocalTokenAuthority(SigningKey.generate(), world.clock)
    try:
        return world.token("case-facts")
    finally:
        services.tokens = own


def unsigned(world: World) -> str:
    claims = jwt.decode(world.token("case-facts"), options={"verify_signature": False})
    return jwt.encode(claims, key="", algorithm="none")


REFUSED: dict[str, tuple[Callable[[World], str], str]] = {
    "missing": (lambda world: "", "token_missing"),
    "of another server": (lambda world: world.token("drafting"), "token_audience"),
    "expired": (expired, "token_expired"),
    "signed by another key": (from_another_installation, "token_invalid"),
    "not signed": (unsigned, "token_invalid"),
    "with another signature": (lambda world: world.token("case-facts").rpartition(".")[0] + ".AAAA", "token_invalid"),
    "no token at all": (lambda world: "rosa", "token_invalid"),
    "too long": (lambda world: "a" * 9_000, "token_malformed"),
}


@pytest.mark.proves("D1", "D2", "I2")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("why", REFUSED)
async def test_without_a_valid_token_nothing_answers_but_the_handshake(world: World, why: str, mode: Mode) -> None:
    made, code = REFUSED[why]
    async with world.client_with("case-facts", made(world), mode=mode) as client:
        for attempt in (client.list_tools, lambda: client.call_tool("get_case", {}), client.list_resources):
            with pytest.raises(MCPError) as refusal:
                await attempt()
            assert (refusal.value.error.code, refusal.value.error.message) == (INVALID_REQUEST, HOW_TO_AUTHENTICATE)
    events = await world.events(run_id="", tenant="")
    assert {(event.kind, event.subject, event.body["code"]) for event in events} == {("call.denied", "", code)}
    assert {event.body["method"] for event in events} == {"tools/list", "tools/call", "resources/list"}


@pytest.mark.proves("D2")
async def test_a_token_that_expires_between_two_calls_ends_the_second(world: World) -> None:
    async with world.client("case-facts", Bearer(seconds=60)) as client:
        assert structured(await client.call_tool("get_case", {}))
        world.clock.advance(seconds=60)
        with pytest.raises(MCPError):
            await client.call_tool("get_case", {})


@pytest.mark.proves("B2", "D1")
async def test_a_token_of_another_tenant_that_names_the_case_does_not_read_it(world: World) -> None:
    for person in ("lena", "marc"):
        result = await world.call("case-facts", "get_case", bearer=Bearer(identity=person, case_id=CASE))
        assert result.is_error
        assert "Stolen wallet" not in said(result)


@pytest.mark.proves("D1", "D3")
async def test_denied_absent_and_unknown_tools_answer_the_same(world: World) -> None:
    """An agent calls a tool of another agent, a tool on an absent case, and one that does not exist."""
    intake = Bearer(agent="intake", scopes=("get_case",))
    answers = {
        "another agent's": await world.call("case-facts", "assess_case", bearer=intake),
        "with arguments it has not": await world.call("case-facts", "assess_case", {"x": 1}, bearer=intake),
        "with arguments that do not fit": await world.call(
            "case-facts", "get_evidence", {"evidence_id": 7}, bearer=intake
        ),
        "on an absent case": await world.call("case-facts", "get_case", bearer=Bearer(case_id="HL-2026-9999")),
        "unknown": await world.call("case-facts", "drop_case", bearer=intake),
        "unknown with arguments": await world.call("case-facts", "drop_case", {"x": 1}, bearer=intake),
        "spelt otherwise": await world.call("case-facts", "Get_Case", bearer=intake),
        "of another server": await world.call("case-facts", "execute_action", bearer=intake),
    }
    assert all(answer.is_error for answer in answers.values())
    hidden = {why: said(answer).partition(" is ")[2] for why, answer in answers.items()}
    assert set(hidden.values()) == {"not available: it does not exist, or this token may not use it"}, hidden


@pytest.mark.proves("D1", "G1")
async def test_the_reason_of_a_denial_is_in_the_audit_and_not_in_the_answer(world: World) -> None:
    result = await world.call("case-facts", "get_case", bearer=Bearer(case_id="HL-2026-0003"))
    (event,) = await world.events()
    assert (event.kind, event.subject, event.case_id) == ("call.denied", "rosa", "HL-2026-0003")
    assert event.body["code"] == "not_assigned"
    assert event.body["code"] not in said(result)


@pytest.mark.proves("I2")
async def test_no_tool_result_carries_the_token(world: World) -> None:
    token = world.token("case-facts", ROSA)
    async with world.client_with("case-facts", token) as client:
        for tool in ("get_case", "list_cases", "no_such_tool"):
            assert token not in (await client.call_tool(tool, {})).model_dump_json()
    for event in await world.events():
        assert token not in event.model_dump_json()
