"""Explanations: which rules fired, which one condition kept from firing, and where the others stopped."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.access.annotations import annotation_above, annotation_of
from casewright.access.bundle import Bundle, read_bundle
from casewright.access.explain import RULES, Explanation, NearRule, explain
from casewright.access.explain_probes import probes
from casewright.access.scripted import ScriptedEngine
from casewright.access.warmup import inspect
from casewright.contracts.decision import Allowed, Denied
from casewright.errors import PolicyError
from tests.unit.access.inputs import POLICIES, READ_CASE, Document, changed, shipped_engine, write_policies

PACKAGE = ("casewright", "access")


def explained(document: Document) -> Explanation:
    return explain(shipped_engine(), read_bundle(POLICIES), document)


def near(found: Explanation, code: str) -> NearRule:
    return next(rule for rule in found.nearly if rule.place.code == code)


@pytest.mark.proves("D4", "D8")
def test_an_explanation_shows_every_rule_that_spoke_and_where_it_stands() -> None:
    document = changed(
        changed(READ_CASE, "context", budgets={"tool_calls": 5000, "steps": 0}), "resource", exists=False
    )
    found = explained(document)
    assert isinstance(found.verdict, Denied)
    assert [reason["code"] for reason in found.reasons("deny")] == ["absent", "budget_spent"]
    assert [reason["code"] for reason in found.reasons("allow")] == ["assigned"]
    assert (found.problems, found.unexamined) == ((), ())
    for fired in found.fired:
        line = (POLICIES / fired.place.file).read_text().splitlines()[fired.place.line - 1]
        assert line.startswith(fired.place.rule)
    assert isinstance(explained(READ_CASE).verdict, Allowed)


@pytest.mark.proves("D8")
def test_a_rule_that_one_condition_kept_from_firing_is_shown_with_its_values() -> None:
    rule = near(explained(READ_CASE), "conflict_of_interest")
    assert rule.condition == "input.principal.id in input.resource.conflicts"
    assert rule.values == {"input.principal.id": '"rosa"', "input.resource.conflicts": "[]"}
    assert "absent" not in {
        other.place.code for other in explained(changed(READ_CASE, "resource", exists=False)).nearly
    }


@pytest.mark.proves("D8")
def test_a_denial_for_want_of_an_assignment_leads_to_the_condition_in_the_helper() -> None:
    found = explained(changed(READ_CASE, "resource", assigned_to=[]))
    assert isinstance(found.verdict, Denied)
    stopped = next(rule for rule in found.stopped if rule.place.code == "assigned")
    helpers = {helper.condition: helper.values for helper in stopped.because}
    assert helpers["input.principal.id in input.resource.assigned_to"] == {
        "input.principal.id": '"rosa"',
        "input.resource.assigned_to": "[]",
    }


@pytest.mark.proves("D4", "D8")
def test_an_explanation_of_a_malformed_input_names_what_is_wrong() -> None:
    found = explained(changed(READ_CASE, "principal", clearance="top", admin=True))
    assert isinstance(found.verdict, Denied)
    assert found.verdict.code == "input_invalid"
    assert {"principal", "principal.clearance"} <= set(found.problems)
    assert isinstance(explained({}).verdict, Denied)
    unreadable = explained({"a": 0.5, "b": {1, 2}})
    assert isinstance(unreadable.verdict, Denied)
    assert "is a float" in unreadable.problems[0] or "is a set" in unreadable.problems[0]


@pytest.mark.proves("D8")
def test_every_rule_of_the_shipped_policies_can_be_taken_apart() -> None:
    modules, _ = inspect(read_bundle(POLICIES))
    taken = {(probe.path, probe.line) for probe in probes(modules, PACKAGE)}
    wanted = {
        (syntax.module.path, rule.line)
        for syntax in modules
        if syntax.package == PACKAGE
        for rule in syntax.rules
        if rule.name in RULES and rule.node["bodies"]
    }
    assert len(wanted) > 30
    assert wanted <= taken
    assert explained(READ_CASE).unexamined == ()


@pytest.mark.proves("D8")
def test_policies_that_changed_in_between_are_not_explained() -> None:
    with pytest.raises(PolicyError, match="changed while they were read"):
        explain(ScriptedEngine([], revision="f" * 64), read_bundle(POLICIES), READ_CASE)


RULE = """package casewright.access

import future.keywords.not
import rego.v1

