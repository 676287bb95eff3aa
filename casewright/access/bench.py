"""How long one decision takes, on each engine that is at hand, with the same inputs.

Called by `casewright bench guard`. An OPA server is started for the measurement, with the bundle
and the files of `deploy/opa`, on a free port of this machine; where there is no binary, the result
says why. It is deliberately *not* a load test: one caller, one decision after another.
"""

import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from casewright.access.binaries import Absent, Binary, find
from casewright.access.bundle import read_bundle
from casewright.access.decide import RULE
from casewright.access.embedded import EmbeddedEngine
from casewright.access.engine import EngineName, PolicyEngine
from casewright.access.opa import OpaEngine
from casewright.access.opa_settings import OpaSettings
from casewright.access.signed_bundle import new_key, signed_bundle
from casewright.config import app_root
from casewright.errors import PolicyError

START_SECONDS = 20.0
_WARM_UPS = 50
_BUDGET_SECONDS = 1.5
"""Generous, so that a busy machine shows in the figures and not as an error."""


@dataclass(frozen=True, kw_only=True)
class DecisionTimes:
    """Milliseconds per decision, as the caller waits for it."""

    engine: EngineName
    decisions: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class EngineBench:
    """What was measured, and why an engine was not."""

    times: tuple[DecisionTimes, ...]
    left_out: Mapping[str, str]


def bench_engines(policies: Path, inputs: Sequence[Mapping[str, object]], *, rounds: int = 1_000) -> EngineBench:
    """Decide `rounds` times on the inputs in turn, on the embedded engine and, where there is one, on OPA.

    Raises:
        PolicyError: the policies cannot be used, or a decision failed.
    """
    embedded = EmbeddedEngine.load(policies)
    times = [measure(embedded, inputs, rounds=rounds)]
    opa = find("opa")
    if isinstance(opa, Absent):
        return EngineBench(times=tuple(times), left_out={"opa": opa.why})
    if not (app_root() / "deploy" / "opa").is_dir():
        return EngineBench(times=tuple(times), left_out={"opa": "deploy/opa is not here; measure in a checkout"})
    with tempfile.TemporaryDirectory() as folder, local_opa(opa, policies, Path(folder)) as engine:
        times.append(measure(engine, inputs, rounds=rounds))
    return EngineBench(times=tuple(times), left_out={})


def measure(engine: PolicyEngine, inputs: Sequence[Mapping[str, object]], *, rounds: int) -> DecisionTimes:
    """Time one engine on the inputs in turn, after a warm-up."""
    taken: list[float] = []
    for index in range(_WARM_UPS + rounds):
        document = inputs[index % len(inputs)]
        started = time.perf_counter()
        engine.evaluate(RULE, document)
        taken.append((time.perf_counter() - started) * 1000)
    taken = sorted(taken[_WARM_UPS:])
    p50, p95, p99 = (round(taken[int(len(taken) * share)], 3) for share in (0.5, 0.95, 0.99))
    return DecisionTimes(engine=engine.name, decisions=rounds, p50_ms=p50, p95_ms=p95, p99_ms=p99)


@contextmanager
def local_opa(opa: Binary, policies: Path, folder: Path) -> Generator[OpaEngine]:
    """An engine over an OPA server of its own, which ends with it; `folder` holds its files.

    Raises:
        PolicyError: the server does not come up; its last words are in the message.
    """
    bundle = read_bundle(policies)
    key = new_key(folder / "key.pem", keyid="casewright")
    (folder / "key.pub").write_text(key.public_pem)
    (folder / "bundle.tar.gz").write_bytes(signed_bundle(bundle, key))
    token = secrets.token_hex(32)
    (folder / "token").write_text(token)
    settings = OpaSettings(
        host="127.0.0.1",
        port=_free_port(),
        tls=False,
        token_file=folder / "token",
        revision=bundle.revision,
        budget_seconds=_BUDGET_SECONDS,
    )
    environment = {"CASEWRIGHT_BUNDLES": "", "CASEWRIGHT_OPA_TOKEN_SHA256": sha256(token.encode()).hexdigest()}
    with (folder / "opa.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- the binary found, with arguments of our own and no shell
            _command(opa, settings, folder), env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    engine = OpaEngine(settings, None)
    try:
        _wait_until_served(engine, process, folder / "opa.log")
        yield engine
    finally:
        engine.close()
        process.kill()
        process.wait(timeout=10)


def _command(opa: Binary, settings: OpaSettings, folder: Path) -> list[str]:
    deployed = app_root() / "deploy" / "opa"
    return [
        *(str(opa.path), "run", "--server", "--skip-version-check", "--log-level", "error"),
        *("--addr", f"{settings.host}:{settings.port}", "--authentication", "token", "--authorization", "basic"),
        *("--config-file", str(deployed / "config.yaml"), "--set-file", f"keys.casewright.key={folder / 'key.pub'}"),
        *("--set", f"bundles.casewright.resource=file://{folder / 'bundle.tar.gz'}", str(deployed / "authz.rego")),
    ]


def _wait_until_served(engine: OpaEngine, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            engine.probe()
            return
        except PolicyError as error:
            if process.poll() is not None or time.monotonic() > until:
                said = log.read_text(encoding="utf-8", errors="replace")[-500:]
                raise PolicyError(f"the OPA server for the measurement does not come up: {said or error}") from error
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
