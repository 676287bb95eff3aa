"""What an agent knows of a case does not travel in its searches, whoever makes it ask: the search server refuses it."""

import pytest

from tests.support.installation import CASE, Bearer, World, said, structured

pytestmark = pytest.mark.thorough
RESEARCHER = Bearer(agent="policy_researcher", scopes=("search_policies",))
PERSONAL = (
    "rights of Marisol Ingram",
    "what may INGRAM, MARISOL claim",
    "liability of Ingram for unauthorized transfers",
    "purchases at Cascade Electronics",
    "card 4111 1111 1111 1111 was stolen",
    "refund to DE89370400440532013000",
    "SSN 123-45-6789",
    "call 415-555-0132",
    "m.ingram@example.com asks",
)


@pytest.mark.proves("F7")
async def test_an_agent_cannot_search_for_what_is_personal_in_its_case(world: World) -> None:
    async with world.client("policy-search", RESEARCHER) as client:
        for query in PERSONAL:
            result = await client.call_tool("search_policies", {"query": query, "as_of": "2026-03-02"})
            assert result.is_error, query
            assert "the query carries personal data" in said(result)
            assert not any(word in said(result) for word in ("Ingram", "4111", "415-555", "DE89"))


async def test_what_the_same_agent_asks_of_subjects_is_answered(world: World) -> None:
    asked = {"query": "provisional credit § 1005.11(c)(2)(i) within 10 business days", "as_of": "2026-03-02"}
    found = structured(await world.call("policy-search", "search_policies", asked, bearer=RESEARCHER))
    assert found["hits"]


async def test_a_name_is_personal_only_in_its_own_case(world: World) -> None:
    elsewhere = Bearer(agent="policy_researcher", scopes=("search_policies",), case_id="HL-2026-0002")
    result = await world.call(
        "policy-search", "search_policies", {"query": "rights of Marisol Ingram"}, bearer=elsewhere
    )
    assert not result.is_error, said(result)


async def test_a_person_may_search_for_what_they_like(world: World) -> None:
    person = Bearer(case_id=CASE)
    result = await world.call("policy-search", "search_policies", {"query": "rights of Marisol Ingram"}, bearer=person)
    assert not result.is_error, said(result)
