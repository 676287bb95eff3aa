"""The case facts server, driven by a client: one case, sealed evidence, redaction, provenance."""

import json
from typing import Any

import pytest

from casewright.cases.views import REDACTED
from tests.support.installation import CASE, MODES, SEALED_CASE, Bearer, Mode, World, said, structured

READS = (
    "get_case",
    "list_transactions",
    "list_communications",
    "list_evidence",
    "get_timeline",
    "check_evidence",
    "assess_case",
)
FOREIGN = {
    "absent": "HL-2026-9999",
    "of another tenant": "MB-2026-0001",
    "of a colleague": "HL-2026-0003",
    "with a conflict of interest": "HL-2026-0017",
    "none": "",
}


@pytest.mark.proves("B2", "I1")
@pytest.mark.parametrize("mode", MODES)
async def test_a_reviewer_reads_the_case_the_token_names(world: World, mode: Mode) -> None:
    async with world.client("case-facts", mode=mode) as client:
        for tool in READS:
            assert structured(await client.call_tool(tool, {})), tool
        assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE


@pytest.mark.proves("B2", "D1")
@pytest.mark.parametrize("tool", READS)
async def test_every_other_case_reads_like_an_absent_one(world: World, tool: str) -> None:
    answers = {why: await world.call("case-facts", tool, bearer=Bearer(case_id=case)) for why, case in FOREIGN.items()}
    assert all(answer.is_error for answer in answers.values())
    assert len({said(answer) for answer in answers.values()}) == 1
    assert not any(case in said(answer) for case in FOREIGN.values() if case for answer in answers.values())


@pytest.mark.proves("B2", "D1")
@pytest.mark.parametrize("name", ["case_id", "tenant", "principal", "labels", "sealed", "trust"])
async def test_an_argument_that_claims_a_case_or_a_right_is_refused(world: World, name: str) -> None:
    result = await world.call("case-facts", "get_case", {name: "HL-2026-0003"})
    assert result.is_error
    assert said(result) == f"'get_case' has no argument {name!r}; it takes no arguments"


@pytest.mark.proves("B2")
async def test_sealed_evidence_is_absent_for_a_reviewer_and_present_for_a_supervisor(world: World) -> None:
    reviewer, supervisor = Bearer(case_id=SEALED_CASE), Bearer(case_id=SEALED_CASE, identity="selma", run_id="run-2")
    seen = structured(await world.call("case-facts", "list_evidence", bearer=reviewer))
    assert "e4" not in {item["evidence_id"] for item in seen["evidence"]}
    assert not any(path.startswith("evidence/e4") for path in seen["provenance"])
    full = structured(await world.call("case-facts", "list_evidence", bearer=supervisor))
    assert "e4" in {item["evidence_id"] for item in full["evidence"]}


@pytest.mark.proves("B2")
async def test_sealed_evidence_and_evidence_that_does_not_exist_give_the_same_answer(world: World) -> None:
    bearer = Bearer(case_id=SEALED_CASE)
    sealed = said(await world.call("case-facts", "get_evidence", {"evidence_id": "e4"}, bearer=bearer))
    absent = said(await world.call("case-facts", "get_evidence", {"evidence_id": "e9"}, bearer=bearer))
    assert sealed.replace("e4", "e9") == absent


@pytest.mark.proves("B2")
@pytest.mark.parametrize("tool", READS)
async def test_nothing_that_a_reviewer_can_read_speaks_of_the_sealed_evidence(world: World, tool: str) -> None:
    stored = await world.services.cases.load("harborline", SEALED_CASE)
    assert stored is not None
    sealed = next(item for item in stored.case.evidence if item.sealed)
    answer = json.dumps(structured(await world.call("case-facts", tool, bearer=Bearer(case_id=SEALED_CASE))))
    assert sealed.title not in answer
    assert sealed.text[:40] not in answer
    assert f'"{sealed.evidence_id}"' not in answer


@pytest.mark.proves("B5")
async def test_values_above_the_role_are_redacted_and_typed_facts_stay(world: World) -> None:
    full = structured(await world.call("case-facts", "get_case"))
    hidden = structured(await world.call("case-facts", "get_case", bearer=Bearer(identity="avery", run_id="run-2")))
    assert full["narrative"] not in (REDACTED, "")
    assert {hidden[name] for name in ("title", "narrative", "product", "issue")} == {REDACTED}
    assert {party["name"] for party in hidden["parties"]} == {REDACTED}
    assert {account["number_last4"] for account in hidden["accounts"]} == {None}
    assert hidden["claimed_amount_minor"] == full["claimed_amount_minor"]


