"""How long an event of a run is under way: from its commit by the worker to the client of the API that follows it.

The API and its worker are the real processes; the time of the commit is in the event, and one clock serves both ends.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2

from casewright.errors import CasewrightError
from commands.bench_process import HOST, free_port, listening, run_command
from commands.bench_timing import percentile

REVIEWER = "rosa"
CASE = "HL-2026-0001"
REVIEWS = 3
SETTLED = ("waiting_approval", "waiting_information", "waiting_answer", "completed", "incomplete", "failed")
WAIT_SECONDS = 60


async def event_latencies(home: Path) -> dict[str, Any]:
    """Milliseconds from an event's time, taken in the transaction that writes it, to its arrival.

    Raises:
        CasewrightError: a review did not settle in time, so that nothing could be measured.
    """
    token = (await run_command("--home", str(home), "token", "orchestrator", "--as", REVIEWER)).strip()
    port = free_port()
    command = (sys.executable, "-m", "casewright.launch", "--home", str(home), "api", "--port", str(port))
    headers = {"authorization": f"Bearer {token}"}
    async with (
        listening(port, *command),
        httpx2.AsyncClient(base_url=f"http://{HOST}:{port}", headers=headers, timeout=WAIT_SECONDS) as http,
    ):
        await _follow(http)  # warms the worker up
        took = [milliseconds for _ in range(REVIEWS) for milliseconds in await _follow(http)]
    return {"events": len(took), "p50": round(percentile(took, 50), 1), "p95": round(percentile(took, 95), 1)}


async def _follow(http: httpx2.AsyncClient) -> Sequence[float]:
    """Start a review and time its events until it waits or ends."""
    asked = await http.post("/v1/reviews", json={"case_id": CASE, "fresh": True})
    asked.raise_for_status()
    run_id = asked.json()["run_id"]
    took: list[float] = []
    until = time.monotonic() + WAIT_SECONDS
    async with http.stream("GET", f"/v1/runs/{run_id}/events", headers={"accept": "text/event-stream"}) as stream:
        async for line in stream.aiter_lines():
            if time.monotonic() > until:
                break
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if "at_ns" not in event:
                continue
            took.append((time.time_ns() - event["at_ns"]) / 1_000_000)
            if event["kind"] == "status" and event["body"]["status"] in SETTLED:
                return took[1:]  # the first was there before the stream
    raise CasewrightError(f"the review of {CASE!r} did not settle within {WAIT_SECONDS} seconds")
