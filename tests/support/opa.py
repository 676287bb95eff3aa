"""A real OPA server over `deploy/opa`, as its README starts it, with a bundle that was built here.

On a person's machine tests that need it skip where there is no binary; in CI they fail.
"""

import hashlib
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from casewright.access.bundle import read_bundle
from casewright.access.opa_settings import OpaSettings
from casewright.access.signed_bundle import new_key, signed_bundle
from tests.support.installation import CHECKOUT, POLICIES

DEPLOYED = CHECKOUT / "deploy" / "opa"
KEYID = "casewright"
BUNDLE = "casewright-policies.tar.gz"
GENEROUS_SECONDS = 1.5
"""A budget for tests that compare answers; the machine may be busy. Tests of the budget set their own."""
_START_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class OpaFiles:
    """What one server is started from."""

    bundle: Path
    public_key: Path
    token_file: Path
    revision: str
    bundles_url: str = ""
    """A web server with the bundle; empty: OPA reads the file."""
    certificate: Path | None = None
    """With its key beside it, ending in `.key`: OPA serves https."""


@dataclass(frozen=True, kw_only=True)
class OpaServer:
    """A running server."""

    settings: OpaSettings
    files: OpaFiles
    process: subprocess.Popen[bytes]
    log: Path

    def settings_with(self, **changes: Any) -> OpaSettings:
        """The settings of a client, with some of them changed."""
        return replace(self.settings, **changes)

    def environment(self) -> dict[str, str]:
        """The variables with which a process of ours asks this server."""
        return {
            "CASEWRIGHT_ENGINE": "opa",
            "CASEWRIGHT_OPA_URL": self.settings.url,
            "CASEWRIGHT_OPA_TOKEN_FILE": str(self.files.token_file),
            "CASEWRIGHT_OPA_BUDGET_MS": str(round(GENEROUS_SECONDS * 1000)),
        }


@pytest.fixture(scope="session")
def opa_binary() -> Path:
    """The OPA that `scripts/get-opa` brought, or one on PATH."""
    found = shutil.which("opa", path=os.pathsep.join([str(CHECKOUT / ".tools"), os.environ.get("PATH", "")]))
    if found is None:
        reason = "no opa; bring one with scripts/get-opa"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(found)


@pytest.fixture(scope="session")
def opa_server(opa_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpaServer]:
    """One server for the session, with the shipped policies."""
    folder = tmp_path_factory.mktemp("opa")
    with serving(opa_binary, folder, opa_files(folder)) as server:
        yield server


def opa_files(folder: Path, policies: Path = POLICIES) -> OpaFiles:
    """A signed bundle of a policy folder, a fresh key and a fresh token."""
    key_file = folder / f"{secrets.token_hex(4)}.pem"
    key = new_key(key_file, keyid=KEYID)
    bundle = read_bundle(policies)
    files = OpaFiles(
        bundle=folder / BUNDLE,
        public_key=key_file.with_suffix(".pub"),
        token_file=folder / "token",
        revision=bundle.revision,
    )
    files.bundle.write_bytes(signed_bundle(bundle, key))
    files.public_key.write_text(key.public_pem)
    files.token_file.write_text(secrets.token_hex(32) + "\n")
    return files


@contextmanager
def serving(
    binary: Path, folder: Path, files: OpaFiles, *arguments: str, ready: bool = True, port: int = 0
) -> Generator[OpaServer]:
    """OPA with the files of `deploy/opa`, as their README starts it."""
    port = port or free_port()
    settings = OpaSettings(
        host="127.0.0.1",
        port=port,
        tls=files.certificate is not None,
        ca_file=files.certificate,
        token_file=files.token_file,
        budget_seconds=GENEROUS_SECONDS,
    )
    token = files.token_file.read_text().strip()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "CASEWRIGHT_BUNDLES": files.bundles_url,
        "CASEWRIGHT_OPA_TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest(),
    }
    command = [str(binary), *_arguments(files, port), *arguments, str(DEPLOYED / "authz.rego")]
    log = folder / f"opa-{port}-{secrets.token_hex(4)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        server = OpaServer(settings=settings, files=files, process=process, log=log)
        if ready:
            wait_until_ready(server)
        yield server
    finally:
        process.kill()
        process.wait(timeout=10)


def _arguments(files: OpaFiles, port: int) -> list[str]:
    arguments = ["run", "--server", "--skip-version-check", "--log-level", "error", "--addr", f"127.0.0.1:{port}"]
    arguments += ["--authentication", "token", "--authorization", "basic"]
    arguments += ["--config-file", str(DEPLOYED / "config.yaml"), "--set-file", f"keys.{KEYID}.key={files.public_key}"]
    if not files.bundles_url:
        arguments += ["--set", f"bundles.casewright.resource=file://{files.bundle}"]
    if files.certificate is not None:
        key = files.certificate.with_suffix(".key")
        arguments += ["--tls-cert-file", str(files.certificate), "--tls-private-key-file", str(key)]
    return arguments


def wait_until_ready(server: OpaServer) -> None:
    """Wait until the bundle is active; OPA says so without a token."""
    until = time.monotonic() + _START_SECONDS
    while not is_ready(server):
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < until, server.log.read_text()
        try:
            server.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue


def is_ready(server: OpaServer) -> bool:
    """Whether the bundle is active now."""
    settings = server.settings
    context = ssl.create_default_context(cafile=settings.ca_file) if settings.tls else None
    try:
        with urllib.request.urlopen(f"{settings.url}/health?bundles", timeout=2, context=context) as answer:
            return answer.status == 200
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
