"""Real processes: a bundle as `casewright mcp bundle` writes it, unpacked and started as a client's host does."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from casewright.clients.bundle_main import TOKEN
from tests.support.installation import CASE, CHECKOUT, process_environment, structured

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(150)]
SECONDS = 60
MARKED = "9.9.9"


def made(home: Path, out: Path, *more: str) -> dict[str, Any]:
    """What the command says it wrote for one server."""
    words = ["mcp", "bundle", "--server", "case-facts", "--out", str(out), "--json", *more]
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *words],
        env=process_environment(home),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["bundles"][0]


def installed(bundle: Path, folder: Path) -> dict[str, Any]:
    """Unpack a bundle, with a version of its own by which its code is known; its manifest."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    package = folder / "casewright" / "__init__.py"
    package.write_text(package.read_text().replace('__version__ = "', f'__version__ = "{MARKED}" or "'))
    return json.loads((folder / "manifest.json").read_text())


def text_of(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def filled(manifest: dict[str, Any], folder: Path, answers: dict[str, str]) -> StdioServerParameters:
    """The start that the manifest asks for; what `uv run` would add is what this Python has already."""
    started = manifest["server"]["mcp_config"]
    values = {"${__dirname}": str(folder)} | {f"${{user_config.{name}}}": value for name, value in answers.items()}

    def put(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    command, *words = [put(word) for word in (started["command"], *started["args"])]
    assert [command, *words[:3]] == ["uv", "run", "--directory", str(folder)]
    env = {name: put(value) for name, value in started["env"].items()}
    return StdioServerParameters(command=sys.executable, args=words[3:], env=env, cwd=str(folder))


@pytest.mark.proves("I6")
async def test_an_unpacked_bundle_starts_by_what_its_manifest_says(home: Path, tmp_path: Path) -> None:
    written = made(home, tmp_path / "dist", "--download", "https://downloads.example/")
    entry = json.loads(text_of(written["registry"]))
    assert entry["packages"][1]["fileSha256"] == written["sha256"]
    assert entry["packages"][1]["identifier"] == "https://downloads.example/casewright-case-facts-0.1.0.mcpb"
    manifest = installed(Path(written["bundle"]), tmp_path / "extension")
    answers = {"home": str(home), "identity": "rosa", "case": CASE}
    async with Client(filled(manifest, tmp_path / "extension", answers), read_timeout_seconds=SECONDS) as client:
        assert client.server_info is not None
        assert client.server_info.version == MARKED, "the code of the bundle runs, not that of this checkout"
        assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE
        listed = {tool.name for tool in (await client.list_tools()).tools}
        assert {tool["name"] for tool in manifest["tools"]} == listed
    assert filled(manifest, tmp_path, answers).env == {
        "CASEWRIGHT_BUNDLE_HOME": str(home),
        "CASEWRIGHT_BUNDLE_IDENTITY": "rosa",
        "CASEWRIGHT_BUNDLE_CASE": CASE,
        TOKEN: "${user_config.token}",
    }


def test_a_bundle_names_no_machine_and_holds_nothing_but_the_product(home: Path, tmp_path: Path) -> None:
    first = Path(made(home, tmp_path / "one")["bundle"])
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        assert {name.partition("/")[0] for name in names} == {
            "LICENSE",
            "NOTICE",
            "agents",
            "api",
            "casewright",
            "commands",
            "evals",
            "graphs",
            "main.py",
            "manifest.json",
            "policies",
            "pyproject.toml",
            "servers",
        }
        assert not [name for name in names if name.endswith((".pyc", ".db", ".pem"))]
        texts = [archive.read(name) for name in ("manifest.json", "pyproject.toml", "main.py")]
    for text in texts:
        assert str(CHECKOUT).encode() not in text
        assert str(home).encode() not in text
