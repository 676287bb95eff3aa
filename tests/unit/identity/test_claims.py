"""The meaning of claims: what is not named or not known gives nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from casewright.contracts.case import Classification
from casewright.errors import InputError, UnauthenticatedError
from casewright.identity.claims import (
    ClaimsMapping,
    advertised_scopes,
    load_mapping,
    named_case,
    person,
    scopes,
)
from casewright.identity.vocabulary import VocabularyFile
from tests.support.installation import POLICIES

NAMES = VocabularyFile(POLICIES).current()
PLAIN = ClaimsMapping(tenant="tenant", roles=("roles",), clearance="clearance", labels="labels")
NESTED = ClaimsMapping(
    subject="preferred",
    tenant=("https://cases.example/claims", "organisation"),
    tenants={"Harborline Bank": "harborline"},
    roles=(("realm_access", "roles"), ("resource_access", "casewright", "roles")),
    role_names={"cw-reviewer": "reviewer", "cw-boss": "supervisor", "cw-odd": "emperor"},
    clearance="level",
    clearances={"2": Classification.CONFIDENTIAL, "3": Classification.RESTRICTED},
    labels="groups",
    label_names={"fraud": "fraud-ops"},
    scope_names={"cases.read": ("case-facts:read",), "cases.all": ("*", "case-facts:write", "drafting:write")},
    strong_acr=("2fa",),
    case="case",
)
CLAIMS: dict[str, Any] = {
    "sub": "1234",
    "preferred": "rosa",
    "https://cases.example/claims": {"organisation": "Harborline Bank"},
    "realm_access": {"roles": ["cw-reviewer", "offline_access", "cw-odd", "supervisor"]},
    "level": "2",
    "groups": ["fraud", "everybody"],
    "scope": "openid cases.read",
    "amr": ["pwd"],
    "iat": 1_000,
    "auth_time": 900,
}


@pytest.mark.proves("I2")
def test_claims_of_an_issuers_own_shape_are_translated() -> None:
    found = person(CLAIMS, NESTED, NAMES)
    assert (found.id, found.tenant, found.roles, found.labels) == ("rosa", "harborline", ("reviewer",), ("fraud-ops",))
    assert (found.clearance, found.authentication, found.authenticated_at) == ("confidential", "password", 900)
    assert "get_case" in scopes(CLAIMS, NESTED, NAMES, "case-facts")
    assert scopes(CLAIMS, NESTED, NAMES, "drafting") == ()
    assert scopes(CLAIMS | {"scope": "cases.all"}, NESTED, NAMES, "drafting") == (
        "execute_action",
        "save_draft",
        "submit_action",
    )


@pytest.mark.proves("I2", "D1")
def test_a_person_with_a_name_and_a_tenant_only_has_nothing_else() -> None:
    found = person({"sub": "rosa", "tenant": "harborline"}, PLAIN, NAMES)
    assert (found.roles, found.clearance, found.labels) == ((), Classification.PUBLIC, ())
    assert (found.authentication, found.authenticated_at) == ("password", 0)
    assert scopes({}, PLAIN, NAMES, "case-facts") == ()


@pytest.mark.proves("I2", "D1")
@pytest.mark.parametrize(
    ("claims", "clearance"),
    [
        ({"clearance": "cosmic"}, "public"),
        ({"clearance": "RESTRICTED"}, "public"),
        ({"clearance": ["restricted", "internal"]}, "internal"),
        ({"clearance": ["restricted", "cosmic"]}, "public"),
        ({"clearance": {"restricted": True}}, "public"),
        ({"clearance": 3}, "public"),
        ({"clearance": "restricted"}, "restricted"),
    ],
)
def test_a_clearance_is_the_lowest_that_is_meant(claims: dict[str, Any], clearance: str) -> None:
    assert person({"sub": "rosa", "tenant": "harborline", **claims}, PLAIN, NAMES).clearance == clearance


@pytest.mark.proves("I2")
@pytest.mark.parametrize(
    ("claims", "strength"),
    [
        ({}, "password"),
        ({"acr": "2fa"}, "mfa"),
        ({"acr": ["2fa"]}, "password"),
        ({"amr": ["otp", "mfa"]}, "mfa"),
        ({"amr": "mfa"}, "password"),
        ({"amr": [["mfa"]]}, "password"),
        ({"client_id": "1234"}, "service"),
        ({"azp": "1234", "acr": "2fa"}, "service"),
        ({"client_id": "console", "azp": "1234"}, "password"),
    ],
)
def test_strength_is_what_the_issuer_says_and_else_the_weakest(claims: dict[str, Any], strength: str) -> None:
    assert person({**CLAIMS, "amr": [], **claims}, NESTED, NAMES).authentication == strength


@pytest.mark.proves("I2")
@pytest.mark.parametrize("said", [1_001, -1, "900", 900.0, True, None])
def test_a_time_of_authentication_that_cannot_be_is_the_oldest(said: Any) -> None:
    assert person({**CLAIMS, "auth_time": said}, NESTED, NAMES).authenticated_at == 0


def test_a_case_is_taken_from_the_claim_that_is_named_and_only_if_it_is_one() -> None:
    assert named_case({"case": "HL-2026-0001"}, NESTED) == "HL-2026-0001"
    assert named_case({"case": "HL-2026-0001"}, PLAIN) == ""
    for odd in ("", "*", "../x", "HL 1", ["HL-2026-0001"], 7, "x" * 101):
        with pytest.raises(UnauthenticatedError):
            named_case({"case": odd}, NESTED)


def test_clients_are_told_to_ask_for_what_the_issuer_calls_it() -> None:
    assert advertised_scopes(PLAIN, NAMES, "drafting") == ("drafting:read", "drafting:write")
    assert advertised_scopes(NESTED, NAMES, "drafting") == ("cases.all",)


WORDS = st.sampled_from(["supervisor", "cw-boss", "Harborline Bank", "3", "*", "mfa"])
NESTED_NAMES = st.sampled_from(["roles", "organisation", "a"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abz* ", max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NESTED_NAMES, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.proves("I2", "D1")
@given(st.dictionaries(st.sampled_from([*CLAIMS, "acr", "client_id", "azp", "case"]), JSON))
def test_no_claims_whatever_give_an_unknown_role_any_tool_or_another_tenant(claims: dict[str, Any]) -> None:
    given_scopes = scopes(claims, NESTED, NAMES, "case-facts")
    assert set(given_scopes) <= set(NAMES.tools_of("case-facts"))
    try:
        found = person(claims, NESTED, NAMES)
    except UnauthenticatedError:
        return
    assert found.tenant == "harborline"
    assert set(found.roles) <= {"reviewer", "supervisor"}
    assert set(found.labels) <= {"fraud-ops"}
    assert found.authentication != "local"


def test_the_examples_of_the_documentation_are_mappings() -> None:
    text = (POLICIES.parent / "docs" / "identity.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [ClaimsMapping.model_validate_json(example).id_claim for example in examples] == ["jti", "uti"]


@pytest.mark.proves("I2")
@pytest.mark.parametrize(
    "audiences",
    [
        {"case-facts": ["x"], "drafting": ["x"]},
        {"case-facts": ["x", "x"]},
        {"case-facts": ["mail"]},
        {"case-facts": ["casewright:drafting"]},
        {"elsewhere": ["x"]},
    ],
)
def test_an_audience_belongs_to_one_server(audiences: dict[str, list[str]]) -> None:
    plain: dict[str, Any] = {"tenant": "t", "roles": ["r"], "other_audiences": ["mail"]}
    assert ClaimsMapping.model_validate_json(json.dumps(plain | {"audiences": {"case-facts": ["x"]}}))
    with pytest.raises(ValidationError):
        ClaimsMapping.model_validate_json(json.dumps(plain | {"audiences": audiences}))


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"tenant": "t"}', '{"tenant": "t", "roles": ["r"], "everybody": "supervisor"}'],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_the_variables_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_text(content)
    with pytest.raises(InputError, match="CASEWRIGHT_OIDC_CLAIMS"):
        load_mapping(path)
    with pytest.raises(InputError, match="CASEWRIGHT_OIDC_CLAIMS"):
        load_mapping(tmp_path / "absent.json")


def test_a_broken_edit_of_the_policy_data_leaves_the_last_good_names(tmp_path: Path) -> None:
    path = tmp_path / "data" / "access" / "data.json"
    path.parent.mkdir(parents=True)
    whole = json.loads((POLICIES / "data" / "access" / "data.json").read_text())
    path.write_text(json.dumps(whole))
    names = VocabularyFile(tmp_path)
    before = names.current()
    path.write_text("{ broken")
    assert names.current() == before
    whole["roles"] = {}
    path.write_text(json.dumps(whole))
    assert names.current().roles == frozenset()
