"""An entry as its client would start it."""

from typing import Any

import pytest

from casewright.clients.entries import Address, Process, Wanted, entry
from casewright.clients.places import ClientName
from casewright.clients.references import MissingError, is_ours, resolve

FACTS = Process(server="case-facts", command="/opt/casewright", arguments=("mcp", "case-facts"), needs_token=True)
REMOTE = Address(server="review", url="https://cases.example/review/mcp", needs_token=True)
TOKENS = {"CASEWRIGHT_TOKEN_CASE_FACTS": "abc", "CASEWRIGHT_TOKEN_REVIEW": "def"}


@pytest.mark.parametrize("client", ["vscode", "cursor", "claude-code"])
def test_what_install_writes_can_be_filled_in_again(client: ClientName) -> None:
    made = resolve(client, entry(client, FACTS), TOKENS)
    assert (made.command, made.arguments) == ("/opt/casewright", ("mcp", "case-facts"))
    assert made.environment == {"CASEWRIGHT_TOKEN": "abc"}
    assert resolve(client, entry(client, REMOTE), TOKENS).headers == {"Authorization": "Bearer def"}
    wanted: tuple[tuple[Wanted, str], ...] = (
        (FACTS, "CASEWRIGHT_TOKEN_CASE_FACTS"),
        (REMOTE, "CASEWRIGHT_TOKEN_REVIEW"),
    )
    for one, name in wanted:
        with pytest.raises(MissingError) as missing:
            resolve(client, entry(client, one), {})
        assert missing.value.name == name


def test_each_client_has_its_own_variables() -> None:
    there = {"command": "${A}", "args": ["${B:-x}", "${env:A}"], "cwd": "/c"}
    assert resolve("claude-desktop", there, {"A": "1"}).command == "${A}"
    assert resolve("claude-code", {**there, "args": ["${B:-x}"]}, {"A": "1"}).arguments == ("x",)
    with pytest.raises(MissingError) as missing:
        resolve("vscode", {"command": "${workspaceFolder}/x"}, {})
    assert missing.value.name == ""
    assert resolve("cursor", {"command": "${env:A}"}, {"A": "1"}).command == "1"


@pytest.mark.parametrize("wrong", [3, {}, {"command": ""}])
def test_an_entry_that_names_nothing_is_said_to_be_wrong(wrong: Any) -> None:
    with pytest.raises(ValueError, match="entry"):
        resolve("cursor", wrong, {})


def test_our_servers_are_known_by_name_or_by_what_they_start() -> None:
    assert is_ours("casewright-review", {})
    assert is_ours("x", {"command": "C:\\x\\casewright.exe"})
    assert is_ours("x", {"command": "/py", "args": ["-m", "casewright.launch", "mcp"]})
    assert not is_ours("memory", {"command": "npx", "args": "casewright"})
    assert not is_ours("memory", "casewright")
