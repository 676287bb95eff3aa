"""Policies that an engine would read differently, or never finish, are refused with file and line."""

from pathlib import Path

import pytest

from casewright.access.bundle import read_bundle
from casewright.access.checking import check_embedded as check
from casewright.errors import PolicyError
from tests.unit.access.inputs import POLICIES, write_policies

HEAD = "package casewright.x\n\nimport rego.v1\n"
NOT = "import future.keywords.not\n"

REFUSED = {
    "network": ('default a := 1\n\na := http.send({"url": "u"}) if input.b\n', "'http.send' is not an allowed builtin"),
    "clock": ("default a := 1\n\na := time.now_ns() if input.b\n", "'time.now_ns' is not an allowed builtin"),
    "month ends": ("default a := 1\n\na := time.add_date(1, 0, 1, 0) if input.b\n", "'time.add_date'"),
    "unbounded range": ("default a := 1\n\na := numbers.range(1, 9) if input.b\n", "'numbers.range'"),
    "crypto": ('default a := 1\n\na := crypto.sha256("x") if input.b\n', "'crypto.sha256'"),
    "deep inside": ("default a := 1\n\na := count([x | some x in [rand.intn(1, 2)]]) if input.b\n", "'rand.intn'"),
    "misspelt function": ("default a := 1\n\na := countt([]) if input.b\n", "'countt' is not an allowed builtin"),
    "fraction": ("default a := 1.5\n", "1.5 is no integer"),
    "large integer": ("default a := 9007199254740993\n", "9007199254740993 is no integer"),
    "recursive function": ("_f(x) := _f(x - 1)\n", "'_f' uses itself"),
    "recursion through another": ("_f(x) := _g(x)\n\n_g(x) := data.casewright.x._f(x)\n", "'_f' uses itself"),
    "recursion through all data": ("_f(x) := data[x]\n", "'_f' uses itself"),
    "recursion in a comprehension": ("_r contains y if some y in [1 | some _ in _r]\n", "'_r' uses itself"),
    "no default": ("a if input.b\n", "'a' has no default"),
    "with": ("default a := false\n\na if input.b with input.b as true\n", "'with' belongs in tests"),
    "no syntax": ("a := {\n", "expecting expression"),
}


@pytest.mark.proves("D7")
@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_policy_that_could_differ_or_never_end_is_refused(tmp_path: Path, body: str, message: str) -> None:
    report = check(write_policies(tmp_path, {"casewright/x/a.rego": HEAD + "\n" + body}))
    assert not report.ok
    found = [problem for problem in report.problems if message in problem.message]
    assert found, report.problems
    assert found[0].path == "casewright/x/a.rego"
    assert found[0].line > 3


@pytest.mark.proves("D7")
def test_negation_without_the_import_is_refused(tmp_path: Path) -> None:
    body = "\ndefault a := false\n\na if not input.b\n"
    refused = check(write_policies(tmp_path / "1", {"casewright/x/a.rego": HEAD + body}))
    assert [problem.message for problem in refused.problems] == [
        "'import future.keywords.not' is missing; add it below the package"
    ]
    assert check(write_policies(tmp_path / "2", {"casewright/x/a.rego": HEAD + NOT + body})).ok


@pytest.mark.proves("D7")
@pytest.mark.parametrize("path", ["a.rego", "casewright/a.rego", "casewright/y/a.rego", "casewright/x/y/a.rego"])
def test_a_package_that_is_not_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    report = check(write_policies(tmp_path, {path: HEAD + "\ndefault a := 1\n"}))
    assert "make them equal" in report.problems[0].message


@pytest.mark.proves("D7")
def test_ordinary_rules_and_tests_pass(tmp_path: Path) -> None:
    body = """
import data.casewright.y as other

default a := "none"

a := other.twice(count(xs)) if input.b == data.data.x.b

xs contains x if some x in [1, 2]

c := {"d": [1]}
"""
    test = 'package casewright.x_test\n\nimport rego.v1\n\ntest_a if data.casewright.x.a == 4 with input as {"b": 7}\n'
    other = "package casewright.y\n\nimport rego.v1\n\ntwice(x) := x * 2\n"
    files = {
        "casewright/x/a.rego": HEAD + body,
        "casewright/x/a_test.rego": test,
        "casewright/y/other.rego": other,
        "data/x/data.json": '{"b": 7}',
    }
    assert check(write_policies(tmp_path, files)).problems == ()


BAD_DATA = {
    "no JSON": ("data/x/data.json", "{", "not valid policy data"),
    "key twice": ("data/x/data.json", '{"everything": true, "everything": false}', "'everything' occurs twice"),
    "fraction": ("data/x/data.json", '{"limit": 1.5}', "1.5 is no integer"),
    "not a number": ("data/x/data.json", '{"limit": NaN}', "NaN is no integer"),
    "beside the rules": ("casewright/x/data.json", "{}", "in the wrong place"),
    "at the root": ("data.json", "{}", "in the wrong place"),
}


@pytest.mark.proves("D7")
@pytest.mark.parametrize(("path", "text", "message"), BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_data_is_refused(tmp_path: Path, path: str, text: str, message: str) -> None:
    folder = write_policies(tmp_path, {"casewright/x/a.rego": HEAD + "\ndefault a := 1\n", path: text})
    report = check(folder)
    assert not report.ok
    assert message in report.problems[0].message


@pytest.mark.proves("D7")
def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"holds no \.rego file"):
        read_bundle(write_policies(tmp_path / "a", {"readme.txt": "x"}))
    with pytest.raises(PolicyError, match="cannot be read"):
        read_bundle(tmp_path / "absent")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.rego").write_bytes(b"\xff")
    with pytest.raises(PolicyError, match="UTF-8"):
        read_bundle(tmp_path / "b")


@pytest.mark.proves("D7")
def test_the_revision_names_rules_and_data_but_not_tests(tmp_path: Path) -> None:
    files = {"casewright/x/a.rego": HEAD + "\ndefault a := 1\n", "data/x/data.json": "{}"}
    first = read_bundle(write_policies(tmp_path / "1", files)).revision
    more = files | {"casewright/x/a_test.rego": HEAD, "notes.md": "x"}
    assert read_bundle(write_policies(tmp_path / "2", more)).revision == first
    for name in files:
        changed = files | {name: files[name] + "\n"}
        assert read_bundle(write_policies(tmp_path / f"3{name}", changed)).revision != first
    renamed = {"casewright/x/b.rego": files["casewright/x/a.rego"], "data/x/data.json": "{}"}
    assert read_bundle(write_policies(tmp_path / "4", renamed)).revision != first


@pytest.mark.proves("D7")
def test_the_shipped_policies_pass_their_own_check() -> None:
    report = check(POLICIES)
    assert report.problems == ()
    assert report.revision == read_bundle(POLICIES).revision
