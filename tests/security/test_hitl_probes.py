"""The human-in-the-loop probes prove themselves: a careful gate passes them all, and each flaw is caught by some."""

import asyncio
from collections.abc import Callable
from typing import get_args

import pytest

from tests.hitl_conformance.plugin import probed
from tests.hitl_conformance.probes import PROBES, ProbeFailedError
from tests.hitl_conformance.reference import Flaw, reference
from tests.hitl_conformance.subject import Factory

CAUGHT: dict[Flaw, set[str]] = {
    "acts before it asks": {"nothing_happens_before_a_decision"},
    "never acts": {"what_was_approved_happens_once", "a_restart_after_the_decision_loses_nothing"},
    "rejection counts as decided": {"what_was_rejected_never_happens"},
    "model beside the gate": {"what_was_shown_is_what_happens", "nothing_changes_between_decision_and_effect"},
    "resume value decides": {"a_value_decides_nothing"},
    "state decides": {"nothing_walks_around_the_gate"},
    "anybody decides": {"a_stranger_cannot_approve"},
    "requester decides": {"the_requester_cannot_approve"},
    "last decision wins": {"a_rejection_is_final"},
    "any key decides": {"a_key_that_nobody_was_shown_decides_nothing"},
    "run not bound": {"a_decision_on_one_run_moves_no_other"},
    "approval not consumed": {
        "a_double_click_counts_once",
        "two_approvers_at_once_cause_one_effect",
        "an_approver_and_a_rejecter_at_once_cause_at_most_one_effect",
        "waking_many_times_repeats_nothing",
        "waking_at_once_repeats_nothing",
    },
    "effect before its record": {"a_crash_after_the_effect_repeats_nothing"},
    "ledger in memory": {"a_restart_while_waiting_loses_nothing"},
    "input runs on": {"new_input_does_not_drop_the_gate"},
}
"""For each flaw the probes that are about it; others may find it too."""


def failing(flaw: Flaw, names: set[str]) -> set[str]:
    """Those of the named probes that a reference with this flaw fails."""
    found: set[str] = set()
    for probe in PROBES:
        if probe.__name__ not in names:
            continue
        try:
            asyncio.run(probed(probe, lambda: reference(frozenset({flaw}))))
        except ProbeFailedError:
            found.add(probe.__name__)
    return found


@pytest.mark.proves("E3")
def test_a_careful_gate_passes(hitl_probe: Callable[[Factory], None]) -> None:
    hitl_probe(reference)


@pytest.mark.proves("E3")
@pytest.mark.parametrize("flaw", get_args(Flaw))
def test_a_flaw_is_caught(flaw: Flaw) -> None:
    assert failing(flaw, CAUGHT[flaw]) == CAUGHT[flaw]


def test_every_probe_is_shown_to_catch_a_flaw() -> None:
    assert {probe.__name__ for probe in PROBES} == set().union(*CAUGHT.values())
