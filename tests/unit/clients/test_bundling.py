"""Bundles and registry entries: the same bytes again, the forms that their readers want, and nothing of a machine.

`manifest.schema.json` and `server.schema.json` beside this were written from the formats' documentation, for the
parts that are used here; where `scripts/get-mcpb` brought the official schema of bundles, it is asked as well.
"""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.clients.bundle_main import command_line
from casewright.clients.bundling import LARGEST_BYTES, Offered, bundle, document, manifest, registry_entry

HERE = Path(__file__).parent
OFFICIAL = HERE.parents[2] / ".tools/mcpb/mcpb-manifest-v0.4.schema.json"
OFFERED = Offered(
    server="case-facts",
    version="0.1.0",
    description="The facts of a case.",
    tools=(("get_case", "Read the case."),),
    python=">=3.11",
    dependencies=("mcp>=2.3,<3", "anyio>=4"),
    of_one_case=True,
)
FILES = {"main.py": b"pass\n", "casewright/launch.py": b"pass\n", "z/\xe9.txt": b"\xff"}


def schema(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def problems(value: Any, rules: Any) -> list[str]:
    return [error.message for error in jsonschema_rs.validator_for(rules).iter_errors(value)]


def described(offered: Offered = OFFERED) -> Any:
    return json.loads(document(manifest(offered).model_dump(mode="json", exclude_none=True)))


def entry(**changes: Any) -> Any:
    given: dict[str, Any] = {"namespace": "io.github.somebody", "download": "https://x.example/a.mcpb", "packed": b"x"}
    made = registry_entry(OFFERED, **{**given, **changes})
    return json.loads(document(made.model_dump(mode="json", by_alias=True, exclude_none=True)))


@pytest.mark.proves("I6")
def test_the_same_files_give_the_same_bytes_in_whatever_order_they_come() -> None:
    first = bundle(OFFERED, FILES)
    assert bundle(OFFERED, dict(reversed(FILES.items()))) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        names = archive.namelist()
        assert names == sorted([*FILES, "manifest.json", "pyproject.toml"])
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("z/\xe9.txt") == b"\xff"
        project = archive.read("pyproject.toml").decode()
        assert json.loads(archive.read("manifest.json")) == described()
    assert '"anyio>=4",\n  "mcp>=2.3,<3",' in project
    assert "package = false" in project


def test_a_bundle_that_could_not_start_or_holds_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs main\.py"):
        bundle(OFFERED, {"main.py": b""})
    with pytest.raises(ValueError, match="by mistake"):
        bundle(OFFERED, {**FILES, "big": bytes(LARGEST_BYTES)})


@pytest.mark.proves("I6")
def test_the_manifest_has_the_form_of_bundles_and_keeps_the_token_secret() -> None:
    assert problems(described(), schema("manifest.schema.json")) == []
    asked = described()["user_config"]
    assert asked["token"]["sensitive"] is True
    assert [name for name, one in asked.items() if one["required"]] == ["home"]
    assert "case" not in described(replace(OFFERED, of_one_case=False))["user_config"]
    wrong = {**described(), "unknown": 1, "server": {**described()["server"], "type": "perl"}}
    assert len(problems(wrong, schema("manifest.schema.json"))) == 2


def test_the_manifest_passes_the_official_schema() -> None:
    if not OFFICIAL.is_file():
        pytest.skip("the official schema is not there; scripts/get-mcpb brings it")
    rules = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    assert problems(described(), rules) == []
    assert problems({**described(), "unknown": 1}, rules) != []


@pytest.mark.proves("I6")
def test_the_registry_entry_has_the_registrys_form_and_names_the_bundle_by_its_hash() -> None:
    made = entry()
    assert problems(made, schema("server.schema.json")) == []
    assert made["name"] == "io.github.somebody/casewright-case-facts"
    package, bundled = made["packages"]
    assert [one.get("name", one.get("value")) for one in package["packageArguments"]] == [
        "mcp",
        "case-facts",
        "--home",
        "--as",
        "--case",
    ]
    assert package["environmentVariables"][0]["isSecret"] is True
    assert bundled["fileSha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert "version" not in bundled
    assert len(entry(download="")["packages"]) == 1
    for wrong in ({"description": ""}, {"name": "no-slash"}, {"packages": [{"registryType": "pypi"}]}):
        assert problems({**made, **wrong}, schema("server.schema.json"))


@pytest.mark.parametrize("namespace", ["", "a b", "a/b", "é"])
def test_a_namespace_of_another_form_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match="name"):
        entry(namespace=namespace)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(["HOME", "IDENTITY", "CASE"]), st.text(max_size=8)))
def test_what_was_filled_in_becomes_options_and_nothing_else_does(filled: dict[str, str]) -> None:
    environment = {f"CASEWRIGHT_BUNDLE_{name}": value for name, value in filled.items()}
    words = command_line(["review"], environment)
    assert words[:2] == ["mcp", "review"]
    expected = [
        f"{option}={filled[name]}"
        for option, name in (("--home", "HOME"), ("--as", "IDENTITY"), ("--case", "CASE"))
        if filled.get(name) and (name != "CASE" or filled.get("IDENTITY"))
    ]
    assert words[2:] == expected


def test_what_a_client_left_in_braces_counts_as_empty() -> None:
    left = {"CASEWRIGHT_BUNDLE_IDENTITY": "${user_config.identity}", "CASEWRIGHT_BUNDLE_HOME": "/data"}
    assert command_line(["review"], left) == ["mcp", "review", "--home=/data"]
