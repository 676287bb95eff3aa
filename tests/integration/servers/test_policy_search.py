"""The policy search server, driven by a client: prefilters from the decision, retrievals per run."""

import datetime as dt
from typing import Any

import pytest

from tests.support.installation import MODES, Bearer, Mode, World, said, structured

QUERY = "provisional credit when the investigation is still open"
FRAUD = "hl-fraud-operations"
"""Its label is `fraud-ops`: supervisors hold it, reviewers do not."""


async def hits(world: World, query: str, bearer: Bearer, **more: Any) -> list[dict[str, Any]]:
    """What a search returns."""
    result = await world.call("policy-search", "search_policies", {"query": query, **more}, bearer=bearer)
    return structured(result)["hits"]


@pytest.mark.proves("A4", "I1")
@pytest.mark.parametrize("mode", MODES)
async def test_a_search_returns_only_the_callers_tenant(world: World, mode: Mode) -> None:
    for person, prefix in (("rosa", "hl-"), ("lena", "mb-")):
        async with world.client("policy-search", Bearer(identity=person, case_id=""), mode=mode) as client:
            found = structured(await client.call_tool("search_policies", {"query": QUERY}))["hits"]
            assert {hit["document_id"][:3] for hit in found} == {prefix}


@pytest.mark.proves("A4")
async def test_labelled_text_is_found_by_those_who_hold_the_label_and_by_nobody_else(world: World) -> None:
    for person, visible in (("rosa", False), ("petra", False), ("selma", True)):
        bearer = Bearer(identity=person, run_id=f"run-{person}")
        found = await hits(world, "fraud operations queue", bearer, limit=50, document_ids=[FRAUD])
        assert bool(found) is visible, person
        listed = structured(await world.call("policy-search", "list_documents", bearer=bearer))["documents"]
        assert (FRAUD in {document["document_id"] for document in listed}) is visible, person


@pytest.mark.proves("A4", "D1")
async def test_a_clause_of_another_tenant_or_label_reads_like_an_absent_one(world: World) -> None:
    asked = ("mb-error-resolution", "hl-fraud-operations", "hl-no-such-document")
    answers: set[str] = set()
    for document_id in asked:
        result = await world.call("policy-search", "get_clause", {"document_id": document_id, "label": "2.1"})
        assert result.is_error
        answers.add(said(result).replace(document_id, "X"))
    assert len(answers) == 1


@pytest.mark.proves("C2", "A6")
async def test_what_a_run_retrieved_is_recorded_for_that_run_alone(world: World) -> None:
    mine, other = Bearer(run_id="run-1"), Bearer(run_id="run-2")
    found = {hit["clause_id"] for hit in await hits(world, QUERY, mine)}
    await hits(world, "duplicate claims", other, limit=1)
    retrievals = world.services.retrievals
    assert await retrievals.of_run("harborline", "run-1") == found
    assert len(await retrievals.of_run("harborline", "run-2")) == 1
    assert await retrievals.of_run("millbrook", "run-1") == frozenset()


@pytest.mark.proves("C2")
async def test_reading_a_clause_records_it_with_its_surroundings(world: World) -> None:
    found = structured(
        await world.call("policy-search", "get_clause", {"document_id": "hl-provisional-credit", "label": "5.1"})
    )
    recorded = await world.services.retrievals.of_run("harborline", "run-1")
    assert {found["clause"]["clause_id"], *(child["clause_id"] for child in found["children"])} <= recorded
    assert found["children"]


@pytest.mark.proves("C2", "A8")
async def test_several_clauses_are_read_in_one_call_and_absent_ones_are_named(world: World) -> None:
    seen = {"document_id": "hl-provisional-credit", "label": "5.1"}
    hidden = [{"document_id": name, "label": "2.1"} for name in ("mb-error-resolution", FRAUD, "hl-no-such-document")]
    answer = structured(await world.call("policy-search", "get_clauses", {"clauses": [seen, *hidden, seen]}))
    (found,) = answer["found"]
    assert found == structured(await world.call("policy-search", "get_clause", seen))
    assert answer["absent"] == hidden
    recorded = await world.services.retrievals.of_run("harborline", "run-1")
    assert {found["clause"]["clause_id"], *(child["clause_id"] for child in found["children"])} <= recorded


