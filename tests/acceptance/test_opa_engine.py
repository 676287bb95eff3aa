"""Casewright with an OPA server: over TLS, from the command line, and in every guarded call of the servers."""

import asyncio
import datetime as dt
import ipaddress
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mcp_types import CallToolResult

from casewright.access.bundle import read_bundle
from casewright.access.opa import OpaEngine
from casewright.access.opa_settings import opa_settings
from casewright.clock import ManualClock
from casewright.config import Settings
from casewright.errors import InputError, PolicyError
from casewright.services import Services
from servers.build import ServerFactory
from tests.support.installation import (
    CHECKOUT,
    NOW_NS,
    POLICIES,
    Bearer,
    World,
    opened,
    process_environment,
    said,
    structured,
)
from tests.support.opa import OpaServer, free_port, opa_files, serving

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(120)]


@pytest.fixture
async def over_opa(home: Path, opa_server: OpaServer) -> AsyncGenerator[World]:
    """An installation that decides on the OPA server."""
    async with opened(home) as world:
        settings = Settings(home=home, policies=POLICIES, opa=opa_server.settings)
        world.services = Services(settings, clock=ManualClock(NOW_NS))
        world.factory = ServerFactory(world.services)
        yield world


@pytest.mark.proves("D9")
async def test_calls_listings_and_assessments_are_decided_by_the_opa_server(
    over_opa: World, world: World, opa_server: OpaServer
) -> None:
    assert over_opa.services.engine.name == "opa"
    assert over_opa.services.engine.revision == opa_server.files.revision
    for tool in ("get_case", "check_evidence", "assess_case"):
        assert structured(await over_opa.call("case-facts", tool)) == structured(await world.call("case-facts", tool))
    stranger = Bearer(identity="rosa", case_id="ML-2026-0001")
    denied = await over_opa.call("case-facts", "get_case", bearer=stranger)
    assert denied.is_error
    assert said(denied) == said(await world.call("case-facts", "get_case", bearer=stranger))
    for server in ("policy-search", "case-facts", "drafting"):
        async with over_opa.client(server) as asked, world.client(server) as control:
            shown = [tool.name for tool in (await asked.list_tools()).tools]
            assert shown == [tool.name for tool in (await control.list_tools()).tools]
            assert shown


@pytest.mark.proves("D4")
async def test_without_its_opa_server_nothing_is_listed_or_called(home: Path) -> None:
    nobody = opa_settings({"CASEWRIGHT_OPA_URL": f"http://127.0.0.1:{free_port()}"})
    async with opened(home) as world:
        world.services = Services(Settings(home=home, policies=POLICIES, opa=nobody), clock=ManualClock(NOW_NS))
        world.factory = ServerFactory(world.services)
        assert (await world.call("case-facts", "get_case")).is_error
        async with world.client("case-facts") as client:
            assert (await client.list_tools()).tools == []
        await world.services.close()


def command(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "casewright.launch", *arguments],
        env=process_environment(home, **environment),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.proves("D7")
def test_policy_build_writes_the_same_bytes_again_and_opa_serves_them(
    opa_binary: Path, home: Path, tmp_path: Path
) -> None:
    key, output = str(tmp_path / "key.pem"), tmp_path / "built.tar.gz"
    asked = ("policy", "build", "--key", key, "--keyid", "casewright", "--output", str(output), "--json")
    first = command(home, *asked, "--new-key")
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    content = output.read_bytes()
    assert report["revision"] == read_bundle(POLICIES).revision
    assert (report["algorithm"], report["bytes"]) == ("ES256", len(content))
    assert Path(key).stat().st_mode & 0o077 == 0
    again = command(home, *asked)
    assert again.returncode == 0, again.stderr
    assert output.read_bytes() == content
    files = replace(opa_files(tmp_path), bundle=output, public_key=Path(report["public_key"]))
    with serving(opa_binary, tmp_path, files) as server:
        engine = OpaEngine.load(server.settings_with(revision=report["revision"]), POLICIES)
        assert engine.probe()
        engine.close()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--key", "absent.pem", "--keyid", "k"), "absent.pem"),
        (("--key", "signing-key.pem", "--keyid", "k"), "P-256"),
        (("--key", "signing-key.pem", "--keyid", "k", "--new-key"), "signing-key.pem"),
        (("--key", "new.pem", "--keyid", " ", "--new-key"), "key id"),
        (("--key", "new.pem", "--keyid", "k", "--new-key", "--output", "no/such/folder/x"), "--output"),
        (("--key", "new.pem", "--keyid", "k", "--new-key", "--policies", "nowhere"), "nowhere"),
    ],
)
def test_policy_build_says_what_is_wrong_with_its_arguments(home: Path, arguments: tuple[str, ...], names: str) -> None:
    """Among them an Ed25519 key, which OPA does not verify."""
    done = command(home, "policy", "build", *arguments)
    assert done.returncode == 2, done.stderr
    assert names in done.stderr
    assert not list(home.glob("*.tar.gz"))


