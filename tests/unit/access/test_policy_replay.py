"""Replays: what a candidate would change, told apart by direction, grouped, and accepted by name only."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.access.decision_files import read_inputs, write_inputs
from casewright.access.flips import KINDS, Flip, Outcome, acceptance_draft, group, kind_of, read_acceptance
from casewright.access.replay import ReplayInput, ReplayReport, replay
from casewright.contracts.decision import (
    ApprovalObligation,
    AuditObligation,
    DecisionFilters,
    LimitObligation,
    Obligation,
    RedactObligation,
    WatermarkObligation,
)
from casewright.errors import InputError, PolicyError
from tests.unit.access.inputs import POLICIES, READ_CASE, Document, changed, shipped_engine

UNASSIGNED = changed(READ_CASE, "resource", assigned_to=[])
AUDITOR = changed(READ_CASE, "principal", roles=["auditor"])


def candidate(tmp_path: Path, change: Any) -> Path:
    """The shipped policies with other access data: `change` is applied to the parsed file."""
    folder = tmp_path / "candidate"
    shutil.copytree(POLICIES, folder)
    file = folder / "data/access/data.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    return folder


def covering_all(data: dict[str, Any]) -> None:
    """Reviewers reach all cases of the tenant, auditors see more."""
    data["roles"]["reviewer"]["cases"] = "tenant"
    data["roles"]["auditor"]["sees"] = "confidential"


def inputs(*documents: Document) -> list[ReplayInput]:
    return [ReplayInput(name=f"dec-{number}", document=document) for number, document in enumerate(documents)]


@pytest.mark.proves("D8")
def test_a_candidate_that_lets_through_more_is_listed_with_the_permissive_flips_first(tmp_path: Path) -> None:
    report = replay(POLICIES, candidate(tmp_path, covering_all), inputs(AUDITOR, READ_CASE, UNASSIGNED))
    assert [(flip.input, flip.kind, flip.role) for flip in report.flips] == [
        ("dec-2", "newly_permitted", "reviewer"),
        ("dec-0", "weakened", "auditor"),
    ]
    assert (report.flips[0].before.shown, report.flips[0].after.shown) == (
        "deny: not_assigned",
        "permit: tenant_wide",
    )
    assert report.flips[1].changes == ("redact above internal -> confidential",)
    assert report.counts == {
        "newly_permitted": 1,
        "weakened": 1,
        "newly_denied": 0,
        "tightened": 0,
        "permissive": 2,
    }
    assert report.other_reasons == 1, "rosa's own case is now hers tenant-wide"
    assert report.baseline == shipped_engine().revision != report.candidate


@pytest.mark.proves("D8")
def test_the_same_change_backwards_is_newly_denied_and_tightened(tmp_path: Path) -> None:
    report = replay(candidate(tmp_path, covering_all), POLICIES, inputs(AUDITOR, UNASSIGNED))
    assert [flip.kind for flip in report.flips] == ["newly_denied", "tightened"]
    assert report.counts["permissive"] == 0


@pytest.mark.thorough
@pytest.mark.proves("D8")
def test_worker_processes_find_what_one_process_finds_in_the_same_order(tmp_path: Path) -> None:
    folder = candidate(tmp_path, covering_all)
    many = inputs(*[AUDITOR, READ_CASE, UNASSIGNED] * 150)
    alone, shared = replay(POLICIES, folder, many, workers=1), replay(POLICIES, folder, many, workers=2)
    assert alone == shared
    assert alone.counts["permissive"] == 300


@pytest.mark.proves("D8")
def test_a_record_that_the_policy_in_force_does_not_give_again_is_named_with_the_reason() -> None:
    revision = shipped_engine().revision
    recorded: list[dict[str, Any]] = [
        {"effect": "permit", "codes": ("assigned",), "revision": revision},
        {"effect": "deny", "codes": ("clearance",), "revision": revision},
        {"effect": "deny", "codes": ("clearance",), "revision": "0" * 64},
        {"effect": "permit", "codes": ("assigned",), "revision": revision, "missing": ("principal.id",)},
    ]
    found = [ReplayInput(name=str(number), document=READ_CASE, **row) for number, row in enumerate(recorded)]
    report = replay(POLICIES, POLICIES, found)
    reasons = {row.input: row.reason for row in report.not_reproducible}
    assert reasons.keys() == {"1", "2", "3"}
    assert reasons["1"] == "the same revision answers otherwise; recorded deny: clearance; now permit: assigned"
    assert "under another revision (000000000000)" in reasons["2"]
    assert reasons["3"] == "the record does not show principal.id"
    assert report.flips == ()


@pytest.mark.proves("D8")
def test_a_replay_that_would_show_nothing_is_refused() -> None:
    hidden = ReplayInput(name="1", document=READ_CASE, missing=("principal.id",))
    for found in ([], [hidden]):
        with pytest.raises(InputError, match="can be replayed"):
            replay(POLICIES, POLICIES, found)


@pytest.mark.proves("D8")
def test_a_candidate_that_does_not_parse_is_refused_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "candidate"
    shutil.copytree(POLICIES, folder)
    file = folder / "casewright/access/allow.rego"
    file.write_text(file.read_text() + "\nallow contains {\n")
    with pytest.raises(PolicyError, match=r"candidate.*allow\.rego:\d+: "):
        replay(POLICIES, folder, inputs(READ_CASE))


def outcome(effect: str, *obligations: Obligation, **filters: Any) -> Outcome:
    given: dict[str, Any] = {"tenant": "t", "labels": (), "sealed": False} | filters
    found = DecisionFilters.model_validate(given)
    return Outcome(effect=effect, codes=("x",), obligations=obligations, filters=found)


def approval(**changes: Any) -> ApprovalObligation:
    fields: dict[str, Any] = {"kind": "approval", "roles": ("a",), "quorum": 2, "author_excluded": True}
    return ApprovalObligation.model_validate(fields | {"ttl_seconds": 3600} | changes)


LATER: dict[str, Any] = {"escalate_after_seconds": 1200, "escalate_to": ("c",)}
DENY = Outcome(effect="deny", codes=("y",))
REDACT = RedactObligation(kind="redact", above="internal")
LIMIT = LimitObligation(kind="limit", max_results=10)
AUDIT = AuditObligation(kind="audit", level="full")
MARK = WatermarkObligation(kind="watermark", text="for rosa")
WEAKER = [
    (outcome("require_approval", approval()), outcome("permit"), "approval is gone"),
    (outcome("require_approval", approval()), outcome("require_approval", approval(quorum=1)), "quorum 2 -> 1"),
    (
        outcome("require_approval", approval()),
        outcome("require_approval", approval(roles=("a", "b"))),
        "approver b is new",
    ),
    (
        outcome("require_approval", approval()),
        outcome("require_approval", approval(ttl_seconds=7200)),
        "expiry 3600 -> 7200 s",
    ),
    (
        outcome("require_approval", approval(schedule=LATER)),
        outcome("require_approval", approval(schedule=LATER | {"escalate_to": ("c", "d")})),
        "later approver d is new",
    ),
    (
        outcome("require_approval", approval(schedule=LATER)),
        outcome("require_approval", approval(schedule=LATER | {"escalate_after_seconds": 600})),
        "escalation 1200 -> 600 s",
    ),
    (outcome("permit", REDACT), outcome("permit"), "redact is gone"),
    (
        outcome("permit", REDACT),
        outcome("permit", RedactObligation(kind="redact", above="confidential")),
        "redact above internal -> confidential",
    ),
    (outcome("permit", LIMIT), outcome("permit", LimitObligation(kind="limit", max_results=11)), "limit 10 -> 11"),
    (
        outcome("permit", AUDIT),
        outcome("permit", AuditObligation(kind="audit", level="summary")),
        "audit full -> summary",
    ),
    (outcome("permit", MARK), outcome("permit"), "watermark is gone"),
    (outcome("permit"), outcome("permit", sealed=True), "sealed False -> True"),
    (outcome("permit"), outcome("permit", labels=("l",)), "label l is new"),
]


@pytest.mark.proves("D8")
@pytest.mark.parametrize(("before", "after", "change"), WEAKER)
def test_each_weaker_obligation_or_wider_filter_is_weakened_and_its_reverse_is_not(
    before: Outcome, after: Outcome, change: str
) -> None:
    found = kind_of(before, after)
    assert found is not None
    assert found[0] == "weakened"
    assert change in found[1]
    back = kind_of(after, before)
    assert back is not None
    assert back[0] == "tightened"


@pytest.mark.proves("D8")
def test_something_weaker_is_not_hidden_by_something_stricter() -> None:
    after = outcome("permit", LimitObligation(kind="limit", max_results=1), MARK)
    found = kind_of(outcome("permit", LIMIT, REDACT), after)
    assert found == ("weakened", ("redact is gone", "watermark is new", "limit 10 -> 1"))
    other = outcome("permit", WatermarkObligation(kind="watermark", text="for nobody"))
    assert kind_of(outcome("permit", MARK), other) == ("weakened", ("watermark has another text",))
    elsewhere = kind_of(outcome("permit"), outcome("permit", tenant="u"))
    assert elsewhere == ("weakened", ("the tenant is another",))


OUTCOMES = st.one_of(
    st.just(DENY),
    st.builds(
        outcome,
        st.just("permit"),
        st.sampled_from([REDACT, LIMIT, AUDIT, MARK]),
        sealed=st.booleans(),
        labels=st.sampled_from([(), ("l",), ("l", "m")]),
    ),
    st.builds(outcome, st.just("require_approval"), st.builds(approval, quorum=st.integers(1, 3))),
)


@given(before=OUTCOMES, after=OUTCOMES)
def test_a_flip_is_found_exactly_where_something_differs_and_never_both_ways_only_stricter(
    before: Outcome, after: Outcome
) -> None:
    forth, back = kind_of(before, after), kind_of(after, before)
    assert (forth is None) == (before == after) == (back is None)
    if forth is not None and back is not None:
        assert forth[0] in {"newly_permitted", "weakened"} or back[0] in {"newly_permitted", "weakened"}


def flips(report: ReplayReport, *names: str) -> list[Flip]:
    return [flip for flip in report.flips if flip.input in names]


@pytest.mark.proves("D8")
def test_flips_are_accepted_by_group_with_who_and_why_and_up_to_the_number_looked_at(tmp_path: Path) -> None:
    folder = candidate(tmp_path, covering_all)
    report = replay(POLICIES, folder, inputs(UNASSIGNED, UNASSIGNED, AUDITOR))
    groups = group(report.flips)
    assert [(one.kind, one.count, one.example, one.accepted) for one in groups] == [
        ("newly_permitted", 2, "dec-0", False),
        ("weakened", 1, "dec-2", False),
    ]
    file = tmp_path / "accepted.json"
    file.write_text(acceptance_draft(groups))
    with pytest.raises(InputError, match=r"0\.who"):
        read_acceptance(file)
    entries = json.loads(file.read_text())
    file.write_text(json.dumps([entry | {"who": "petra", "why": "agreed"} for entry in entries[:1]]))
    accepted = read_acceptance(file)
    assert [one.accepted for one in group(report.flips, accepted)] == [True, False]
    assert [one.accepted for one in group(flips(report, "dec-1"), accepted)] == [True]
    more = replay(POLICIES, folder, inputs(UNASSIGNED, UNASSIGNED, UNASSIGNED))
    assert [one.accepted for one in group(more.flips, accepted)] == [False]


@pytest.mark.proves("D8")
@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"kind": "any"}]', "[{}]"])
def test_an_acceptance_file_that_is_none_accepts_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accepted.json"
    file.write_text(text)
    with pytest.raises(InputError, match="accepts nothing"):
        read_acceptance(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_acceptance(tmp_path / "nowhere.json")


@pytest.mark.proves("D8")
def test_decisions_survive_their_file_and_a_bad_line_is_named(tmp_path: Path) -> None:
    written = [
        ReplayInput(
            name="dec-1", document=READ_CASE, effect="permit", codes=("a", "b"), revision="r", missing=("principal.id",)
        ),
        ReplayInput(name="dec-2", document={"odd": [1, {"é": "\u2028"}]}),
    ]
    file = tmp_path / "decisions.jsonl"
    assert write_inputs(file, written) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(read_inputs(file)) == written
    with pytest.raises(InputError, match="there already"):
        write_inputs(file, written)
    file.write_text(f"\n{json.dumps(READ_CASE)}\n[]\n")
    with pytest.raises(InputError, match="line 3 is no decision"):
        list(read_inputs(file))
    file.write_text(json.dumps(READ_CASE))
    assert [(one.name, one.effect) for one in read_inputs(file)] == [("line 1", "")]


@pytest.mark.proves("D8")
def test_an_input_that_is_no_input_is_denied_before_and_after(tmp_path: Path) -> None:
    odd: Document = {"schema": "input/v1", "principal": 5, "tool": [], "roles": None}
    assert replay(POLICIES, candidate(tmp_path, covering_all), inputs(odd, READ_CASE)).flips == ()
    assert KINDS[0] == "newly_permitted"
