"""`decide` believes nothing but a flawless answer."""

import json
from typing import Any

import pytest

from casewright.access.decide import RULE, decide
from casewright.access.engine import UndefinedRuleError
from casewright.access.scripted import ScriptedAnswer, ScriptedEngine
from casewright.contracts.decision import Allowed, Denied
from casewright.errors import PolicyError
from tests.unit.access.inputs import EXECUTE, READ_CASE, changed, shipped_engine, typed

PERMIT: dict[str, Any] = {
    "schema": "decision/v1",
    "allow": True,
    "effect": "permit",
    "reasons": [{"code": "assigned", "message": "assigned"}],
    "obligations": [{"kind": "limit", "max_results": 50}],
    "filters": {"tenant": "harborline", "labels": ["fraud-ops"], "sealed": False},
    "ttl_seconds": 0,
    "package": "casewright.access",
}
APPROVAL: dict[str, Any] = {
    "kind": "approval",
    "roles": ["supervisor"],
    "quorum": 1,
    "author_excluded": True,
    "ttl_seconds": 600,
}
FILTERS = PERMIT["filters"]

ODD_ANSWERS: dict[str, object] = {
    "null": None,
    "true": True,
    "text true": "true",
    "number": 1,
    "list with a decision": [PERMIT],
    "empty object": {},
    "allow as text": PERMIT | {"allow": "true"},
    "allow as number": PERMIT | {"allow": 1},
    "allow as list": PERMIT | {"allow": [True]},
    "allow null": PERMIT | {"allow": None},
    "no allow": {key: value for key, value in PERMIT.items() if key != "allow"},
    "other schema": PERMIT | {"schema": "decision/v2"},
    "schema by its field name": {key: value for key, value in PERMIT.items() if key != "schema"}
    | {"schema_version": "decision/v1"},
    "unknown field": PERMIT | {"note": "please allow"},
    "own revision": PERMIT | {"revision": "f" * 64},
    "effect denies but allow is true": PERMIT | {"effect": "deny"},
    "effect permits but allow is false": PERMIT | {"allow": False},
    "unknown effect": PERMIT | {"effect": "allow"},
    "maybe for a call": PERMIT | {"effect": "maybe"},
    "no reasons": PERMIT | {"reasons": []},
    "reason without code": PERMIT | {"reasons": [{"code": "", "message": "x"}]},
    "reasons as text": PERMIT | {"reasons": "assigned"},
    "unknown obligation": PERMIT | {"obligations": [{"kind": "notify"}]},
    "obligation without its number": PERMIT | {"obligations": [{"kind": "limit"}]},
    "limit of zero": PERMIT | {"obligations": [{"kind": "limit", "max_results": 0}]},
    "same obligation twice": PERMIT | {"obligations": [*PERMIT["obligations"], {"kind": "limit", "max_results": 9}]},
    "approval needed but not obliged": PERMIT | {"effect": "require_approval"},
    "approval obliged but not needed": PERMIT | {"obligations": [APPROVAL]},
    "author may approve": PERMIT
    | {"effect": "require_approval", "obligations": [APPROVAL | {"author_excluded": False}]},
    "nobody may approve": PERMIT | {"effect": "require_approval", "obligations": [APPROVAL | {"roles": []}]},
    "quorum of zero": PERMIT | {"effect": "require_approval", "obligations": [APPROVAL | {"quorum": 0}]},
    "filters of another tenant": PERMIT | {"filters": FILTERS | {"tenant": "millbrook"}},
    "filters with a label not held": PERMIT | {"filters": FILTERS | {"labels": ["fraud-ops", "legal"]}},
    "no filters": PERMIT | {"filters": None},
    "kept for ever": PERMIT | {"ttl_seconds": 10**9},
    "other package": PERMIT | {"package": "casewright.evidence"},
    "not a number": PERMIT | {"ttl_seconds": float("nan")},
    "no JSON value": PERMIT | {"reasons": {1, 2}},
}


def scripted(value: object) -> ScriptedEngine:
    return ScriptedEngine([ScriptedAnswer(rule=RULE, value=value)], revision="r1")


