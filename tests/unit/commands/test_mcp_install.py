"""`casewright mcp install` in this process, over a folder of a person that is empty at first."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commands.client_files import client_path
from tests.support.installation import CASE
from tests.unit.commands.conftest import Casewright

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the folder of the person is set by HOME")


@pytest.fixture
def vscode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of VS Code, not there yet."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    return client_path("vscode", {})


def servers(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))["servers"]


@pytest.mark.proves("I6")
def test_install_writes_once_keeps_a_copy_and_takes_it_out_again(
    casewright: Casewright, home: Path, vscode: Path
) -> None:
    vscode.parent.mkdir(parents=True)
    vscode.write_text('{"servers": {"memory": {"command": "npx"}}, "x": 1}')
    done = casewright("mcp", "install", "vscode", "--as", "rosa", "--case", CASE, "--json").document
    assert done["changed"]
    assert done["path"] == str(vscode)
    assert Path(done["backup"]).read_text() == '{"servers": {"memory": {"command": "npx"}}, "x": 1}'
    facts = servers(vscode)["casewright-case-facts"]
    assert Path(facts["command"]).is_absolute()
    assert facts["args"][-7:] == ["case-facts", "--home", str(home), "--as", "rosa", "--case", CASE]
    assert "env" not in facts
    again = casewright("mcp", "install", "vscode", "--as", "rosa", "--case", CASE, "--json").document
    assert (again["changed"], again["backup"]) == (False, "")
    gone = casewright("mcp", "install", "vscode", "--remove", "--json").document
    assert gone["changed"]
    assert json.loads(vscode.read_text()) == {"servers": {"memory": {"command": "npx"}}, "x": 1}


@pytest.mark.proves("I6")
def test_print_shows_the_whole_file_as_json_and_writes_nothing(casewright: Casewright, vscode: Path) -> None:
    vscode.parent.mkdir(parents=True)
    vscode.write_text('{ // mine\n "servers": {"memory": {"command": "\u202eevil"}},\n}')
    shown = casewright("mcp", "install", "vscode", "--print", "--as", "rosa")
    document = json.loads(shown.out)
    assert document["servers"]["memory"] == {"command": "\u202eevil"}
    assert "\u202e" not in shown.out
    assert "casewright-policy-search" in document["servers"]
    assert "casewright-case-facts" not in document["servers"]
    assert "case-facts, drafting are left out" in shown.errors
    assert "memory" in vscode.read_text()
    assert "casewright-" not in vscode.read_text()
    assert list(vscode.parent.iterdir()) == [vscode]


def test_a_broken_file_stays_as_it_is_and_the_place_is_named(casewright: Casewright, vscode: Path) -> None:
    vscode.parent.mkdir(parents=True)
    vscode.write_text('{\n  "servers": {,}\n}')
    for more in ((), ("--remove",), ("--print",)):
        refused = casewright("mcp", "install", "vscode", "--as", "rosa", "--json", *more)
        assert refused.code == 2
        assert f"{vscode}:2:15: a name in quotes" in refused.refusal
    assert vscode.read_text() == '{\n  "servers": {,}\n}'
    assert list(vscode.parent.iterdir()) == [vscode]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("emacs",), "there is no client 'emacs'"),
        (("cursor", "--server", "x"), "there is no server 'x'"),
        (("cursor", "--as", "nobody"), "there is no local identity 'nobody'"),
        (("cursor", "--http", "ftp://x"), "no plain address"),
        (("cursor", "--http", "http://me:secret@x"), "no plain address"),
        (("cursor", "--http", "http://x", "--case", CASE), "the token names the case"),
        (("cursor", "--oauth"), "name their address with --http"),
        (("claude-desktop", "--http", "http://x"), "takes no addresses"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_way_out(
    casewright: Casewright, vscode: Path, words: tuple[str, ...], said: str
) -> None:
    refused = casewright("mcp", "install", *words, "--json")
    assert refused.code == 2
    assert said in refused.refusal
    assert not vscode.parent.parent.exists()


@pytest.mark.proves("I6")
def test_with_an_issuer_no_identity_and_no_token_is_written(
    casewright: Casewright, vscode: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "CASEWRIGHT_IDENTITY": "oidc",
        "CASEWRIGHT_OIDC_CLAIMS": "/claims.json",
        "CASEWRIGHT_OIDC_ISSUER": "http://127.0.0.1:9/",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CASEWRIGHT_TOKEN", "secret")
    document = json.loads(casewright("mcp", "install", "vscode", "--server", "review", "--print").out)
    assert document["servers"]["casewright-review"]["env"] == {
        **settings,
        "CASEWRIGHT_TOKEN": "${input:casewright-token-review}",
    }
    addressed = casewright("mcp", "install", "vscode", "--server", "review", "--http", "http://127.0.0.1:8/", "--print")
    assert json.loads(addressed.out) == {
        "servers": {"casewright-review": {"type": "http", "url": "http://127.0.0.1:8/review/mcp"}}
    }
    for words, said in (
        (("--as", "rosa"), "--as 'rosa' is for local identities"),
        (("--case", CASE), "names the case"),
    ):
        refused = casewright("mcp", "install", "vscode", *words, "--json")
        assert said in refused.refusal
    assert "secret" not in addressed.out
    assert "casewright mcp bundle" in casewright("mcp", "install", "claude-desktop", "--json").refusal