@pytest.mark.proves("B5")
async def test_a_supervisor_does_not_see_restricted_values_either(world: World) -> None:
    bearer = Bearer(case_id=SEALED_CASE, identity="selma")
    (item,) = structured(await world.call("case-facts", "get_evidence", {"evidence_id": "e4"}, bearer=bearer))[
        "evidence"
    ]
    assert (item["classification"], item["text"], item["title"]) == ("restricted", REDACTED, REDACTED)


@pytest.mark.proves("B5", "B2")
async def test_a_list_of_cases_holds_what_its_reader_may_see_and_no_titles_above_them(world: World) -> None:
    lists: dict[str, list[dict[str, Any]]] = {}
    for person in ("rosa", "selma", "avery", "lena"):
        bearer = Bearer(identity=person, case_id="", run_id=f"run-{person}")
        lists[person] = structured(await world.call("case-facts", "list_cases", bearer=bearer))["cases"]
    ids = {person: {case["case_id"] for case in cases} for person, cases in lists.items()}
    assert "HL-2026-0003" not in ids["rosa"] and "HL-2026-0003" in ids["selma"]
    assert "HL-2026-0017" not in ids["rosa"]
    assert {case_id[:2] for case_id in ids["selma"] | ids["rosa"] | ids["avery"]} == {"HL"}
    assert {case_id[:2] for case_id in ids["lena"]} == {"MB"}
    assert {case["title"] for case in lists["avery"]} == {REDACTED}
    assert REDACTED not in {case["title"] for case in lists["rosa"]}


@pytest.mark.proves("B2", "B5")
async def test_a_title_that_speaks_of_sealed_evidence_is_listed_only_for_who_may_see_it(world: World) -> None:
    stored = await world.services.cases.load("harborline", SEALED_CASE)
    assert stored is not None
    sealed = next(item for item in stored.case.evidence if item.sealed)
    title = f"Card dispute, settled by {sealed.evidence_id}"
    selma = world.services.identities.find("selma")
    report = await world.services.cases.import_cases([stored.case.model_copy(update={"title": title})], importer=selma)
    assert [revised.case_id for revised in report.revised] == [SEALED_CASE]
    titles: dict[str, dict[str, str]] = {}
    for person in ("rosa", "selma"):
        bearer = Bearer(identity=person, case_id="", run_id=f"run-{person}")
        cases = structured(await world.call("case-facts", "list_cases", bearer=bearer))["cases"]
        titles[person] = {case["case_id"]: case["title"] for case in cases}
    assert titles["selma"][SEALED_CASE] == title
    assert titles["rosa"][SEALED_CASE] == ""
    assert all(told for case_id, told in titles["rosa"].items() if case_id != SEALED_CASE)


@pytest.mark.proves("B6")
@pytest.mark.parametrize(
    ("tool", "collections"),
    [
        ("get_case", ("parties", "accounts", "notices")),
        ("list_transactions", ("transactions",)),
        ("list_communications", ("communications",)),
        ("list_evidence", ("evidence",)),
        ("get_timeline", ("timeline", "notes")),
    ],
)
async def test_every_item_says_where_it_comes_from(world: World, tool: str, collections: tuple[str, ...]) -> None:
    found = structured(await world.call("case-facts", tool))
    origins = found["provenance"]
    assert all(origin["source"] and origin["trust"] in ("system", "staff", "untrusted") for origin in origins.values())
    for name in collections:
        for item in found[name]:
            own_id = next(value for key, value in item.items() if key.endswith("_id"))
            assert any(path.startswith(f"{name}/{own_id}/") for path in origins), (name, own_id)


@pytest.mark.proves("B6")
async def test_what_a_customer_wrote_is_untrusted_by_code(world: World) -> None:
    case = structured(await world.call("case-facts", "get_case"))
    assert case["provenance"]["case/narrative"]["trust"] == "untrusted"
    letters = structured(await world.call("case-facts", "list_communications"))
    inbound = [item for item in letters["communications"] if item["direction"] == "inbound"]
    assert inbound
    for item in inbound:
        assert item["trust"] == "untrusted"
        assert letters["provenance"][f"communications/{item['communication_id']}/text"]["trust"] == "untrusted"


@pytest.mark.proves("B6")
async def test_a_list_of_evidence_carries_no_texts_and_reading_one_item_does(world: World) -> None:
    listed = structured(await world.call("case-facts", "list_evidence"))["evidence"]
    assert {item["text"] for item in listed} == {""}
    wanted = {"evidence_id": listed[0]["evidence_id"]}
    (item,) = structured(await world.call("case-facts", "get_evidence", wanted))["evidence"]
    assert item["text"]


@pytest.mark.proves("B3", "B4")
async def test_what_a_caller_may_not_see_does_not_count_in_their_assessment(world: World) -> None:
    reviewer = structured(await world.call("case-facts", "check_evidence", bearer=Bearer(case_id=SEALED_CASE)))
    assert "e4" not in {found for item in reviewer["items"] for found in item["evidence_ids"]}
