"""The access matrix, enumerated: role x tool x case x actor x token, against an oracle in Python.

The oracle is that of the suite `access`: written from the prose of the rules, not from the Rego. Zero false allows
and zero false denials are tolerated.
"""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.access.decide import RULE, decide
from casewright.contracts.decision import Allowed, ApprovalObligation
from casewright.errors import PolicyError
from evals.access import oracle
from evals.access.oracle import PERSON, RELATIONS, ROLES, TOKENS, Cell
from tests.unit.access.inputs import EXECUTE, POLICIES, READ_CASE, Document, shipped_engine, typed

TOOLS = oracle.tools()
ACTORS = oracle.actors()
OWN_STEPS = oracle.own_steps()


def wrong(cells: Iterator[Cell]) -> tuple[int, list[str]]:
    """How many cells there are, and those whose effect is not the oracle's."""
    engine = shipped_engine()
    count, found = 0, list[str]()
    for cell in cells:
        verdict = decide(engine, typed(cell.document()))
        effect = verdict.decision.effect if isinstance(verdict, Allowed) else "deny"
        count += 1
        if effect != cell.expected():
            found.append(f"{cell}: {effect}, not {cell.expected()} ({verdict})")
    return count, found


@pytest.mark.thorough
@pytest.mark.proves("D1", "D4", "D6", "E1")
@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("role", ROLES)
def test_no_combination_is_allowed_or_denied_against_the_rules(role: str, token: str) -> None:
    """Every role, token, tool, case relation, agent and step; what was counted is printed."""
    count, found = wrong(
        Cell(role=role, tool=tool, relation=relation, actor=actor, token=token)
        for tool, relation, actor in itertools.product(TOOLS, RELATIONS, ACTORS)
    )
    sys.stdout.write(f"{count} cells of role {role!r} with token {token!r}: {len(found)} wrong\n")
    assert found == []
    assert count == len(TOOLS) * len(RELATIONS) * len(ACTORS)


@pytest.mark.proves("D1", "D4", "E1")
@pytest.mark.parametrize("role", ROLES)
def test_no_role_gets_more_or_less_than_the_rules_give_on_any_tool_and_case(role: str) -> None:
    actors = (PERSON, ("executor", "act"), ("drafter", "drafter"), ("facts_analyst", "drafter"), ("intake", "act"))
    count, found = wrong(
        Cell(role=role, tool=tool, relation=relation, actor=actor, token="plain")
        for tool, relation, actor in itertools.product(TOOLS, RELATIONS, actors)
    )
    assert found == []
    assert count == len(TOOLS) * len(RELATIONS) * len(actors)


@pytest.mark.proves("D1", "D6")
@pytest.mark.parametrize("token", TOKENS)
def test_no_state_of_a_token_opens_or_closes_more_than_it_should(token: str) -> None:
    combinations = itertools.product(ROLES[:-1], TOOLS, (PERSON, *OWN_STEPS[1:3], *OWN_STEPS[-4:-1]))
    count, found = wrong(
        Cell(role=role, tool=tool, relation="assigned", actor=actor, token=token) for role, tool, actor in combinations
    )
    assert found == []
    assert count == 5 * len(TOOLS) * 6


@pytest.mark.proves("D3", "E1")
@pytest.mark.parametrize("token", ["plain", "star", "no scope", "no case"])
def test_a_listing_shows_what_a_call_could_be_allowed_and_nothing_else(token: str) -> None:
    combinations = itertools.product(ROLES, TOOLS, ACTORS)
    _, found = wrong(
        Cell(role=role, tool=tool, relation="absent", actor=actor, token=token, mode="list")
        for role, tool, actor in combinations
    )
    assert found == []


@pytest.mark.proves("D3")
def test_whatever_a_call_is_allowed_its_listing_showed() -> None:
    engine = shipped_engine()
    for role, tool, actor in itertools.product(ROLES, TOOLS, ACTORS):
        cell = Cell(role=role, tool=tool, relation="assigned", actor=actor, token="plain")
        if isinstance(decide(engine, typed(cell.document())), Allowed):
            assert isinstance(decide(engine, typed(cell.document() | {"mode": "list"})), Allowed), cell


