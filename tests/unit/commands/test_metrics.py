"""What a scraper reads: the policies in force, and what became of every change to them."""

import shutil
import urllib.request
from pathlib import Path

import pytest

from casewright.config import Settings, app_root
from casewright.errors import InputError
from casewright.services import Services
from commands.metrics import ADDRESS, serve_metrics


@pytest.fixture
def services(tmp_path: Path) -> Services:
    policies = tmp_path / "policies"
    shutil.copytree(app_root() / "policies", policies)
    return Services(Settings(home=tmp_path / "home", policies=policies))


def scraped(port: int) -> dict[str, str]:
    """Every sample of one scrape over HTTP: its name with labels, and its value."""
    with urllib.request.urlopen(f"http://{ADDRESS}:{port}/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines if not line.startswith("#")}


def reloads(port: int) -> tuple[str, str, str]:
    found = scraped(port)
    names = ('casewright_policy_reloads_total{outcome="loaded"}', 'casewright_policy_reloads_total{outcome="refused"}')
    return found[names[0]], found[names[1]], found["casewright_policy_last_reload_refused"]


@pytest.mark.proves("D7")
def test_a_scraper_sees_the_revision_and_what_became_of_every_edit(services: Services) -> None:
    port = serve_metrics(services, 0)
    assert reloads(port) == ("0.0", "0.0", "0.0")
    edited = services.settings.policies / "casewright" / "access" / "limits.rego"
    good = edited.read_text(encoding="utf-8")
    edited.write_text(good + "\nthis is no Rego\n", encoding="utf-8")
    services.engine.reload_if_changed()
    assert reloads(port) == ("0.0", "1.0", "1.0")
    edited.write_text(good + "\n# a remark\n", encoding="utf-8")
    services.engine.reload_if_changed()
    assert reloads(port) == ("1.0", "1.0", "0.0")
    info = f'casewright_policy_info{{engine="embedded",revision="{services.engine.revision}"}}'
    assert scraped(port)[info] == "1.0"


def test_a_port_that_is_taken_is_named(services: Services) -> None:
    port = serve_metrics(services, 0)
    with pytest.raises(InputError, match=rf"--metrics-port {port} cannot be listened on"):
        serve_metrics(services, port)
