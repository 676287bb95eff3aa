"""An evaluation leaves this machine neither in an empty network namespace nor under the socket guard, and says so."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.evaluation import NetworkSeen
from casewright.errors import UnavailableError
from commands.eval_isolated import isolate
from evals.baseline import Baseline
from evals.gates import Gates, Measure, Rule, SuiteGate, judged
from evals.isolation import GUARD, NAMESPACE, has_namespaces, inside, network_seen
from evals.lock import DataLock
from evals.sockets import LOG_VARIABLE, is_here
from tests.evals.report_example import report
from tests.support.installation import CHECKOUT

pytestmark = [pytest.mark.proves("H2"), pytest.mark.timeout(150)]
PROBE = """
import asyncio, json, socket, sys, ctypes, struct
from evals.isolation import network_seen
served = socket.create_server(("127.0.0.1", 0))
socket.create_connection(served.getsockname(), timeout=5).close()
async def streams():
    await asyncio.open_connection("192.0.2.7", 443)
def native():
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(80), bytes([192, 0, 2, 9]))
    if libc.connect(libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0), address, 16) != 0:
        raise OSError("refused")
TRIES = {
    "connect": lambda: socket.socket().connect(("192.0.2.1", 80)),
    "six": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "sendto": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    "look up": lambda: socket.getaddrinfo("example.invalid", 80),
    "asyncio": lambda: asyncio.run(streams()),
    "name": lambda: socket.getnameinfo(("192.0.2.8", 80), 0),
    "native": native,
}
failed = []
for name in sys.argv[1:]:
    try:
        TRIES[name]()
    except OSError:
        failed.append(name)
print(json.dumps({"failed": failed, "seen": network_seen().model_dump()}))
"""
PYTHON_TRIES = ("connect", "six", "sendto", "look up", "asyncio", "name")


def probed(folder: Path, *tries: str) -> dict[str, Any]:
    """What a process found that tried to leave, closed to the network in the way this machine allows."""
    command, environment = inside([sys.executable, "-c", PROBE, *tries], folder / "network.log")
    done = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that gives nobody a network of their own."""
    monkeypatch.setattr("evals.isolation.has_namespaces", lambda: False)


@pytest.mark.thorough
@pytest.mark.skipif(not has_namespaces(), reason="this kernel gives nobody a network namespace")
def test_in_a_namespace_nothing_leaves_and_native_attempts_are_counted_by_the_kernel(tmp_path: Path) -> None:
    found = probed(tmp_path, *PYTHON_TRIES, "native")
    assert found["failed"] == [*PYTHON_TRIES, "native"]
    assert found["seen"]["how"] == NAMESPACE
    assert found["seen"]["attempts"] == len(PYTHON_TRIES) + 1
    assert [line.partition(" by process")[0] for line in found["seen"]["named"]] == [
        "connect '192.0.2.1'",
        "connect '2001:db8::1'",
        "sendto '192.0.2.1'",
        "getaddrinfo 'example.invalid'",
        "connect '192.0.2.7'",
        "getnameinfo '192.0.2.8'",
    ]


@pytest.mark.thorough
def test_under_the_guard_no_python_socket_leaves_and_every_attempt_is_named(
    tmp_path: Path, without_namespaces: None
) -> None:
    found = probed(tmp_path, *PYTHON_TRIES)
    assert found["failed"] == list(PYTHON_TRIES)
    assert found["seen"]["how"] == GUARD
    assert found["seen"]["attempts"] == len(found["seen"]["named"]) == len(PYTHON_TRIES)


@pytest.mark.thorough
def test_loopback_works_inside_and_counts_for_nothing(tmp_path: Path) -> None:
    found = probed(tmp_path)
    assert found["failed"] == []
    assert found["seen"]["attempts"] == 0


def test_a_process_that_should_be_guarded_and_is_not_stops_instead_of_beginning_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LOG_VARIABLE, str(tmp_path / "network.log"))
    with pytest.raises(UnavailableError, match="nothing guards this process"):
        isolate(print)


def test_a_process_that_nobody_closed_says_that_nobody_counted() -> None:
    assert network_seen() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::1%lo", b"localhost", "", None, "0.0.0.0", "::"])
def test_what_can_only_mean_this_machine_is_let_through(host: object) -> None:
    assert is_here(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "::ffff:192.0.2.1", "example.invalid", "localhost.example", "10.0.0.1", 7]
)
def test_anything_else_counts_as_leaving(host: object) -> None:
    assert not is_here(host)


def test_one_attempt_turns_the_gate_red_and_is_named() -> None:
    gates = Gates(suites={"golden": SuiteGate(cases=24, rules=(Rule(metric="passed", at_least=0.5),))})
    measure = Measure(
        gates=gates, lock=DataLock(files={}, suites={}), data_problems={}, baseline=Baseline(selections={})
    )
    quiet = report().model_copy(update={"network": NetworkSeen(how=GUARD, attempts=0)})
    loud = report().model_copy(update={"network": NetworkSeen(how=GUARD, attempts=1, named=("connect '192.0.2.1'",))})
    rule = "no connection leaves this machine"
    assert all(one.rule != rule for one in judged(quiet, measure).failed)
    (found,) = [one for one in judged(loud, measure).failed if one.rule == rule]
    assert "192.0.2.1" in found.happened
    assert not judged(loud, measure).ok


@pytest.mark.thorough
@pytest.mark.timeout(400)
def test_an_evaluation_inside_opens_no_connection_beyond_this_machine(tmp_path: Path) -> None:
    words = ("--home", str(tmp_path), "eval", "run", "dated", "--isolated", "--processes", "1", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *words],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=350,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    folder = Path(json.loads(done.stdout)["folder"])
    known = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert known["network"] == {"how": NAMESPACE if has_namespaces() else GUARD, "attempts": 0, "named": []}
    assert known["suites"][0]["cases"] == known["suites"][0]["planned"] > 0
    assert "0 attempts to leave this machine" in (folder / "report.html").read_text(encoding="utf-8")
