"""What a listing shows: for people by role, for agents by name, on every server, in both protocol eras."""

import pytest

from casewright.contracts.principal import SERVERS, ServerName
from tests.support.installation import CASE, MODES, Bearer, Mode, World

CORPUS = {"search_policies", "get_clause", "get_clauses", "compare_versions", "list_documents", "verify_quote"}
FACTS = {
    "list_cases",
    "get_case",
    "list_transactions",
    "list_communications",
    "list_evidence",
    "get_evidence",
    "get_timeline",
    "check_evidence",
    "assess_case",
}
READING_DRAFTS = {"verify_draft", "get_draft", "list_drafts", "diff_drafts"}
DRAFTS = READING_DRAFTS | {"save_draft", "submit_action", "execute_action"}
ASKING = {"ask_question", "get_answer"}
READING_REVIEWS = ASKING | {"list_reviews", "get_review", "list_approvals", "get_approval", "explain_review"}
REVIEWS = READING_REVIEWS | {"start_review", "answer_question", "decide_approval"}
CHANGING = (DRAFTS - READING_DRAFTS) | (REVIEWS - READING_REVIEWS)
BY_PERSON: dict[str, dict[ServerName, set[str]]] = {
    "rosa": {"policy-search": CORPUS, "case-facts": FACTS, "drafting": DRAFTS, "review": REVIEWS},
    "selma": {"policy-search": CORPUS, "case-facts": FACTS, "drafting": DRAFTS, "review": REVIEWS},
    "avery": {"policy-search": CORPUS, "case-facts": FACTS, "drafting": READING_DRAFTS, "review": READING_REVIEWS},
    "petra": {"policy-search": CORPUS, "case-facts": set(), "drafting": set(), "review": ASKING},
}
BY_AGENT: dict[str, dict[ServerName, set[str]]] = {
    "router": {},
    "intake": {"case-facts": {"get_case"}},
    "policy_researcher": {"policy-search": CORPUS - {"verify_quote"}},
    "facts_analyst": {"case-facts": FACTS - {"list_cases", "check_evidence", "assess_case"}},
    "evidence_checker": {"case-facts": {"check_evidence", "assess_case"}},
    "drafter": {"drafting": {"save_draft", "get_draft"}},
    "verifier": {"drafting": {"verify_draft", "get_draft"}, "policy-search": {"get_clause", "verify_quote"}},
    "executor": {"drafting": {"submit_action", "execute_action"}},
    "stranger": {},
}


async def listed(world: World, server: ServerName, bearer: Bearer, *, mode: Mode = "auto") -> set[str]:
    """The names that a listing shows."""
    async with world.client(server, bearer, mode=mode) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.proves("D3", "D2", "I1")
@pytest.mark.parametrize("mode", MODES)
async def test_a_person_sees_the_tools_of_their_role_and_no_other(world: World, mode: Mode) -> None:
    for person, servers in BY_PERSON.items():
        for server, expected in servers.items():
            assert await listed(world, server, Bearer(identity=person), mode=mode) == expected, (person, server)


@pytest.mark.proves("D3", "E1")
async def test_an_agent_sees_its_own_tools_and_no_other_whatever_its_scopes_claim(world: World) -> None:
    everything = tuple(sorted(CORPUS | FACTS | DRAFTS | REVIEWS))
    for agent, servers in BY_AGENT.items():
        for server in SERVERS:
            bearer = Bearer(agent=agent, scopes=everything)
            assert await listed(world, server, bearer) == servers.get(server, set()), (agent, server)


@pytest.mark.proves("D3")
async def test_an_agent_gets_nothing_by_a_wildcard_scope(world: World) -> None:
    for agent in BY_AGENT:
        for server in SERVERS:
            assert await listed(world, server, Bearer(agent=agent, scopes=("*",))) == set()


@pytest.mark.proves("D3")
async def test_a_token_with_fewer_scopes_lists_fewer_tools(world: World) -> None:
    assert await listed(world, "case-facts", Bearer(scopes=("get_case", "execute_action"))) == {"get_case"}


@pytest.mark.proves("D3", "B2")
async def test_without_a_case_only_what_needs_none_is_listed(world: World) -> None:
    assert await listed(world, "review", Bearer(case_id="")) == REVIEWS
    assert await listed(world, "case-facts", Bearer(case_id="")) == {"list_cases"}
    assert await listed(world, "drafting", Bearer(case_id="")) == set()


@pytest.mark.proves("D3")
async def test_a_listing_does_not_depend_on_earlier_calls(world: World) -> None:
    async with world.client("case-facts") as client:
        before = await client.list_tools()
        await client.call_tool("get_case", {})
        await client.call_tool("no_such_tool", {})
        assert await client.list_tools(cache_mode="bypass") == before


@pytest.mark.proves("G1", "D3")
async def test_the_tools_a_listing_left_out_are_audited(world: World) -> None:
    await listed(world, "case-facts", Bearer(agent="intake", scopes=("get_case",)))
    (event,) = await world.events()
    assert (event.kind, event.subject, event.agent) == ("listing.withheld", "rosa", "intake")
    assert set(event.body["tools"]) == FACTS - {"get_case"}
    assert event.case_id == CASE


@pytest.mark.proves("I1")
async def test_a_filtered_listing_is_private_to_its_caller(world: World) -> None:
    async with world.client("case-facts") as client:
        result = await client.list_tools()
        assert (result.cache_scope, result.ttl_ms) == ("private", 0)


@pytest.mark.proves("I3")
@pytest.mark.parametrize("server", SERVERS)
async def test_every_tool_is_described_and_says_truly_whether_it_reads(world: World, server: ServerName) -> None:
    async with world.client(server) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.title and tool.description and tool.output_schema, tool.name
            assert tool.annotations is not None
            changes = tool.name in CHANGING
            assert tool.annotations.read_only_hint is not changes, tool.name
            assert tool.annotations.destructive_hint is (tool.name == "execute_action")
            assert tool.annotations.open_world_hint is False
            assert "tenant" not in tool.input_schema["properties"]
            assert "case_id" not in tool.input_schema["properties"] or server == "review"
