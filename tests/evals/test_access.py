"""The suite of the access matrix: it sees both kinds of mistakes, and a loosened rule fails it.

The oracle itself is held against the shipped policies in whole by `tests/security/test_access_matrix.py`.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from evals.access.matrix import Compared, cells, compared
from evals.access.oracle import TOOL_FILE, ToolRule, actors, tools
from evals.access.visits import Visited, visits
from evals.datasets import read_lines
from evals.suite import Case
from evals.suites.access import AccessSuite, filled, judged, misjudged
from evals.unenforced import AllowingEngine
from tests.evals.attempting import attempted, materials
from tests.unit.access.inputs import shipped_engine

EXECUTE = ("drafting", "execute_action")


def case_of(suite: AccessSuite, folder: Path, case_id: str) -> Case:
    return next(case for case in suite.cases(materials(folder, folder)) if case.id == case_id)


def test_every_pair_of_actor_token_and_relation_of_a_tool_is_among_its_cells() -> None:
    found = {(cell.relation, cell.actor) for cell in cells(EXECUTE, "reviewer") if cell.mode == "call"}
    assert len(found) >= 7 * len(actors()) - 1
    assert {cell.token for cell in cells(EXECUTE, "reviewer")} >= {"star", "no run", "spent", "other case"}
    assert sum(1 for _ in cells(("review", "list_reviews"), "")) > 200


def test_an_engine_that_allows_everything_is_seen_with_the_first_wrong_input() -> None:
    found = compared(AllowingEngine(shipped_engine()), EXECUTE, "auditor")
    assert len(found.false_allows) == found.combinations
    assert found.false_denials == ()
    assert found.first_document is not None and found.first_document["principal"]["roles"] == ["auditor"]


def test_each_kind_of_disagreement_is_told_apart_and_said(tmp_path: Path) -> None:
    suite = AccessSuite()
    case = case_of(suite, tmp_path, "decided/drafting/execute_action/reviewer")
    good = judged(case, Compared(combinations=9, false_allows=(), false_denials=()), "look")
    assert (good.verdict, good.outcomes, good.trace) == ("passed", {"false_allow": False, "false_deny": False}, "")
    bad = judged(case, Compared(combinations=9, false_allows=("rosa got in",), false_denials=("selma not",)), "look")
    assert (bad.verdict, bad.stage, bad.happened, bad.evidence) == ("failed", "access", "rosa got in", ("selma not",))
    assert (bad.forbidden, bad.trace) == (("false_allow", "false_deny"), "look")


@pytest.mark.parametrize(
    ("tool", "wanted", "seen", "wrong"),
    [
        ("case-facts/get_case", "deny", Visited(allowed=False, answered=False, code="x"), ""),
        ("case-facts/get_case", "deny", Visited(allowed=True, answered=False, code=""), "the guard let it through"),
        ("case-facts/get_case", "deny", Visited(allowed=False, answered=True, code="x"), "it was answered"),
        ("case-facts/get_case", "permit", Visited(allowed=True, answered=True, code=""), ""),
        ("case-facts/get_case", "permit", Visited(allowed=False, answered=False, code="x"), "the guard denied it"),
        ("review/get_review", "permit", Visited(allowed=True, answered=False, code="absent"), ""),
    ],
)
def test_a_call_is_judged_by_the_audit_and_by_what_the_client_got(
    tool: str, wanted: str, seen: Visited, wrong: str
) -> None:
    rule = next(rule for rule in read_lines(TOOL_FILE, ToolRule) if rule.id == tool)
    assert misjudged(rule, wanted, seen) == wrong


def test_arguments_of_the_table_are_filled_with_what_the_world_knows() -> None:
    assert filled({"clauses": [{"label": "@label"}], "limit": 1}, {"label": "7"}) == {
        "clauses": [{"label": "7"}],
        "limit": 1,
    }
    with pytest.raises(KeyError):
        filled("@nothing", {})
    assert len(set(visits())) == len(list(visits())) >= 50
    assert len(tools()) == len(read_lines(TOOL_FILE, ToolRule))


@pytest.mark.thorough
@pytest.mark.proves("D1", "D4")
async def test_the_shipped_rules_pass_and_without_them_everything_fails(installation: Path, tmp_path: Path) -> None:
    def chosen(case: Case) -> bool:
        return case.given.tool.id in ("drafting/execute_action", "case-facts/get_case") and case.given.role in (
            "reviewer",
            "everybody",
        )

    suite = AccessSuite()
    held = await attempted(suite, materials(installation, tmp_path / "held"), chosen)
    assert {result.verdict for result in held.values()} == {"passed"}, held
    control = await attempted(suite, materials(installation, tmp_path / "control"), chosen, enforced=False)
    assert all(result.outcomes["false_allow"] for result in control.values()), control
    assert len(control) == 4


@dataclass(frozen=True, kw_only=True)
class Loosened:
    """One text of the policies that is replaced, and what the suite has to say of it."""

    file: str
    old: str
    new: str
    decided: str
    called: str
    """Empty: no caller of the sample organisation gets further by it."""


OVERLOOKED = Loosened(
    file="casewright/access/resource.rego",
    old="\tinput.principal.id in input.resource.conflicts\n",
    new='\tinput.principal.id == "x"\n',
    decided="'conflict': permit",
    called="",
)
WIDENED = Loosened(
    file="data/access/data.json",
    old='"execute"], "cases": "assigned"',
    new='"execute"], "cases": "tenant"',
    decided="'not assigned': permit",
    called="the guard let it through",
)


@pytest.mark.thorough
@pytest.mark.proves("D1", "D4")
@pytest.mark.parametrize("rule", [OVERLOOKED, WIDENED], ids=["a conflict is overlooked", "reviewers reach every case"])
async def test_a_loosened_rule_turns_the_suite_red(
    installation: Path, own_policies: Path, tmp_path: Path, rule: Loosened
) -> None:
    path = own_policies / rule.file
    assert path.read_text().count(rule.old) == 1
    path.write_text(path.read_text().replace(rule.old, rule.new))
    suite = AccessSuite(policies=own_policies)

    def chosen(case: Case) -> bool:
        return case.id in ("decided/case-facts/get_case/reviewer", "called/case-facts/get_case/everybody")

    by_role, by_call = (await attempted(suite, materials(installation, tmp_path / "work"), chosen)).values()
    wrong = "; ".join((by_role.happened, *by_role.evidence))
    assert rule.decided in wrong and "and the rules say deny" in wrong
    assert (by_role.outcomes["false_allow"], by_role.stage) == (True, "access")
    assert "policy explain" in by_role.trace
    assert rule.called in by_call.happened and by_call.outcomes["false_allow"] is bool(rule.called)
