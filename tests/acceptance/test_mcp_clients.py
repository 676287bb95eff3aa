"""Real processes: what `casewright mcp install` writes is started by `casewright mcp doctor` as a client would."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from casewright.contracts.principal import SERVERS
from tests.acceptance.test_mcp_http import free_port
from tests.support.installation import CASE, CHECKOUT, process_environment

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]
SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a folder of their own, and with our data folder."""

    folder: Path
    home: Path

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """`casewright` as this person runs it, from the folder that they are in."""
        environment = process_environment(self.home, HOME=str(self.folder), **more)
        environment.pop("XDG_CONFIG_HOME", None)
        command = [sys.executable, "-m", "casewright.launch", *words]
        return subprocess.run(
            command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def document(self, *words: str, code: int = 0, **more: str) -> dict[str, Any]:
        done = self.run(*words, "--json", **more)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    @property
    def cursor(self) -> Path:
        return self.folder / ".cursor" / "mcp.json"

    def configure(self, **servers: Any) -> None:
        self.cursor.parent.mkdir(parents=True, exist_ok=True)
        self.cursor.write_text(json.dumps({"mcpServers": servers}))


@pytest.fixture
def person(home: Path, tmp_path: Path) -> Person:
    folder = tmp_path / "person"
    folder.mkdir()
    return Person(folder=folder, home=home)


@pytest.mark.proves("I6")
def test_what_install_writes_starts_without_a_path_or_a_folder_of_ours(person: Person) -> None:
    person.document("mcp", "install", "vscode", "--as", "rosa", "--case", CASE)
    person.document("mcp", "install", "claude-desktop", "--as", "rosa", "--server", "policy-search")
    found = person.document("mcp", "doctor", PATH="/nowhere")
    assert found["ok"]
    started = {(one["client"], one["name"]): one for one in found["servers"]}
    assert set(started) == {
        ("claude-desktop", "casewright-policy-search"),
        *(("vscode", f"casewright-{name}") for name in SERVERS),
    }
    for one in started.values():
        assert (one["state"], one["transport"], one["era"]) == ("ok", "stdio", "2026-07-28")
        assert one["tools"]
        assert one["ms"] > 0
    assert "get_case" in started["vscode", "casewright-case-facts"]["tools"]
    assert "ok" in person.run("mcp", "doctor", "claude-desktop").stdout


@pytest.mark.proves("I6")
def test_every_way_of_not_working_is_said_with_its_way_out_and_ends_in_time(person: Person) -> None:
    mute = [sys.executable, "-c", "import sys, time; [None for _ in sys.stdin]; time.sleep(60)"]
    ours = ["-m", "casewright.launch", "mcp", "policy-search", "--home", str(person.home)]
    person.configure(
        **{
            "casewright-gone": {"command": "/nowhere/casewright", "args": ["mcp", "policy-search"]},
            "casewright-nobody": {"command": sys.executable, "args": [*ours, "--as", "nobody"], "cwd": str(CHECKOUT)},
            "casewright-no-token": {"command": sys.executable, "args": ours, "cwd": str(CHECKOUT)},
            "casewright-mute": {"command": mute[0], "args": mute[1:]},
            "casewright-empty": {},
            "casewright-ends": {"command": sys.executable, "args": ["-c", ""]},
            "casewright-nonsense": {"url": "http://[::1"},
            "casewright-asks": {"command": sys.executable, "env": {"CASEWRIGHT_TOKEN": "${env:NOT_SET}"}},
            "memory": {"command": "/nowhere/other"},
        }
    )
    began = time.monotonic()
    found = person.document("mcp", "doctor", "cursor", "--seconds", "15", code=1)
    assert time.monotonic() - began < 80
    told = {one["name"].removeprefix("casewright-"): one for one in found["servers"]}
    assert set(told) == {"gone", "nobody", "no-token", "mute", "empty", "ends", "nonsense", "asks"}
    assert "casewright mcp install" in told["gone"]["way_out"]
    assert "there is no local identity 'nobody'" in told["nobody"]["problem"]
    assert "casewright token" in told["no-token"]["way_out"]
    assert "no answer within 15 seconds" in told["mute"]["problem"]
    assert told["empty"]["state"] == "mend"
    assert "by hand" in told["ends"]["way_out"]
    assert "correct the address" in told["nonsense"]["way_out"]
    assert (told["asks"]["state"], told["asks"]["way_out"][:11]) == ("unchecked", "set NOT_SET")
    assert not alive(mute[2])


def alive(argument: str) -> bool:
    """Whether a process with this argument is still there (Linux)."""
    for line in Path("/proc").glob("[0-9]*/cmdline") if sys.platform == "linux" else ():
        try:
            if argument in line.read_text(errors="replace").split("\0"):
                return True
        except OSError:
            continue
    return False


def test_a_file_that_cannot_be_read_and_no_server_at_all_are_findings(person: Person) -> None:
    refused = person.document("mcp", "doctor", code=2)
    assert "casewright mcp install CLIENT" in refused["error"]["message"]
    person.configure(memory={"command": "x"})
    assert person.run("mcp", "doctor", "cursor").returncode == 2
    person.cursor.write_text('{"mcpServers": {,}}')
    found = person.document("mcp", "doctor", code=1)["servers"]
    assert [(one["client"], one["state"]) for one in found] == [("cursor", "mend")]
    assert f"{person.cursor}:1:17" in found[0]["problem"]


@pytest.mark.proves("I6")
def test_servers_that_run_already_are_asked_where_a_token_is_had(person: Person) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    person.document("mcp", "install", "cursor", "--http", base, "--oauth", "--server", "policy-search")
    down = person.document("mcp", "doctor", "cursor", "--seconds", "5", code=1)["servers"]
    assert "casewright serve" in down[0]["way_out"]
    command = [sys.executable, "-m", "casewright.launch", "serve", "--port", str(port)]
    environment = process_environment(person.home)
    serving = subprocess.Popen(
        command, env=environment, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        assert answers(f"{base}/healthz", serving), "the servers did not start"
        (checked,) = person.document("mcp", "doctor", "cursor", code=5)["servers"]
        assert (checked["state"], checked["transport"]) == ("unchecked", "http")
        assert "where to sign in" in checked["problem"]
        token = person.document("token", "policy-search", "--as", "rosa")["token"]
        person.document("mcp", "install", "cursor", "--http", base, "--server", "policy-search")
        assert token not in person.cursor.read_text()
        (listed,) = person.document("mcp", "doctor", "cursor", CASEWRIGHT_TOKEN_POLICY_SEARCH=token)["servers"]
        assert "search_policies" in listed["tools"]
        person.configure(**{"casewright-elsewhere": {"url": f"{base}/nowhere"}})
        (lost,) = person.document("mcp", "doctor", "cursor", code=1)["servers"]
        assert "HTTP 404" in lost["problem"]
    finally:
        serving.terminate()
        serving.communicate(timeout=30)


def answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it comes to answer before the time is up."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx2.get(address, timeout=5).status_code == 200:
                return True
        except httpx2.HTTPError:
            time.sleep(0.1)
    return False


def test_install_is_quick_to_refuse_and_needs_no_data_folder_to_take_out(person: Person) -> None:
    person.configure(**{"casewright-review": {"command": "x"}, "memory": {}})
    done = person.document("mcp", "install", "cursor", "--remove", CASEWRIGHT_HOME=str(person.folder / "none"))
    assert done["changed"]
    assert json.loads(person.cursor.read_text()) == {"mcpServers": {"memory": {}}}
    assert not os.path.lexists(person.folder / "none")
