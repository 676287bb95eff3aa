"""Which controls there are and what fits them: a closed list, names that exist, limits below their ceilings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.contracts.controls import Controls
from casewright.controls.paths import EVERYTHING, LIMITS, PATHS, ControlChange, Scope, changed
from casewright.controls.reviewed import ReviewedData
from casewright.errors import InputError
from tests.support.installation import POLICIES

REVIEWED = ReviewedData.read(POLICIES)
NONE = Controls()
ODD = ("True", "yes", "1.5", "0", "null", "-1", "²", "{}", "a,,b", ",", "+", "-x", "+a,b")


def change(controls: Controls, path: str, value: str) -> ControlChange:
    """A change by somebody of harborline, the next after these controls."""
    return changed(controls, path, value, Scope(reviewed=REVIEWED, tenant="harborline", version=controls.version + 1))


def after(*changes: tuple[str, str]) -> Controls:
    """The controls after these changes, one after another."""
    controls = NONE
    for path, value in changes:
        controls = change(controls, path, value).controls
    return controls


@pytest.mark.proves("D6")
def test_the_paths_are_a_closed_list() -> None:
    assert set(PATHS) == {
        "switches.everything",
        "switches.tools",
        "switches.agents",
        "switches.models",
        "switches.tenants",
        "limits.agent.tool_calls",
        "limits.agent.steps",
        "limits.user.tool_calls",
        "limits.user.steps",
    }


@given(st.text(max_size=40))
def test_no_other_path_is_a_control(path: str) -> None:
    if path not in PATHS:
        with pytest.raises(InputError, match="is no control"):
            change(NONE, path, "true")


@pytest.mark.proves("D6")
@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path in PATHS for value in ODD],
)
def test_a_value_that_does_not_fit_is_refused_and_changes_nothing(path: str, value: str) -> None:
    with pytest.raises(InputError):
        change(NONE, path, value)


@pytest.mark.proves("D6")
def test_a_list_is_set_whole_or_entry_by_entry_and_kept_sorted() -> None:
    set_whole = after(("switches.agents", "verifier, drafter,drafter"))
    assert set_whole.switches.agents == ("drafter", "verifier")
    changed_one = change(set_whole, "switches.agents", "-drafter,+intake")
    assert (changed_one.old, changed_one.new) == (("drafter", "verifier"), ("intake", "verifier"))
    assert change(set_whole, "switches.agents", "").controls.switches.agents == ()


@pytest.mark.proves("D6")
@pytest.mark.parametrize("name", ["get_case", "case-facts", "case-facts/get_case", "admin/start_review"])
def test_a_tool_is_switched_off_by_its_name_its_server_or_both(name: str) -> None:
    assert after(("switches.tools", f"+{name}")).switches.tools == (name,)


@pytest.mark.proves("D6")
@pytest.mark.parametrize(
    ("path", "value", "known"),
    [
        ("switches.tools", "get_cas", "case-facts/get_case"),
        ("switches.tools", "case-facts/GET_CASE", "case-facts/get_case"),
        ("switches.tools", "drafting/get_case", "case-facts/get_case"),
        ("switches.agents", "drafters", "drafter"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_known_ones(path: str, value: str, known: str) -> None:
    with pytest.raises(InputError, match=known):
        change(NONE, path, value)


@pytest.mark.proves("D6")
@pytest.mark.parametrize(
    "name", [f"{server}{verb}_policy_data" for server in ("", "admin/") for verb in ("set", "read")]
)
def test_what_shows_and_changes_the_switches_is_never_named_by_one(name: str) -> None:
    with pytest.raises(InputError, match="stays on"):
        change(NONE, "switches.tools", name)


@pytest.mark.proves("D6")
@pytest.mark.parametrize("path", LIMITS)
def test_a_limit_goes_up_to_its_ceiling_and_no_further(path: str) -> None:
    ceiling = REVIEWED.ceilings[LIMITS[path]]
    kind, budget = LIMITS[path]
    assert after((path, str(ceiling))).limits[kind][budget] == ceiling
    with pytest.raises(InputError, match=r"data/access/data\.json"):
        change(NONE, path, str(ceiling + 1))


@pytest.mark.proves("D6")
def test_a_limit_goes_back_to_the_reviewed_one() -> None:
    lower = after(("limits.agent.steps", "5"), ("limits.agent.tool_calls", "7"))
    back = change(lower, "limits.agent.steps", "default")
    assert (back.old, back.new, back.controls.limits) == (5, "default", {"agent": {"tool_calls": 7}})
    assert change(back.controls, "limits.agent.tool_calls", "default").controls.limits == {}


@given(st.lists(st.sampled_from([(EVERYTHING, "true"), ("switches.agents", "+intake"), ("limits.user.steps", "9")])))
def test_every_change_is_the_next_version_and_survives_its_json(changes: list[tuple[str, str]]) -> None:
    controls = after(*changes)
    assert controls.version == len(changes)
    assert Controls.model_validate_json(json.dumps(controls.model_dump(mode="json")), strict=True) == controls


def test_no_more_entries_are_kept_than_a_list_holds() -> None:
    many = ",".join(f"offline/model-{number}" for number in range(101))
    with pytest.raises(InputError, match="at most 100"):
        change(NONE, "switches.models", many)


@pytest.mark.proves("D6")
@pytest.mark.parametrize("value", ["millbrook", "+millbrook", "harborline,millbrook", "Harborline", "*"])
def test_nobody_switches_another_tenant_off(value: str) -> None:
    with pytest.raises(InputError, match="is not your tenant 'harborline'; live controls are each tenant's own"):
        change(NONE, "switches.tenants", value)
    assert after(("switches.tenants", "+harborline")).switches.tenants == ("harborline",)


@pytest.mark.proves("D6")
@pytest.mark.parametrize("name", ["offline", "offline/extractive", "anthropic/claude-x", "langchain/gateway/name:1"])
def test_a_model_is_named_with_its_provider_or_all_of_a_provider_by_its_name(name: str) -> None:
    assert after(("switches.models", name)).switches.models == (name,)


@pytest.mark.parametrize("name", ["extractive", "Offline", "offlin/extractive", "offline/", "/extractive", "offline x"])
def test_a_model_of_no_known_provider_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match="anthropic, langchain, offline"):
        change(NONE, "switches.models", name)
