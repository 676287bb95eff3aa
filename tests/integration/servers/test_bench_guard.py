"""`casewright bench guard` end to end: every transport, every part, and figures that hang together."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import CHECKOUT, process_environment

PARTS = {"token", "standing", "input", "decision", "audit"}


def check_transport(figures: dict[str, Any]) -> None:
    bare, guarded = figures["bare"], figures["guarded"]
    for timings in (bare, guarded):
        assert 0 < timings["p50_ms"] <= timings["p95_ms"] <= timings["p99_ms"]
        assert set(timings["calls_per_second"]) == {"1", "16"}
    assert guarded["p50_ms"] > bare["p50_ms"]
    assert figures["ratio_p50"] == pytest.approx(guarded["p50_ms"] / bare["p50_ms"], rel=0.05)
    assert 0 < figures["throughput_share"]["16"] < 1.5


@pytest.mark.thorough
@pytest.mark.timeout(400)
@pytest.mark.proves("D2")
async def test_the_guard_is_measured_beside_a_bare_server_on_every_transport(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "casewright.launch", "bench", "guard", "--calls", "50", "--json"),
        env=process_environment(tmp_path),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 390)
    assert process.returncode == 0, errors.decode()[-2_000:]
    document = json.loads(out)
    assert document["machine"]["cores"] >= 1
    assert "embedded" in document["engines"]
    assert set(document["engines"]) | set(document["not_measured"]) == {"embedded", "opa"}
    for engine in document["engines"].values():
        for transport in ("memory", "stdio", "http"):
            check_transport(engine[transport])
        assert set(engine["parts"]) == PARTS
        assert all(took["p50_ms"] > 0 for part, took in engine["parts"].items() if part != "audit")