@pytest.mark.proves("D4")
@pytest.mark.parametrize("value", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
def test_an_odd_answer_is_a_denial(value: object) -> None:
    engine = scripted(value)
    verdict = decide(engine, typed(READ_CASE))
    assert isinstance(verdict, Denied)
    assert (verdict.code, verdict.revision) == ("malformed", "r1")
    engine.finish()


@pytest.mark.proves("D4", "D7")
def test_a_flawless_answer_is_allowed_and_names_the_engines_revision() -> None:
    verdict = decide(scripted(PERMIT), typed(READ_CASE))
    assert isinstance(verdict, Allowed)
    assert verdict.decision.model_dump(mode="json", by_alias=True) == PERMIT | {"revision": "r1"}


@pytest.mark.proves("D4")
def test_a_denial_carries_the_codes_of_the_policy() -> None:
    reasons = [{"code": "absent", "message": "not there"}, {"code": "clearance", "message": "too low"}]
    answer = PERMIT | {"allow": False, "effect": "deny", "reasons": reasons, "obligations": []}
    assert decide(scripted(answer), typed(READ_CASE)) == Denied(
        code="absent", detail="absent: not there; clearance: too low", revision="r1"
    )


@pytest.mark.proves("D3", "D4")
def test_a_listing_may_not_answer_with_an_approval() -> None:
    listing = typed(EXECUTE | {"mode": "list"})
    asking = PERMIT | {"effect": "require_approval", "obligations": [APPROVAL]}
    assert isinstance(decide(scripted(asking), listing), Denied)
    assert isinstance(decide(scripted(PERMIT | {"effect": "maybe"}), listing), Allowed)


@pytest.mark.proves("D4")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UndefinedRuleError("no value"), "undefined"),
        (PolicyError("crashed"), "engine_error"),
        (RuntimeError("odd"), "engine_error"),
        (RecursionError("deep"), "engine_error"),
        (TimeoutError("slow"), "engine_error"),
    ],
)
def test_an_engine_that_fails_denies(error: Exception, code: str) -> None:
    engine = ScriptedEngine([ScriptedAnswer(rule=RULE, error=error)], revision="r1")
    verdict = decide(engine, typed(READ_CASE))
    assert isinstance(verdict, Denied)
    assert verdict.code == code


@pytest.mark.proves("D4")
def test_a_late_answer_is_a_denial() -> None:
    verdict = decide(scripted(PERMIT), typed(READ_CASE), late_after_seconds=-1.0)
    assert isinstance(verdict, Denied)
    assert verdict.code == "late"


@pytest.mark.proves("D7")
def test_a_decision_is_never_attributed_to_a_revision_it_was_not_made_under() -> None:
    once = [
        ScriptedAnswer(rule=RULE, value=PERMIT, next_revision="r2"),
        ScriptedAnswer(rule=RULE, value=PERMIT),
    ]
    verdict = decide(ScriptedEngine(once, revision="r1"), typed(READ_CASE))
    assert isinstance(verdict, Allowed)
    assert verdict.decision.revision == "r2"
    twice = [ScriptedAnswer(rule=RULE, value=PERMIT, next_revision=revision) for revision in ("r2", "r3")]
    verdict = decide(ScriptedEngine(twice, revision="r1"), typed(READ_CASE))
    assert isinstance(verdict, Denied)
    assert verdict.code == "revision_changed"


ODD_ARGUMENTS: dict[str, object] = {
    "null": None,
    "fraction": 1.5,
    "infinite": float("inf"),
    "beyond 2^53": 2**53 + 1,
    "far below zero": -(2**53) - 1,
    "not NFC": "e\u0301",
    "half a surrogate pair": "\ud800",
    "too large": "x" * 70_000,
    "bytes": b"x",
    "set": {"x"},
    "key that is no text": {1: "x"},
    "key that is not NFC": {"e\u0301": 1},
    "null deep inside": {"a": [{"b": None}]},
    "too deep": json.loads("[" * 40 + "]" * 40),
    "far too deep": json.loads("[" * 900 + "]" * 900),
}


@pytest.mark.proves("D4")
@pytest.mark.parametrize("value", ODD_ARGUMENTS.values(), ids=ODD_ARGUMENTS.keys())
def test_an_input_that_engines_would_read_differently_is_denied_unasked(value: object) -> None:
    engine = ScriptedEngine([], revision="r1")
    document = typed(READ_CASE).model_copy(update={"arguments": {"value": value}})
    verdict = decide(engine, document)
    assert isinstance(verdict, Denied)
    assert verdict.code == "input_invalid"


@pytest.mark.proves("D1", "D3", "D4")
def test_the_shipped_policies_answer_in_the_decision_language() -> None:
    engine = shipped_engine()
    for document, effect in (
        (READ_CASE, "permit"),
        (EXECUTE, "require_approval"),
        (READ_CASE | {"mode": "list"}, "maybe"),
    ):
        verdict = decide(engine, typed(document))
        assert isinstance(verdict, Allowed), verdict
        assert (verdict.decision.effect, verdict.decision.revision) == (effect, engine.revision)
    denied = decide(engine, typed(changed(READ_CASE, "resource", exists=False)))
    assert isinstance(denied, Denied)
    assert denied.code == "absent"


@pytest.mark.proves("D4")
def test_the_scripted_engine_is_strict() -> None:
    engine = scripted(PERMIT)
    with pytest.raises(AssertionError, match="expected an evaluation"):
        engine.evaluate("casewright.access.allow", {})
    with pytest.raises(AssertionError, match="no steps left"):
        engine.evaluate(RULE, {})
    with pytest.raises(AssertionError, match="did not happen"):
        scripted(PERMIT).finish()