@pytest.mark.proves("D5")
@pytest.mark.parametrize(
    ("action", "amount", "quorum", "hours"),
    [
        ("issue_provisional_credit", 0, 1, 72),
        ("issue_provisional_credit", 5_000_00, 1, 72),
        ("issue_provisional_credit", 5_000_01, 2, 24),
        ("issue_final_credit", 5_000_01, 2, 24),
        ("deny_claim", 10**13, 1, 72),
        ("send_adverse_action_notice", 0, 1, 48),
        ("escalate", 0, 1, 168),
        ("close_duplicate", 0, 1, 168),
        ("close_duplicate", -1, 0, 0),
        ("request_information", 0, 0, 0),
        ("no_action", 0, 0, 0),
        ("ISSUE_PROVISIONAL_CREDIT", 0, 0, 0),
        ("issue_provisional_credit", 10**13 + 1, 0, 0),
    ],
)
def test_an_effect_needs_exactly_the_approval_of_its_kind_and_amount(
    action: str, amount: int, quorum: int, hours: int
) -> None:
    document = EXECUTE | {"resource": EXECUTE["resource"] | {"action": action, "amount_minor": amount}}
    verdict = decide(shipped_engine(), typed(document))
    if quorum == 0:
        assert not isinstance(verdict, Allowed)
        return
    assert isinstance(verdict, Allowed)
    approvals = [entry for entry in verdict.decision.obligations if isinstance(entry, ApprovalObligation)]
    assert verdict.decision.effect == "require_approval"
    assert approvals == [
        ApprovalObligation(
            kind="approval",
            roles=("supervisor",),
            quorum=quorum,
            author_excluded=True,
            ttl_seconds=hours * 3600,
            schedule=approvals[0].schedule,
        )
    ]
    schedule = approvals[0].schedule
    assert [reminder.to for reminder in schedule.reminders] == ["assignee", "roles"]
    assert 0 < schedule.reassign_after_seconds < hours * 3600
    assert schedule.escalate_to == (("reviewer",) if action == "close_duplicate" else ())


@pytest.mark.proves("D5", "E7")
@pytest.mark.parametrize("role", ROLES[:-1])
@pytest.mark.parametrize("action", ["close_duplicate", "deny_claim"])
@pytest.mark.parametrize("state", ["open", "escalated", "approval_pending", "approval_escalated"])
def test_an_escalation_opens_the_vote_to_the_roles_that_its_rule_names(role: str, action: str, state: str) -> None:
    cell = Cell(role=role, tool=("admin", "vote_approval"), relation="assigned", actor=PERSON, token="plain")
    document = cell.document()
    document |= {"resource": document["resource"] | {"action": action, "state": state}}
    further = role == "reviewer" and action == "close_duplicate" and state == "approval_escalated"
    assert isinstance(decide(shipped_engine(), typed(document)), Allowed) is (role == "supervisor" or further)


@pytest.mark.proves("D5")
def test_a_supervisor_votes_on_what_others_asked_for_and_on_nothing_else() -> None:
    cell = Cell(
        role="supervisor", tool=("admin", "vote_approval"), relation="not assigned", actor=PERSON, token="no case"
    )
    document = cell.document()
    assert isinstance(decide(shipped_engine(), typed(document)), Allowed)
    for field, value in {"author": "rosa", "tenant": "millbrook", "conflicts": ["rosa"], "action": "x"}.items():
        other = document | {"resource": document["resource"] | {field: value}}
        assert not isinstance(decide(shipped_engine(), typed(other)), Allowed), field
    nobody = document | {"resource": document["resource"] | {"author": ""}}
    assert not isinstance(decide(shipped_engine(), typed(nobody)), Allowed)


SECTIONS = ("principal", "actor", "tool", "resource", "context")
STRICT_FIELDS: list[tuple[str, str]] = [(section, "") for section in READ_CASE] + [
    (section, field) for section in SECTIONS for field in READ_CASE[section]
]
"""Without the names in `arguments` and `provenance`: those are open maps."""
ODD_VALUES: list[object] = [None, True, False, 0, 1, "", "*", [], ["*"], {}, {"*": 1}, [1], [None], -1]


