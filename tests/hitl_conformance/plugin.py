"""The pytest plugin: a test that takes `hitl_probe` runs once for every probe.

pytest_plugins = ["hitl_conformance.plugin"]

def test_our_gate(hitl_probe):
hitl_probe(open_subject)
"""

import asyncio
from collections.abc import Callable

import pytest

from .probes import PROBES, Probe, ProbeFailedError
from .subject import Factory, Refused

SECONDS = 50.0
"""A probe that takes longer hangs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each probe."""
    if "hitl_probe" in metafunc.fixturenames:
        metafunc.parametrize("hitl_probe", PROBES, indirect=True, ids=[probe.__name__ for probe in PROBES])


@pytest.fixture
def hitl_probe(request: pytest.FixtureRequest) -> Callable[[Factory], None]:
    """Runs the probe on a subject of its own."""
    probe: Probe = request.param

    def run(open_subject: Factory) -> None:
        asyncio.run(asyncio.wait_for(probed(probe, open_subject), SECONDS))

    return run


async def probed(probe: Probe, open_subject: Factory) -> None:
    """Run one probe on a new subject.

    Raises:
        ProbeFailedError: the gate does not hold; the message says what happened.
    """
    async with open_subject() as subject:
        try:
            await probe(subject)
        except Refused as error:
            raise ProbeFailedError(f"what people may do was refused: {error}") from error
