"""Where the OPA server is: every wrong variable is named, and nothing crosses a network in clear."""

from pathlib import Path

import pytest

from casewright.access.opa_settings import opa_settings
from casewright.config import Settings, app_root
from casewright.errors import InputError

URL = "http://127.0.0.1:8181"


def load(environment: dict[str, str]) -> Settings:
    return Settings.load(home=None, environment=environment, app_root=app_root())


def test_the_embedded_engine_is_the_default_and_opa_variables_do_not_matter_to_it() -> None:
    assert load({}).opa is None
    assert load({"CASEWRIGHT_ENGINE": "embedded", "CASEWRIGHT_OPA_URL": "nonsense"}).opa is None


def test_every_setting_of_an_opa_server_is_taken(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "ca.pem").write_text("certificate")
    found = load(
        {
            "CASEWRIGHT_ENGINE": "opa",
            "CASEWRIGHT_OPA_URL": "https://opa.example.org:8443/",
            "CASEWRIGHT_OPA_TOKEN_FILE": str(tmp_path / "token"),
            "CASEWRIGHT_OPA_CA_FILE": str(tmp_path / "ca.pem"),
            "CASEWRIGHT_OPA_REVISION": "a" * 64,
            "CASEWRIGHT_OPA_BUDGET_MS": "250",
        }
    ).opa
    assert found is not None
    assert (found.url, found.tls, found.revision) == ("https://opa.example.org:8443", True, "a" * 64)
    assert (found.token_file, found.ca_file) == (tmp_path / "token", tmp_path / "ca.pem")
    assert found.budget_seconds == 0.25
    assert opa_settings({"CASEWRIGHT_OPA_URL": "https://opa.example.org"}).port == 443
    assert opa_settings({"CASEWRIGHT_OPA_URL": "http://[::1]:8181"}).url == "http://[::1]:8181"
    assert opa_settings({"CASEWRIGHT_OPA_URL": URL}).budget_seconds == 0.3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8181",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:8181/v1/data",
        "http://127.0.0.1:8181/?pretty",
        "http://user:password@127.0.0.1:8181",
        "http://opa.example.org:8181",
        "http://10.0.0.7:8181",
        "http://127.0.0.1.example.org:8181",
    ],
)
def test_an_address_that_is_odd_or_sends_cases_in_clear_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="CASEWRIGHT_OPA_URL"):
        load({"CASEWRIGHT_ENGINE": "opa", "CASEWRIGHT_OPA_URL": url})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASEWRIGHT_ENGINE", "OPA"),
        ("CASEWRIGHT_ENGINE", ""),
        ("CASEWRIGHT_OPA_TOKEN_FILE", "no/such/file"),
        ("CASEWRIGHT_OPA_CA_FILE", "no/such/file"),
        ("CASEWRIGHT_OPA_REVISION", "latest"),
        ("CASEWRIGHT_OPA_REVISION", "A" * 64),
        ("CASEWRIGHT_OPA_BUDGET_MS", "0.3"),
        ("CASEWRIGHT_OPA_BUDGET_MS", "0"),
        ("CASEWRIGHT_OPA_BUDGET_MS", "²00"),
        ("CASEWRIGHT_OPA_BUDGET_MS", "60000"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(InputError, match=name):
        load({"CASEWRIGHT_ENGINE": "opa", "CASEWRIGHT_OPA_URL": URL, name: value})