deny contains {{"code": "odd", "message": "m"}} if {{
	some key, entry in input.table # the first comment
	"wanted" in entry.names
	not entry.number == input.limit
	key == "b"
}}

# METADATA
# title: Two in one
# description: >-
#   Semicolons and
#   a helper.
deny contains {{"message": "m", "code": "two"}} if {{ input.limit > 5; _helps }}

_helps if input.table.{entry}.names[_] == "wanted"
"""


def taken_apart(tmp_path: Path, document: Document, *, entry: str = "a") -> Explanation:
    policies = write_policies(tmp_path, {"casewright/access/a.rego": RULE.format(entry=entry)})
    bundle: Bundle = read_bundle(policies)
    engine = ScriptedEngine([], revision=bundle.revision)
    return explain(engine, bundle, document)


@pytest.mark.proves("D8")
def test_variables_bound_across_statements_keep_their_meaning(tmp_path: Path) -> None:
    table: dict[str, Document] = {"a": {"names": ["wanted"], "number": 1}, "b": {"names": [], "number": 2}}
    found = taken_apart(tmp_path, {"table": table, "limit": 9})
    assert [(rule.place.code, rule.place.title, rule.place.description) for rule in found.fired] == [
        ("two", "Two in one", "Semicolons and a helper.")
    ]
    rule = near(found, "odd")
    assert rule.condition == 'key == "b"'
    assert rule.values == {"key": '"a"'}, "the binding that meets all the others, not the one of the other row"
    only_b = taken_apart(tmp_path, {"table": table | {"a": {"names": [], "number": 1}}, "limit": 9})
    assert near(only_b, "odd").condition == '"wanted" in entry.names'
    assert near(only_b, "odd").values == {"entry.names": "[]"}
    assert near(only_b, "two").because[0].condition == 'input.table.a.names[_] == "wanted"'
    none = taken_apart(tmp_path, {"table": {"c": {"names": [], "number": 9}}, "limit": 9})
    assert "odd" not in {other.place.code for other in none.nearly}, "three conditions fail"


@given(
    rows=st.dictionaries(
        st.sampled_from("abc"),
        st.fixed_dictionaries(
            {"names": st.lists(st.sampled_from(["wanted", "x"]), max_size=2), "number": st.integers(0, 2)}
        ),
    ),
    limit=st.integers(0, 2),
)
@settings(max_examples=40, deadline=None)
def test_fired_and_nearly_agree_with_the_meaning_of_the_rule(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, Document], limit: int
) -> None:
    found = taken_apart(tmp_path_factory.getbasetemp() / "meaning", {"table": rows, "limit": limit})
    missing = [sum(["wanted" not in row["names"], row["number"] == limit, key != "b"]) for key, row in rows.items()]
    fired = "odd" in {rule.place.code for rule in found.fired}
    nearly = "odd" in {rule.place.code for rule in found.nearly}
    assert fired == (0 in missing)
    assert nearly == (0 not in missing and 1 in missing)


@pytest.mark.proves("D8")
def test_an_annotation_is_read_from_the_comment_above_a_rule() -> None:
    text = "# METADATA\n# title: One\n# description: a\nx := 1\n\n# plain words\n# go on\nx := 2\n\n"
    text += "# METADATA\n# title: [\ny := 1\n"
    assert annotation_above(text, 4).title == "One"
    assert annotation_above(text, 8).description == "plain words go on"
    assert annotation_of(text, 8, same_name=(4, 8)).title == "One"
    assert annotation_above(text, 12).title == ""
    assert "title: [" in annotation_above(text, 12).description
    assert annotation_above("x := 1", 1) == annotation_above("", 1)


@pytest.mark.proves("D8")
def test_a_body_that_cannot_be_evaluated_is_named_and_does_not_hide_the_others(tmp_path: Path) -> None:
    text = (
        RULE.format(entry="a")
        + '\ndeny contains {"code": "broken", "message": "m"} if {\n\tcount(input.limit) == 1\n}\n'
    )
    policies = write_policies(tmp_path, {"casewright/access/a.rego": text})
    bundle = read_bundle(policies)
    table = {"a": {"names": ["wanted"], "number": 1}}
    found = explain(ScriptedEngine([], revision=bundle.revision), bundle, {"table": table, "limit": 9})
    assert [rule.place.code for rule in found.fired] == ["two"]
    assert len(found.unexamined) == 1
    line = text[: text.index('deny contains {"code": "broken')].count("\n") + 1
    assert found.unexamined[0].startswith(f"casewright/access/a.rego:{line}: ")
