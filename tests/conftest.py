"""What every test has: the network closed except loopback, and the shared corpora where they are at hand.

The guard works inside this process; it does not reach into native libraries or into processes a test starts.
"""

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.support.installation",
    "tests.support.opa",
    "tests.support.fault_report",
    "tests.hitl_conformance.plugin",
]

CHECKOUT = Path(__file__).resolve().parent.parent
THOROUGH = (
    "chaos/test_review_crash.py",
    "security/test_access_matrix.py",
    "security/test_injection.py",
    "security/test_approval_attacks.py",
    "security/test_approval_races.py",
    "security/test_approving_attacks.py",
    "unit/api/test_decisions.py",
    "unit/commands/test_corpus_upkeep.py",
    "integration/graphs/test_sample_reviews.py",
    "integration/graphs/test_information.py",
    "integration/graphs/test_budgets.py",
    "integration/graphs/test_races.py",
    "integration/corpus/test_bench.py",
    "acceptance/test_bad_input.py",
    "acceptance/test_commands.py",
    "acceptance/test_mcp_http.py",
    "acceptance/test_packaging.py",
    "acceptance/test_real_corpora.py",
    "acceptance/test_startup.py",
)
"""Suites that start many processes or run many whole reviews: `make check` and CI run them, `make test` does not."""


MADE_ONCE = {"installation", "opa_server"}
"""What is made once for a session counts into the time of whichever test asks first, and so does what it imports."""
WITH_WHAT_IS_MADE_ONCE_SECONDS = 240


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the thorough suites, so that `-m "not thorough"` leaves a run of a few minutes; give time for set-up."""
    thorough = {CHECKOUT / "tests" / name for name in THOROUGH}
    for item in items:
        if item.path in thorough:
            item.add_marker(pytest.mark.thorough)
        asked = set(item.fixturenames) if isinstance(item, pytest.Function) else set[str]()
        if asked & MADE_ONCE and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(WITH_WHAT_IS_MADE_ONCE_SECONDS))


# No deadline for one example, and no complaint that examples are made slowly: either says how busy the machine is; the
# limit of each test bounds them all.
settings.register_profile("people", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "people")  # CI: the same examples on every run


class NetworkClosedError(AssertionError):
    """A test tried to leave this machine; give it a scripted double or a server on loopback instead."""


def is_on_this_machine(host: object) -> bool:
    """Whether an address or name can only mean this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_beyond_loopback(address: object) -> None:
    if isinstance(address, tuple) and not is_on_this_machine(address[0]):  # pyright: ignore[reportUnknownArgumentType]
        raise NetworkClosedError(f"connection to {address!r}: tests reach loopback only")


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """Refuse connections and name look-ups that leave this machine, for the whole session."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        _refuse_beyond_loopback(address)
        connect(self, address)  # pyright: ignore[reportArgumentType]

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        _refuse_beyond_loopback(address)
        return connect_ex(self, address)  # pyright: ignore[reportArgumentType]

    def guarded_getaddrinfo(host: object, *rest: object, **options: object) -> object:
        if not is_on_this_machine(host):
            raise NetworkClosedError(f"look-up of {host!r}: tests reach loopback only")
        return getaddrinfo(host, *rest, **options)  # pyright: ignore[reportArgumentType]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared corpora and benchmarks: `CASEWRIGHT_SHARED`, else `shared` beside the checkout."""
    folder = Path(os.environ.get("CASEWRIGHT_SHARED", CHECKOUT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared corpora at {str(folder)!r}; name the folder with CASEWRIGHT_SHARED")
    return folder
