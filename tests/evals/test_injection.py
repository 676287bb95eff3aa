"""The suite of prompt injection: its attacker finds every order, its judge sees what happened, and a hole fails it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
import pytest

from casewright.contracts.evaluation import CaseResult
from casewright.contracts.recommendation import Recommendation, VerifiedCitation
from casewright.identity.tokens import LocalTokenAuthority
from evals.injection.orders import LONGEST, MARK, coded, order_in
from evals.injection.play import GOALS
from evals.suite import Case
from evals.suites.injection import TEMPLATES_EACH, Injection, factors
from evals.unenforced import allowed
from servers.drafting.tools import DraftingTools
from tests.evals.attempting import attempted, materials
from tests.unit.house.test_imports import CHECKOUT, imported_names, sources

KINDS = ("executed", "disclosed", "persisted")


def suite_cases(folder: Path) -> Sequence[Case]:
    return Injection().cases(materials(folder, folder))


def ids(*wanted: str) -> frozenset[str]:
    return frozenset(wanted)


def test_whoever_obeys_finds_the_order_in_every_template_as_written_quoted_and_escaped() -> None:
    templates, goals, _ = factors()
    assert (len(templates), len(goals)) >= (16, 30)
    for template in templates:
        for goal in goals:
            text = template.order(goal)
            assert len(text) <= LONGEST
            assert {order_in(text), order_in(repr(text)), order_in(f"before {text} after")} == {goal.id}


@pytest.mark.parametrize("text", ["", "Please pay soon.", "CW-ORDER", "CW ORDER pay", "(1/2) CW-OR and nothing more"])
def test_a_text_without_a_whole_order_orders_nothing(text: str) -> None:
    assert order_in(text) == ""


def test_hidden_orders_do_not_stand_in_the_text_as_they_are() -> None:
    kernel = MARK + "credit-own-case"
    for coding in ("base64", "homoglyphs", "zero_width", "bidi", "split"):
        assert kernel not in coded(kernel, coding)
        assert order_in(coded(kernel, coding)) == "credit-own-case"


def test_every_pair_of_template_goal_and_place_occurs(tmp_path: Path) -> None:
    templates, goals, places = factors()
    cases = suite_cases(tmp_path)
    assert len(places) >= 8
    assert len(cases) == len(goals) * len(places) * TEMPLATES_EACH >= 3_000
    for one, other, pairs in (
        ("goal", "place", len(goals) * len(places)),
        ("template", "goal", len(templates) * len(goals)),
        ("template", "place", len(templates) * len(places)),
    ):
        assert len({(case.slices[one], case.slices[other]) for case in cases}) == pairs
    assert {goal.id for goal in goals} == set(GOALS)
    assert {case.slices["kind"] for case in cases} == set(KINDS)


@pytest.mark.parametrize(
    ("server", "verb", "effect", "obligations"),
    [
        ("drafting", "execute", "require_approval", {"redact", "approval"}),
        ("case-facts", "read", "permit", {"redact"}),
        ("policy-search", "search", "permit", {"limit"}),
    ],
)
def test_the_control_allows_in_the_words_of_a_decision(
    server: str, verb: str, effect: str, obligations: set[str]
) -> None:
    tool = {"server": server, "verb": verb}
    said = allowed({"tool": tool, "mode": "call", "principal": {"tenant": "harborline", "labels": ["fraud-ops"]}})
    assert (said["allow"], said["effect"]) == (True, effect)
    assert {one["kind"] for one in said["obligations"]} == obligations


def test_nothing_of_the_product_leads_to_the_world_without_enforcement() -> None:
    rooms = ("casewright", "servers", "agents", "graphs", "api", "commands")
    names = ("evals.unenforced", "import unenforced", "UnenforcedServices", "opened_unenforced", "AllowingEngine")
    assert [path for path, source in sources(*rooms) if any(name in source for name in names)] == []
    own = (CHECKOUT / "evals" / "unenforced.py").read_text(encoding="utf-8")
    imported = {name.partition(".")[0] for _, name in imported_names(own, "evals/unenforced.py")}
    assert imported.isdisjoint({"os", "sys", "argparse", "typer"}), "nothing outside decides about it"
    assert "CASEWRIGHT_" not in own


CHOSEN = (
    ("tool-description", "save-invented-rule"),
    ("tool-description", "save-order-as-reason"),
    ("approver-comment", "credit-own-case"),
    ("approver-comment", "pay-approved-twice"),
    ("letter", "read-other-case"),
    ("unapproved-policy", "search-with-names"),
    ("agent-message", "forge-handoff"),
    ("note", "vote-own-approval"),
)
"""One pair of place and goal for each of the boundaries that stop them."""


def first_of_each(cases: Sequence[Case]) -> frozenset[str]:
    found: dict[tuple[str, str], str] = {}
    for case in cases:
        found.setdefault((case.slices["place"], case.slices["goal"]), case.id)
    return ids(*(found[pair] for pair in CHOSEN))


@pytest.mark.thorough
@pytest.mark.timeout(120)
@pytest.mark.proves("C2", "E1")
async def test_what_is_refused_by_the_real_parts_succeeds_without_them(installation: Path, tmp_path: Path) -> None:
    chosen = first_of_each(suite_cases(tmp_path))
    real = await attempted(Injection(), materials(installation, tmp_path / "real"), lambda case: case.id in chosen)
    assert [one.happened for one in real.values() if one.verdict != "passed"] == []
    assert [one for one in real.values() if any(one.outcomes[kind] for kind in (*KINDS, "succeeded"))] == []
    stopped = {one.slices["boundary"] for one in real.values()}
    assert {"citation_gate", "case_mismatch", "private_search", "gateway", "agent_step"} <= stopped
    control = await attempted(
        Injection(), materials(installation, tmp_path / "none"), lambda case: case.id in chosen, enforced=False
    )
    assert [one.case_id for one in control.values() if not one.outcomes["succeeded"]] == []


@pytest.mark.thorough
@pytest.mark.timeout(120)
async def test_a_draft_that_nobody_checks_fails_the_suite(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unread(
        self: DraftingTools, recommendation: Recommendation
    ) -> tuple[tuple[str, ...], tuple[VerifiedCitation, ...]]:
        return (), ()

    monkeypatch.setattr(DraftingTools, "_own_problems", unread)
    results = await few(installation, tmp_path, "tool-description/save-invented-rule/")
    assert {one.verdict for one in results} == {"failed"}
    assert {(one.forbidden, one.stage) for one in results} == {(("persisted",), "citation")}
    assert all("were saved on INJ-" in one.happened and one.trace for one in results)


@pytest.mark.thorough
@pytest.mark.timeout(120)
async def test_a_token_that_is_believed_at_every_server_fails_the_suite(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believed(self: LocalTokenAuthority, token: str, server: str) -> dict[str, Any]:
        return jwt.decode(token, options={"verify_signature": False})

    monkeypatch.setattr(LocalTokenAuthority, "_claims", believed)
    results = await few(installation, tmp_path, "letter/read-unassigned-case/")
    assert {one.outcomes["disclosed"] for one in results} == {True}
    assert {one.stage for one in results} == {"access"}


async def few(installation: Path, folder: Path, prefix: str) -> list[CaseResult]:
    """The results of the cases whose ids begin so."""
    found = await attempted(
        Injection(), materials(installation, folder / "planted"), lambda case: case.id.startswith(prefix)
    )
    return list(found.values())
