"""Identity settings: half a configuration is refused by name, and never read as something weaker."""

from pathlib import Path

import pytest

from casewright.config import Settings
from casewright.errors import InputError
from casewright.identity.settings import ALGORITHMS, identity_settings

WHOLE = {
    "CASEWRIGHT_IDENTITY": "oidc",
    "CASEWRIGHT_OIDC_ISSUER": "https://id.example/realm",
    "CASEWRIGHT_OIDC_CLAIMS": "claims.json",
}


def test_without_settings_the_local_identities_stand() -> None:
    found = identity_settings({})
    assert (found.mode, found.issuer, found.resource("case-facts")) == ("local", None, "")


def test_a_whole_configuration_is_read() -> None:
    more = {"CASEWRIGHT_PUBLIC_URL": "https://cases.example/", "CASEWRIGHT_OIDC_TOKEN_TYPE": "any"}
    more |= {"CASEWRIGHT_OIDC_ALGORITHMS": "ES256, EdDSA", "CASEWRIGHT_OIDC_SKEW_SECONDS": "0"}
    found = identity_settings(WHOLE | more)
    assert found.mode == "oidc"
    assert found.issuer is not None
    assert (found.issuer.algorithms, found.issuer.skew_seconds, found.issuer.typed) == (("ES256", "EdDSA"), 0, False)
    assert found.resource("drafting") == "https://cases.example/drafting/mcp"


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "another mode": ({"CASEWRIGHT_IDENTITY": "none"}, "CASEWRIGHT_IDENTITY"),
    "an empty mode": ({"CASEWRIGHT_IDENTITY": ""}, "CASEWRIGHT_IDENTITY"),
    "no issuer": ({"CASEWRIGHT_OIDC_ISSUER": ""}, "CASEWRIGHT_OIDC_ISSUER"),
    "no claims": ({"CASEWRIGHT_OIDC_CLAIMS": ""}, "CASEWRIGHT_OIDC_CLAIMS"),
    "an issuer while local": ({"CASEWRIGHT_IDENTITY": "local"}, "CASEWRIGHT_OIDC_"),
    "plain http": ({"CASEWRIGHT_OIDC_ISSUER": "http://id.example"}, "CASEWRIGHT_OIDC_ISSUER"),
    "plain http to a name like loopback": (
        {"CASEWRIGHT_OIDC_ISSUER": "http://127.0.0.1.evil.example"},
        "CASEWRIGHT_OIDC_ISSUER",
    ),
    "a file as issuer": ({"CASEWRIGHT_OIDC_ISSUER": "file:///etc/passwd"}, "CASEWRIGHT_OIDC_ISSUER"),
    "an issuer with a user": ({"CASEWRIGHT_OIDC_ISSUER": "https://a:b@id.example"}, "CASEWRIGHT_OIDC_ISSUER"),
    "an issuer with a query": ({"CASEWRIGHT_OIDC_ISSUER": "https://id.example/?a=b"}, "CASEWRIGHT_OIDC_ISSUER"),
    "an issuer with a fragment": ({"CASEWRIGHT_OIDC_ISSUER": "https://id.example/#a"}, "CASEWRIGHT_OIDC_ISSUER"),
    "an issuer without a host": ({"CASEWRIGHT_OIDC_ISSUER": "https://"}, "CASEWRIGHT_OIDC_ISSUER"),
    "an issuer with a space": ({"CASEWRIGHT_OIDC_ISSUER": "https://id.example/ a"}, "CASEWRIGHT_OIDC_ISSUER"),
    "a port that is none": ({"CASEWRIGHT_OIDC_ISSUER": "https://id.example:x"}, "CASEWRIGHT_OIDC_ISSUER"),
    "keys over plain http": ({"CASEWRIGHT_OIDC_JWKS": "http://id.example/keys"}, "CASEWRIGHT_OIDC_JWKS"),
    "a shared secret": ({"CASEWRIGHT_OIDC_ALGORITHMS": "RS256,HS256"}, "CASEWRIGHT_OIDC_ALGORITHMS"),
    "no signature": ({"CASEWRIGHT_OIDC_ALGORITHMS": "none"}, "CASEWRIGHT_OIDC_ALGORITHMS"),
    "no algorithm": ({"CASEWRIGHT_OIDC_ALGORITHMS": " , "}, "CASEWRIGHT_OIDC_ALGORITHMS"),
    "a long skew": ({"CASEWRIGHT_OIDC_SKEW_SECONDS": "301"}, "CASEWRIGHT_OIDC_SKEW_SECONDS"),
    "a skew below zero": ({"CASEWRIGHT_OIDC_SKEW_SECONDS": "-1"}, "CASEWRIGHT_OIDC_SKEW_SECONDS"),
    "a skew in other digits": ({"CASEWRIGHT_OIDC_SKEW_SECONDS": "\u0661"}, "CASEWRIGHT_OIDC_SKEW_SECONDS"),
    "any type at all": ({"CASEWRIGHT_OIDC_TOKEN_TYPE": "JWT"}, "CASEWRIGHT_OIDC_TOKEN_TYPE"),
    "a misspelt variable": ({"CASEWRIGHT_OIDC_ALGORITHM": "ES256"}, "CASEWRIGHT_OIDC_ALGORITHM "),
    "a public address over plain http": ({"CASEWRIGHT_PUBLIC_URL": "http://cases.example"}, "CASEWRIGHT_PUBLIC_URL"),
}


@pytest.mark.proves("I2")
@pytest.mark.parametrize("why", REFUSED)
def test_half_a_configuration_is_refused_by_the_name_of_the_variable(why: str, tmp_path: Path) -> None:
    changes, named = REFUSED[why]
    with pytest.raises(InputError, match=named):
        Settings.load(home=str(tmp_path), environment=WHOLE | changes, app_root=tmp_path)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8760/x", "http://localhost:1", "http://[::1]:8760/x"])
def test_plain_http_is_taken_on_loopback(address: str) -> None:
    found = identity_settings(WHOLE | {"CASEWRIGHT_OIDC_ISSUER": address})
    assert found.issuer is not None
    assert found.issuer.issuer == address


def test_no_algorithm_with_a_shared_secret_can_be_allowed() -> None:
    assert not [name for name in ALGORITHMS if name.startswith("HS") or name == "none"]
