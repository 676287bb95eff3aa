"""Resources, prompts and completions of the servers: what they hold, for whom, and that each is its tool's decision."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from casewright.audit.records import RecordQuery
from casewright.contracts.principal import SERVERS, ServerName
from servers.boundary import WATERMARK_KEY
from servers.entries import MOST_COMPLETIONS
from servers.spec import READING_VERBS
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, saved
from tests.support.installation import CASE, MODES, Bearer, Mode, World, structured

AUDITOR = Bearer(identity="avery", run_id="run-audit")
CLAUSE = "policy://{document}/{clause}{?as_of}"
OF_CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "overview": ("get_case", {}),
    "timeline": ("get_timeline", {}),
    "transactions": ("list_transactions", {}),
    "communications": ("list_communications", {}),
    "evidence": ("list_evidence", {}),
    "checklist": ("check_evidence", {}),
    "deadlines": ("assess_case", {}),
}


async def text_at(client: Client, uri: str) -> str:
    first = (await client.read_resource(uri)).contents[0]
    assert isinstance(first, TextResourceContents)
    return first.text


async def completed(client: Client, ref: str, name: str, typed: str, **given: str) -> list[str]:
    reference = ResourceTemplateReference(uri=ref) if "://" in ref else PromptReference(name=ref)
    found = await client.complete(reference, {"name": name, "value": typed}, context_arguments=given or None)
    return found.completion.values


async def decision_of(world: World, run_id: str, kind: str) -> dict[str, Any]:
    """The last decision of a run by way of this kind of entry: its audit event and the input that it was made on."""
    event = [event for event in await world.events(run_id=run_id) if event.body.get("kind") == kind][-1]
    query = RecordQuery(tenant="harborline", decision_id=event.body["decision_id"])
    (record,) = [found async for found in world.services.decisions.read(query)]
    return {"kind": event.kind, "body": event.body, "input": record.input}


@pytest.mark.proves("I3", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_a_case_is_read_by_its_uri_as_its_tools_answer_it(world: World, mode: Mode) -> None:
    async with world.client("case-facts", mode=mode) as client:
        for path, (tool, arguments) in OF_CASES.items():
            by_tool = structured(await client.call_tool(tool, arguments))
            assert json.loads(await text_at(client, f"case://{CASE}/{path}")) == by_tool
        evidence = structured(await client.call_tool("list_evidence", {}))["evidence"][0]["evidence_id"]
        item = json.loads(await text_at(client, f"case://{CASE}/evidence/{evidence}"))
        assert item == structured(await client.call_tool("get_evidence", {"evidence_id": evidence}))


@pytest.mark.proves("I3", "D2", "D3")
async def test_reading_by_uri_asks_the_policy_what_calling_the_tool_asks(world: World) -> None:
    asked: list[dict[str, Any]] = []
    async with world.client("case-facts", Bearer(run_id="run-a")) as client:
        await client.call_tool("get_case", {})
    async with world.client("case-facts", Bearer(run_id="run-b")) as client:
        await client.read_resource(f"case://{CASE}/overview")
    for run_id, kind in (("run-a", "tool"), ("run-b", "resource")):
        found = await decision_of(world, run_id, kind)
        assert found["kind"] == "call.allowed"
        asked.append({name: found["input"][name] for name in ("tool", "resource", "arguments_digest", "mode")})
    assert asked[0] == asked[1]


@pytest.mark.proves("I3", "D2")
async def test_a_clause_is_read_on_its_date_and_completed_from_what_may_be_read(world: World) -> None:
    async with world.client("policy-search") as client:
        documents = await completed(client, CLAUSE, "document", "hl-prov")
        assert documents == ["hl-provisional-credit"]
        labels = await completed(client, CLAUSE, "clause", "2.", document=documents[0])
        assert labels and all(label.startswith("2.") for label in labels)
        uri = f"policy://{documents[0]}/{quote(labels[0], safe='')}?as_of=2026-06-01"
        arguments = {"document_id": documents[0], "label": labels[0], "as_of": "2026-06-01"}
        assert json.loads(await text_at(client, uri)) == structured(await client.call_tool("get_clause", arguments))
        assert await completed(client, CLAUSE, "clause", "2.") == []  # of no document
        assert await completed(client, CLAUSE, "as_of", "2026") == []  # nothing completes a date
        listed = json.loads(await text_at(client, "policy://documents"))
        assert listed == structured(await client.call_tool("list_documents", {}))


@pytest.mark.proves("I3", "B6")
async def test_only_documents_of_the_callers_labels_are_completed(world: World) -> None:
    async with world.client("policy-search") as client:
        seen = structured(await client.call_tool("list_documents", {}))["documents"]
        assert await completed(client, CLAUSE, "document", "") == sorted({each["document_id"] for each in seen})
    foreign = [
        each for each in await completed_all(world, "selma") if each not in {each["document_id"] for each in seen}
    ]
    for document in foreign:
        async with world.client("policy-search") as client:
            assert await completed(client, CLAUSE, "clause", "", document=document) == []


async def completed_all(world: World, identity: str) -> list[str]:
    async with world.client("policy-search", Bearer(identity=identity, run_id="run-all")) as client:
        return await completed(client, CLAUSE, "document", "")


@pytest.mark.proves("I3", "D2", "D3")
async def test_cases_and_evidence_are_completed_within_the_tokens_case_alone(world: World) -> None:
    template = "case://{case}/evidence/{item}"
    async with world.client("case-facts", Bearer(case_id="", run_id="run-none")) as client:
        assert (await client.list_resource_templates()).resource_templates == []
        with pytest.raises(MCPError, match="not available"):
            await completed(client, template, "case", "")
    async with world.client("case-facts") as client:
        assert await completed(client, template, "case", "") == [CASE]
        assert await completed(client, template, "case", "0007") == []
        own = await completed(client, template, "item", "", case=CASE)
        assert own == [
            each["evidence_id"] for each in structured(await client.call_tool("list_evidence", {}))["evidence"]
        ]
        assert await completed(client, template, "item", "", case="HL-2026-0007") == []


@pytest.mark.proves("I3", "D4")
async def test_what_an_auditor_reads_is_redacted_and_marked_as_with_the_tool(world: World) -> None:
    async with world.client("case-facts", AUDITOR) as client:
        by_tool = await client.call_tool("get_case", {})
        read = await client.read_resource(f"case://{CASE}/overview")
        first, mark = read.contents
        assert isinstance(first, TextResourceContents) and isinstance(mark, TextResourceContents)
        assert json.loads(first.text) == structured(by_tool)
        assert first.meta is not None and first.meta[WATERMARK_KEY] == mark.text
        assert mark.text == "read by avery of harborline in run-audit"


@pytest.mark.proves("I3", "D5")
async def test_reading_resources_spends_the_budget_of_calls(world: World) -> None:
    async with world.client("case-facts") as client:
        for _ in range(3):
            await client.read_resource(f"case://{CASE}/timeline")
        await completed(client, "case://{case}/timeline", "case", "")
        await client.get_prompt("review_case", {"case": CASE})
    assert (await world.services.standing.read("harborline", "run-1")).calls == 5


@pytest.mark.proves("I3", "C1")
async def test_a_draft_is_read_by_its_uri_and_its_approval_is_prepared_by_those_who_may_ask(world: World) -> None:
    draft = (await saved(world))["draft_id"]
    async with world.client("drafting", DRAFTING_BEARER) as client:
        assert await completed(client, "draft://{draft}{?version}", "draft", "") == [draft]
        assert await completed(client, "prepare_approval", "draft", draft[:6]) == [draft]
        latest = json.loads(await text_at(client, f"draft://{draft}"))
        assert latest == json.loads(await text_at(client, f"draft://{draft}?version=1"))
        assert latest == structured(await client.call_tool("get_draft", {"draft_id": draft}))
        assert json.loads(await text_at(client, f"case://{ACTION_CASE}/drafts"))["drafts"][0]["draft_id"] == draft
        prompt = await client.get_prompt("prepare_approval", {"draft": draft})
        (message,) = prompt.messages
        assert isinstance(message.content, TextContent) and draft in message.content.text
        with pytest.raises(MCPError, match="not available"):
            await client.get_prompt("prepare_approval", {"draft": "drf-none"})
        with pytest.raises(MCPError, match="draft_version"):
            await client.read_resource(f"draft://{draft}?version=two")
    auditor = Bearer(identity="avery", case_id=ACTION_CASE, run_id="run-audit")
    async with world.client("drafting", auditor) as client:
        assert (await client.list_prompts()).prompts == []
        assert draft in await text_at(client, f"draft://{draft}")
        with pytest.raises(MCPError, match="not available"):
            await client.get_prompt("prepare_approval", {"draft": draft})


@pytest.mark.proves("I3", "D3")
async def test_each_is_listed_where_its_tools_are(world: World) -> None:
    author = Bearer(identity="petra", case_id="", run_id="run-author")
    async with world.client("case-facts", author) as client:
        assert (await client.list_resource_templates()).resource_templates == []
        assert (await client.list_prompts()).prompts == []
    async with world.client("policy-search", author) as client:
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {
            "answer_policy_question",
            "check_citations",
        }
    narrow = Bearer(scopes=("get_case",), run_id="run-narrow")
    async with world.client("case-facts", narrow) as client:
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == ["case://{case}/overview"]
        assert (await client.list_prompts()).prompts == []  # it leads to tools that the token does not name


@pytest.mark.proves("I3")
async def test_a_prompt_says_what_is_wrong_with_its_arguments(world: World) -> None:
    async with world.client("policy-search") as client:
        for arguments, said in (
            ({}, "needs 'question'"),
            ({"question": "When?", "style": "short"}, "no argument 'style'"),
            ({"question": "x" * 5_000}, "longer than"),
            ({"question": "When?", "as_of": "tomorrow"}, "as_of"),
        ):
            with pytest.raises(MCPError, match=said):
                await client.get_prompt("answer_policy_question", arguments)


@pytest.mark.proves("I3")
@pytest.mark.parametrize("server", SERVERS)
async def test_everything_listed_has_a_title_a_description_and_an_icon_of_ours(
    world: World, server: ServerName
) -> None:
    async with world.client(server, Bearer(identity="selma")) as client:
        listed: list[Any] = [
            *(await client.list_tools()).tools,
            *(await client.list_resources()).resources,
            *(await client.list_resource_templates()).resource_templates,
            *(await client.list_prompts()).prompts,
        ]
        assert listed
        for entry in listed:
            assert entry.title and entry.description and entry.icons
            for icon in entry.icons:
                head, _, body = icon.src.partition(",")
                assert head == "data:image/png;base64" and len(icon.src) < 1_000
                assert base64.b64decode(body).startswith(b"\x89PNG\r\n")
        assert client.instructions and client.server_info is not None
        assert client.server_info.title and client.server_info.icons


@pytest.mark.proves("I3")
@pytest.mark.parametrize("server", SERVERS)
def test_every_entry_asks_for_a_reading_tool_and_every_variable_is_completed_or_free(
    world: World, server: ServerName
) -> None:
    spec = world.factory.spec(server)
    verbs = {definition.spec.name: definition.spec.verb for definition in spec.definitions}
    for entry in (*spec.resources, *spec.prompts, *spec.completers):
        assert verbs[entry.asks] in READING_VERBS
    names = {name for resource in spec.resources for name in resource.template.variable_names}
    names |= {argument.name for prompt in spec.prompts for argument in prompt.arguments}
    assert {completer.completes for completer in spec.completers} <= names
    assert MOST_COMPLETIONS <= 100  # the protocol's own limit