@pytest.mark.proves("D9")
def test_doctor_says_which_engine_decides_and_whether_it_answers(home: Path, opa_server: OpaServer) -> None:
    rows = doctor(home, **opa_server.environment())
    assert rows["engine"]["ok"]
    assert rows["engine"]["detail"] == f"OPA at {opa_server.settings.url}, revision {opa_server.files.revision[:12]}"
    assert doctor(home)["engine"]["detail"] == f"embedded, revision {opa_server.files.revision[:12]}"
    gone = opa_server.environment() | {"CASEWRIGHT_OPA_URL": f"http://127.0.0.1:{free_port()}"}
    row = doctor(home, **gone)["engine"]
    assert not row["ok"]
    assert gone["CASEWRIGHT_OPA_URL"] in row["detail"]


@pytest.mark.proves("D7")
async def test_doctor_shows_a_refused_reload_until_the_folder_is_mended(home: Path, own_policies: Path) -> None:
    rule = own_policies / "casewright" / "access" / "allow.rego"
    good = rule.read_text()
    async with opened(home, own_policies) as world:
        assert world.services.engine.probe()
        rule.write_text(good + "\nallow contains {\n")
        assert not (await call_after_reload(world)).is_error, "the good rules stay in force"
        row = doctor(home)["reloads"]
        assert not row["ok"]
        assert "allow.rego" in row["detail"]
        rule.write_text(good)
        assert not (await call_after_reload(world)).is_error
    assert doctor(home)["reloads"]["ok"]


async def call_after_reload(world: World) -> CallToolResult:
    """Calls until one of them has taken note of the changed folder; servers look now and then, not every time."""
    before = len(await world.events(run_id="", tenant=""))
    async with asyncio.timeout(30), world.client("case-facts") as client:
        while True:
            result = await client.call_tool("get_case", {})
            if len(await world.events(run_id="", tenant="")) > before:
                return result


def doctor(home: Path, **environment: str) -> dict[str, dict[str, Any]]:
    done = command(home, "doctor", "--json", **environment)
    document = json.loads(done.stdout)
    assert (done.returncode == 0) is document["ok"]
    return {row["name"]: row for row in document["checks"]}


def certified(folder: Path, name: str) -> Path:
    """A certificate for this machine that signs itself, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.mark.proves("D9")
def test_over_tls_only_a_server_with_a_trusted_certificate_is_believed(opa_binary: Path, tmp_path: Path) -> None:
    files = replace(opa_files(tmp_path), certificate=certified(tmp_path, "opa"))
    with serving(opa_binary, tmp_path, files) as server:
        asked = {
            "trusted": server.settings,
            "unknown authority": server.settings_with(ca_file=None),
            "another authority": server.settings_with(ca_file=certified(tmp_path, "other")),
            "another name": server.settings_with(host="localhost"),
            "no TLS": server.settings_with(tls=False),
        }
        for name, settings in asked.items():
            engine = OpaEngine.load(settings, POLICIES)
            if name == "trusted":
                assert engine.probe().startswith("OPA at https://127.0.0.1:")
            else:
                with pytest.raises(PolicyError, match="no usable answer"):
                    engine.probe()
            engine.close()


def test_an_authority_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    settings = opa_settings(
        {"CASEWRIGHT_OPA_URL": "https://127.0.0.1:1", "CASEWRIGHT_OPA_CA_FILE": str(tmp_path / "ca.pem")}
    )
    with pytest.raises(InputError, match="CASEWRIGHT_OPA_CA_FILE"):
        OpaEngine.load(settings, POLICIES)


def test_the_readme_of_the_deployment_names_what_is_there() -> None:
    readme = (CHECKOUT / "deploy" / "opa" / "README.md").read_text()
    for name in ("config.yaml", "authz.rego", "scripts/get-opa", "CASEWRIGHT_OPA_TOKEN_FILE", "CASEWRIGHT_OPA_CA_FILE"):
        assert name in readme
