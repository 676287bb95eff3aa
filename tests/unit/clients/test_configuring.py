"""What a client's file holds after our servers were put in or taken out, and what it never holds."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.clients.configuring import MARK, configured, installed, is_plain, removed, value_of
from casewright.clients.entries import DIALECTS, Address, Process, Wanted, entry_name
from casewright.clients.places import CLIENTS, ClientName
from casewright.clients.reading import read_document
from casewright.errors import InputError
from tests.unit.clients.test_reading import VALUES

SEARCH = Process(
    server="policy-search",
    command="/opt/casewright",
    arguments=("mcp", "policy-search", "--as", "rosa"),
    environment={"CASEWRIGHT_ENGINE": "opa"},
)
FACTS = Process(server="case-facts", command="/opt/casewright", arguments=("mcp", "case-facts"), needs_token=True)
REMOTE = Address(server="review", url="https://cases.example/review/mcp", needs_token=True)
NAMES = [entry_name(SEARCH), entry_name(FACTS), entry_name(REMOTE)]
COMMENTED = """{
    // my own servers
    "servers": {
        "memory": { "command": "npx", "args": ["-y", "x"] }, // keep me
    },
    "inputs": [
        { "id": "mine", "type": "promptString" } /* and me */
    ],
}
"""


def put(text: str, client: ClientName, *wanted: Wanted) -> str:
    return installed(text, client, wanted, path="mcp.json")


def take(text: str, client: ClientName) -> str:
    return removed(text, client, NAMES, path="mcp.json")


@st.composite
def files(draw: st.DrawFn) -> tuple[ClientName, str]:
    """A client and a file of it, with whatever else in it, in whatever form."""
    client = draw(st.sampled_from(CLIENTS))
    content: dict[str, Any] = draw(st.dictionaries(st.text(), VALUES, max_size=4))
    key = DIALECTS[client].servers
    content.pop(key, None)
    content.pop("inputs", None)
    if draw(st.booleans()):
        content[key] = draw(st.dictionaries(st.sampled_from([*NAMES, "memory", "a b", "é"]), VALUES, max_size=4))
    if client == "vscode" and draw(st.booleans()):
        content["inputs"] = draw(st.lists(st.fixed_dictionaries({"id": st.text()}) | PLAIN_ITEMS, max_size=3))
    indent = draw(st.sampled_from([None, 2, 4, "\t"]))
    text = json.dumps(content, indent=indent, ensure_ascii=draw(st.booleans()))
    return client, draw(st.sampled_from(["", MARK])) + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


PLAIN_ITEMS = st.integers() | st.text()


def wanted_for(client: ClientName) -> tuple[Wanted, ...]:
    """What the client can be given: not every one of them takes tokens and addresses."""
    return (SEARCH,) if client == "claude-desktop" else (SEARCH, FACTS, REMOTE)


@pytest.mark.proves("I6")
@settings(max_examples=25)
@given(files())
def test_everything_that_is_not_ours_stays_and_a_second_time_changes_nothing(file: tuple[ClientName, str]) -> None:
    check_that_the_rest_stays(*file)


@pytest.mark.thorough
@settings(max_examples=300)
@given(files())
def test_everything_that_is_not_ours_stays_in_many_more_files(file: tuple[ClientName, str]) -> None:
    check_that_the_rest_stays(*file)


def check_that_the_rest_stays(client: ClientName, text: str) -> None:
    before = value_of(text, client, path="x")
    after = put(text, client, *wanted_for(client))
    found, key = value_of(after, client, path="x"), DIALECTS[client].servers
    ours = {entry_name(one) for one in wanted_for(client)}
    assert ours <= set(found[key])
    assert without(found, key, ours) == without(before, key, ours)
    assert list(before) == list(found)[: len(before)]
    assert put(after, client, *wanted_for(client)) == after
    assert (MARK in after[:1]) == (MARK in text[:1])
    gone = value_of(take(after, client), client, path="x")
    assert without(gone, key, set()) == without(before, key, set(NAMES))


def without(document: dict[str, Any], key: str, ours: set[str]) -> dict[str, Any]:
    """The document less what we may have put in; an empty list of servers or inputs says nothing."""
    rest = dict(document)
    rest[key] = {name: value for name, value in rest.get(key, {}).items() if name not in ours}
    asked = rest.get("inputs", [])
    if key == "servers":
        rest["inputs"] = [one for one in asked if not (isinstance(one, dict) and is_our_input(one))]  # pyright: ignore[reportUnknownArgumentType]
    return rest


def is_our_input(one: dict[str, Any]) -> bool:
    return str(one.get("id", "")).startswith("casewright-token-")


@pytest.mark.proves("I6")
def test_comments_and_everybody_elses_entries_stay_where_they_are() -> None:
    after = put(COMMENTED, "vscode", SEARCH, FACTS)
    for kept in (
        "// my own servers",
        '"memory": { "command": "npx", "args": ["-y", "x"] }, // keep me',
        "/* and me */",
    ):
        assert kept in after
    assert not is_plain(after, "vscode", path="x")
    back = take(after, "vscode")
    assert value_of(back, "vscode", path="x") == value_of(COMMENTED, "vscode", path="x")
    assert "// keep me" in back
    assert "/* and me */" in back


def test_the_new_entry_follows_the_indentation_and_line_ends_around_it() -> None:
    after = put('{\r\n\t"servers": {}\r\n}\r\n', "vscode", SEARCH)
    assert '\r\n\t\t"casewright-policy-search": {\r\n\t\t\t"type": "stdio",' in after
    assert "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_new_file_is_plain_json_with_our_servers_alone(client: ClientName) -> None:
    for empty in ("", "  \n", MARK):
        after = put(empty, client, SEARCH).removeprefix(MARK)
        assert list(json.loads(after)) == [DIALECTS[client].servers]
        assert after.endswith("}\n")
        assert configured(after, client, path="x")[entry_name(SEARCH)]["command"] == "/opt/casewright"


@pytest.mark.proves("I6")
@pytest.mark.parametrize(
    ("client", "reference"),
    [
        ("vscode", "${input:casewright-token-case-facts}"),
        ("cursor", "${env:CASEWRIGHT_TOKEN_CASE_FACTS}"),
        ("claude-code", "${CASEWRIGHT_TOKEN_CASE_FACTS}"),
    ],
)
def test_a_token_is_asked_for_or_named_and_never_written(client: ClientName, reference: str) -> None:
    document = value_of(put("", client, FACTS, REMOTE), client, path="x")
    servers = document[DIALECTS[client].servers]
    assert servers[entry_name(FACTS)]["env"] == {"CASEWRIGHT_TOKEN": reference}
    review = reference.replace("case-facts", "review").replace("CASE_FACTS", "REVIEW")
    assert servers[entry_name(REMOTE)]["headers"] == {"Authorization": f"Bearer {review}"}
    assert [(one["id"], one["password"]) for one in document.get("inputs", [])] == (
        [("casewright-token-case-facts", True), ("casewright-token-review", True)] if client == "vscode" else []
    )


def test_a_token_that_somebody_wrote_into_our_entry_goes_and_their_other_keys_stay() -> None:
    theirs = {
        "command": "/old",
        "cwd": "/there",
        "disabled": True,
        "url": "http://old",
        "env": {"CASEWRIGHT_TOKEN": "secret", "LANG": "C"},
    }
    text = json.dumps({"mcpServers": {entry_name(SEARCH): theirs}})
    found = configured(put(text, "claude-desktop", SEARCH), "claude-desktop", path="x")[entry_name(SEARCH)]
    assert found == {
        "command": "/opt/casewright",
        "args": list(SEARCH.arguments),
        "cwd": "/there",
        "disabled": True,
        "env": {"LANG": "C", "CASEWRIGHT_ENGINE": "opa"},
    }
    addressed = configured(put(text, "cursor", REMOTE), "cursor", path="x")[entry_name(REMOTE)]
    assert set(addressed) == {"url", "headers"}


@pytest.mark.parametrize(("wanted", "way_out"), [(FACTS, "casewright mcp bundle"), (REMOTE, "leave out --http")])
def test_a_client_that_can_do_neither_is_refused_with_the_way_out(wanted: Wanted, way_out: str) -> None:
    with pytest.raises(InputError, match=way_out):
        put("", "claude-desktop", wanted)


def test_a_path_that_the_client_would_rewrite_is_refused() -> None:
    odd = Process(server="review", command="/opt/${x}/casewright", arguments=("mcp",))
    with pytest.raises(InputError, match="would replace"):
        put("", "vscode", odd)
    assert "${x}" in put("", "claude-desktop", odd)


@pytest.mark.proves("I6")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "mcpServers": {\n  },\n}', "mcp.json:4:1: a comma after the last element"),
        ('{"mcpServers": {"a": 1, "a": 2}}', "mcp.json:1:25: 'a' stands twice"),
        ("[]", "mcp.json:1:1: an object is expected"),
        ('{"mcpServers": []}', "'mcpServers' is no object"),
        ("{ oops", "mcp.json:1:3:"),
    ],
)
def test_a_file_that_the_client_would_not_read_is_refused_with_its_place(text: str, said: str) -> None:
    for change in (lambda: put(text, "claude-desktop", SEARCH), lambda: take(text, "claude-desktop")):
        with pytest.raises(InputError) as refused:
            change()
        assert said in str(refused.value)
        assert "nothing was changed" in str(refused.value)
    with pytest.raises(InputError, match="'inputs' is no list"):
        put('{"inputs": {}}', "vscode", FACTS)


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    for text in ("", "{}", COMMENTED, '{"servers": {"memory": {}}, "inputs": 3}'):
        assert take(text, "vscode") == text


@settings(max_examples=30)
@given(st.integers(0, 3), st.sampled_from(["", " ", "\n  ", "\n\n  // x\n  ", " /* y */ "]), st.booleans())
def test_an_entry_is_taken_out_of_any_place_and_comments_stay(position: int, gap: str, last_comma: bool) -> None:
    members = [f'"{name}": {{}}' for name in ("a", "b", "c")]
    members.insert(position, f'"{entry_name(SEARCH)}": {{}}')
    text = '{"servers": {' + gap + f",{gap}".join(members) + ("," if last_comma else "") + gap + "}}"
    after = take(text, "vscode")
    assert value_of(after, "vscode", path="x") == {"servers": {"a": {}, "b": {}, "c": {}}}
    assert after.count("// x") + after.count("/* y */") == text.count("// x") + text.count("/* y */")
    assert read_document(put(after, "vscode", SEARCH), comments=True)
