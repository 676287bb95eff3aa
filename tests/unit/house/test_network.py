"""Tests cannot leave this machine; loopback works."""

import socket

import pytest

from tests.conftest import NetworkClosedError, is_on_this_machine


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80), ("203.0.113.7", 443)])
def test_a_connection_beyond_loopback_is_refused(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        with pytest.raises(NetworkClosedError, match="loopback only"):
            probe.connect(address)
        with pytest.raises(NetworkClosedError, match="loopback only"):
            probe.connect_ex(address)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(NetworkClosedError, match=r"model\.example"):
        socket.create_connection(("model.example", 443), timeout=1)


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5):
        accepted, _ = server.accept()
        accepted.close()


@pytest.mark.parametrize("host", ["127.0.0.1.example", "127.0.0.1@192.0.2.1", "localhost.example", "0.0.0.0", "::"])
def test_a_look_alike_of_loopback_is_not_this_machine(host: str) -> None:
    assert not is_on_this_machine(host)
