"""Whether present code may go on with a stored state: older ones are migrated, newer and unknown ones refused."""

from typing import Any

import pytest

from casewright.config import Budgets
from graphs.review import RETURNING, ROUTED
from graphs.router import next_step
from graphs.state import DELEGATES, STATE_VERSION, ReviewState
from graphs.versions import GRAPH_VERSION, Pins, VersionRefusedError, admitted, changes, migrated
from tests.unit.graphs.states import state

PINS = {"graph": GRAPH_VERSION, "state": STATE_VERSION}
OLD_STATE = state(
    case_type="card_dispute",
    steps=9,
    delegations=5,
    done=list(DELEGATES),
    trail=["intake", *DELEGATES, "verify", "ask", "facts_analyst", "propose", "gate", "act"],
)
"""As version 1 kept it: one count of delegations, nothing that says whether intake is done."""


@pytest.mark.proves("E4")
def test_a_state_of_the_first_version_gets_its_counts_by_agent_from_its_trail() -> None:
    update = admitted("run-1", {}, OLD_STATE)
    assert update == {
        "state_version": 2,
        "classified": True,
        "delegated": {
            "drafter": 1,
            "evidence_checker": 1,
            "executor": 2,
            "facts_analyst": 2,
            "intake": 1,
            "policy_researcher": 1,
            "verifier": 1,
        },
    }
    now: ReviewState = {**OLD_STATE, **update}
    assert next_step(now, Budgets()) == "verify"
    assert migrated(now) == {}, "once is enough"


def test_a_state_that_no_step_has_written_needs_no_migration() -> None:
    assert admitted("run-1", {}, state()) == {}
    assert admitted("run-1", PINS, {}) == {}


@pytest.mark.proves("E4")
@pytest.mark.parametrize(
    ("pins", "values"),
    [
        ({"graph": GRAPH_VERSION + 1}, {"state_version": STATE_VERSION}),
        (PINS, {"state_version": STATE_VERSION + 1}),
        (PINS, {"state_version": 0}),
        (PINS, {"state_version": "2"}),
        (PINS, {"state_version": True}),
        (PINS, {"state_version": None}),
        (PINS, {"state_version": 2.0}),
        ({"graph": None}, {"state_version": STATE_VERSION}),
        ({"graph": -1}, {"state_version": STATE_VERSION}),
    ],
    ids=repr,
)
def test_what_present_code_does_not_know_is_refused_with_the_way_out(pins: Any, values: Any) -> None:
    with pytest.raises(VersionRefusedError, match=r"'run-1'.*fork it from the start, or cancel it"):
        admitted("run-1", pins, values)


def test_what_is_in_force_now_and_was_not_then_is_told_by_name() -> None:
    now = Pins(graph=2, state=2, prompts="p2", policy="r1", index_version="i2", model="m")
    pinned = {"graph": 2, "prompts": "p1", "policy": "r1", "index_version": "i1", "unheard_of": 1}
    assert changes(pinned, now) == {
        "prompts": {"pinned": "p1", "now": "p2"},
        "index_version": {"pinned": "i1", "now": "i2"},
    }
    assert changes({}, now) == {}


def test_the_wiring_of_this_graph_version_is_the_one_that_was_numbered() -> None:
    """Another wiring is another GRAPH_VERSION, with a kept state in tests/integration/graphs/golden."""
    assert GRAPH_VERSION == 2
    assert list(ROUTED) == ["intake", *DELEGATES, "verify", "ask", "inquire", "propose", "record", "wrap"]
    assert list(RETURNING) == ["intake", *DELEGATES, "verify", "ask", "heed"]
