"""A real process: a review is watched over Streamable HTTP in both eras, and a change in the database is told of."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import EmptyResult, ResourceUpdatedNotification, SubscribeRequest, SubscribeRequestParams

from casewright.config import Settings
from tests.acceptance.test_mcp_http import SECONDS, Service, started
from tests.support.installation import MODES, POLICIES, Mode, structured

pytestmark = pytest.mark.thorough


def touch(home: Path, run_id: str) -> None:
    """Another process writes the run's row, as a worker does with every step."""
    with sqlite3.connect(Settings(home=home, policies=POLICIES).database, timeout=SECONDS) as connection:
        changed = connection.execute("UPDATE runs SET updated_ns = updated_ns + 1 WHERE run_id = ?", (run_id,))
        assert changed.rowcount == 1


async def watched(service: Service, token: str, mode: Mode) -> str:
    """Subscribe to a new review, change it, and give the URI that the client was told of."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def told(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await heard.put(str(message.params.uri))

    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS, trust_env=False) as http:
        transport = streamable_http_client(service.url("review"), http_client=http)
        async with Client(transport, mode=mode, read_timeout_seconds=SECONDS, message_handler=told) as client:
            run_id = structured(await client.call_tool("start_review", {}))["run_id"]
            uri = f"run://{run_id}"
            if mode == "legacy":
                request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
                await client.session.send_request(request, EmptyResult)
                touch(service.home, run_id)
                assert await asyncio.wait_for(heard.get(), SECONDS) == uri
            else:
                async with client.listen(resource_subscriptions=[uri]) as stream:
                    touch(service.home, run_id)
                    event = await asyncio.wait_for(anext(aiter(stream)), SECONDS)
                    assert getattr(event, "uri", "") == uri
            assert run_id in (await client.read_resource(uri)).model_dump_json()
    return uri


@pytest.mark.proves("I1", "I3")
async def test_a_change_of_a_review_is_told_of_over_http_in_both_eras(home: Path) -> None:
    service = started(home)
    try:
        token = service.token("review")
        for mode in MODES:
            await watched(service, token, mode)
    finally:
        service.process.terminate()
        service.process.communicate(timeout=SECONDS)