@pytest.mark.proves("C2", "A8")
async def test_the_definition_that_a_clause_is_read_with_may_be_cited_as_well(world: World) -> None:
    found = structured(
        await world.call("policy-search", "get_clause", {"document_id": "hl-error-resolution", "label": "3.1"})
    )
    (defined,) = found["definitions"]
    assert (defined["term"], defined["definition"]["label"]) == ("error", "1.2")
    assert defined["definition"]["clause_id"] in await world.services.retrievals.of_run("harborline", "run-1")


@pytest.mark.proves("A3")
async def test_the_date_decides_which_version_answers(world: World) -> None:
    for as_of, version in (("2024-06-01", "2018.1"), ("2026-03-02", "2025.1")):
        bearer = Bearer(run_id=f"run-{as_of}")
        found = await hits(world, QUERY, bearer, as_of=as_of, document_ids=["hl-provisional-credit"])
        assert {hit["version"] for hit in found} == {version}


@pytest.mark.proves("D4")
async def test_a_search_returns_no_more_than_the_decision_allows(world: World) -> None:
    found = await hits(world, "the bank must", Bearer(), limit=50)
    assert 0 < len(found) <= 50
    result = await world.call("policy-search", "search_policies", {"query": "credit", "limit": 51})
    assert result.is_error
    assert "limit" in said(result)


@pytest.mark.proves("A6")
async def test_a_quote_is_verified_word_for_word(world: World) -> None:
    found = structured(
        await world.call("policy-search", "get_clause", {"document_id": "hl-provisional-credit", "label": "5.1(d)"})
    )["clause"]
    asked = {name: found[name] for name in ("document_id", "version", "label")}
    exact = structured(await world.call("policy-search", "verify_quote", {**asked, "quote": found["text"]}))
    changed = found["text"].replace("margin", "savings")
    edited = structured(await world.call("policy-search", "verify_quote", {**asked, "quote": changed}))
    assert exact["verified"]
    assert not edited["verified"] and edited["problem"]


@pytest.mark.proves("A8")
async def test_two_versions_of_a_clause_are_compared(world: World) -> None:
    arguments = {"document_id": "hl-provisional-credit", "label": "5.1", "from_version": "2018.1"}
    found = structured(await world.call("policy-search", "compare_versions", {**arguments, "to_version": "2025.1"}))
    assert found["document_id"] == "hl-provisional-credit"


@pytest.mark.proves("D1")
@pytest.mark.parametrize(
    "arguments",
    [
        {"query": ""},
        {},
        {"query": "x", "as_of": "yesterday"},
        {"query": "x", "limit": 0},
        {"query": ["x"]},
        {"query": "x", "document_ids": ["a"] * 51},
        {"query": "x", "labels": ["fraud-ops"]},
        {"query": "x", "tenant": "millbrook"},
    ],
    ids=lambda arguments: ",".join(sorted(arguments)) or "nothing",
)
async def test_arguments_that_do_not_fit_are_refused_with_the_way_out(world: World, arguments: dict[str, Any]) -> None:
    result = await world.call("policy-search", "search_policies", arguments)
    assert result.is_error
    assert "'search_policies'" in said(result)
    (event,) = await world.events()
    assert (event.kind, event.body["code"]) == ("call.denied", "arguments_invalid")
    assert await world.services.retrievals.of_run("harborline", "run-1") == frozenset()


@pytest.mark.proves("A3")
async def test_without_a_date_the_rules_of_today_answer(world: World) -> None:
    documents = structured(await world.call("policy-search", "list_documents"))["documents"]
    today = dt.datetime.fromtimestamp(world.clock.now_ns() / 1e9, tz=dt.UTC).date().isoformat()
    assert documents
    assert all(document["effective_from"] <= today for document in documents)