def allows(document: object) -> bool:
    """Whether the policy allows a raw document; an error is a denial."""
    assert isinstance(document, dict)
    try:
        answer = shipped_engine().evaluate(RULE, document)  # pyright: ignore[reportUnknownArgumentType]
    except PolicyError:
        return False
    return not isinstance(answer, dict) or answer.get("allow") is not False  # pyright: ignore[reportUnknownMemberType]


def without(document: Document, section: str, field: str) -> Document:
    if not field:
        return {key: value for key, value in document.items() if key != section}
    return document | {section: {key: value for key, value in document[section].items() if key != field}}


def with_value(document: Document, place: tuple[str, str], value: object) -> Document:
    section, field = place
    return document | {section: document[section] | {field: value} if field else value}


def kind_of(value: object) -> object:
    """JSON type, with the types of the entries of a list."""
    if isinstance(value, list):
        return ("list", frozenset(type(entry) for entry in value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return type(value)


@pytest.mark.proves("D1", "D4")
@pytest.mark.parametrize("base", [READ_CASE, EXECUTE], ids=["read", "execute"])
def test_dropping_any_field_of_the_input_is_a_denial(base: Document) -> None:
    assert allows(base)
    still = [place for place in STRICT_FIELDS if allows(without(base, *place))]
    assert still == []


@pytest.mark.proves("D1", "D4")
@settings(max_examples=600, deadline=None)
@given(st.sampled_from([READ_CASE, EXECUTE]), st.sampled_from(STRICT_FIELDS), st.sampled_from(ODD_VALUES))
def test_retyping_any_field_of_the_input_is_a_denial(base: Document, place: tuple[str, str], odd: object) -> None:
    section, field = place
    now: Any = base[section][field] if field else base[section]
    same_kind = kind_of(odd) == kind_of(now)
    if same_kind or (odd == [] and type(now) is list) or (now == [] and odd == ["*"]):
        return
    assert not allows(with_value(base, place, odd)), (place, odd)


@pytest.mark.proves("D4")
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["principal", "actor", "tool", "resource", "context", ""]),
    st.text(min_size=1, max_size=12).filter(lambda name: all(name not in part for part in STRICT_FIELDS)),
)
def test_an_unknown_field_is_a_denial(section: str, name: str) -> None:
    odd = with_value(READ_CASE, (section, name), True) if section else READ_CASE | {name: True}
    assert not allows(odd)


@pytest.mark.proves("D1", "D4")
def test_the_embedded_engine_and_opa_give_the_same_decisions(tmp_path: Path) -> None:
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa binary on PATH; the comparison with OPA needs one")
    cells = [
        Cell(role=role, tool=tool, relation=relation, actor=actor, token=token, mode=mode)
        for role, tool, relation, actor, token, mode in itertools.product(
            ROLES, TOOLS, RELATIONS, ACTORS, TOKENS, ("call", "list")
        )
    ]
    documents = [EXECUTE, *(cell.document() for cell in cells[::293])]
    odd = [without(READ_CASE, *place) for place in STRICT_FIELDS]
    odd += [with_value(EXECUTE, place, value) for place in STRICT_FIELDS for value in ODD_VALUES[::3]]
    (tmp_path / "samples.json").write_text(json.dumps({"samples": [*documents, *odd]}))
    query = f"[answer | some document in input.samples; answer := data.{RULE} with input as document]"
    command = [opa, "eval", "-b", str(POLICIES), "-i", str(tmp_path / "samples.json"), "--format", "json", query]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    theirs = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    assert len(theirs) == len(documents) + len(odd)
    assert [shipped_engine().evaluate(RULE, document) for document in documents] == theirs[: len(documents)]
    assert {answer["effect"] for answer in theirs[: len(documents)]} == {"permit", "deny", "maybe", "require_approval"}
    assert [answer["allow"] for answer in theirs[len(documents) :]] == [allows(document) for document in odd]
