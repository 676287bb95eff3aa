"""The approval page before the real review server: read from the ledger, decided on by the client's own user."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from servers.approval_page.page import URI
from tests.support.asking import APPROVE, User, client_of
from tests.support.browser import Shown, rendered
from tests.support.drafting import DRAFTING_BEARER, action_of, saved
from tests.support.installation import Bearer, World, structured

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(150)]
SELMA = Bearer(identity="selma", case_id="")


@asynccontextmanager
async def page_of(client: Client, approval_id: str, folder: Path) -> AsyncGenerator[Shown]:
    """The page that the server itself gives, with its own answer, in a host that passes calls on."""

    async def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = await client.call_tool(name, arguments)
        return {"result": answer.model_dump(mode="json", by_alias=True, exclude_none=True)}

    (content, *_) = (await client.read_resource(URI)).contents
    first = (await call("get_approval", {"approval_id": approval_id}))["result"]
    async with rendered(getattr(content, "text", ""), first, folder, call=call) as shown:
        await shown.until("!document.getElementById('approval').hidden")
        yield shown


async def requested(world: World) -> str:
    """An approval that rosa asked for."""
    arguments = action_of(await saved(world))
    asked = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    return str(asked["approval"]["approval_id"])


async def click(shown: Shown, button: str) -> None:
    await shown.until(f"!document.getElementById('{button}').disabled")
    await shown.look(f"document.getElementById('{button}').click()")


@pytest.mark.proves("C3")
async def test_the_page_shows_the_ledgers_call_and_the_vote_is_the_users_own(world: World, tmp_path: Path) -> None:
    approval_id = await requested(world)
    user = User(APPROVE)
    async with (
        client_of(world, "review", SELMA, user) as client,
        page_of(client, approval_id, tmp_path / "browser") as shown,
    ):
        kept = await world.services.approvals.get("harborline", approval_id)
        text = await shown.text()
        for name, value in kept.call.arguments.items():
            assert name in text
            assert str(value) in text
        assert kept.digest in text
        assert "and it fits" in text
        assert user.shown == []
        await click(shown, "decide")
        await shown.until("document.getElementById('votes').textContent.includes('selma approves: seen')")
        assert len(user.shown) == 1, "the client asked its user; the page answered for nobody"
        assert "It is approved." in await shown.text()
        assert shown.requests == []
    voted = await world.services.approvals.get("harborline", approval_id)
    assert [(vote.voter, vote.approve) for vote in voted.votes] == [("selma", True)]


async def test_who_declines_in_the_client_leaves_the_page_as_it_was(world: World, tmp_path: Path) -> None:
    approval_id = await requested(world)
    async with (
        client_of(world, "review", SELMA, User(None)) as client,
        page_of(client, approval_id, tmp_path / "browser") as shown,
    ):
        await click(shown, "decide")
        await shown.until("document.getElementById('note').textContent.includes('nothing is recorded')")
        assert "nobody voted yet" in await shown.text()
        await click(shown, "why")
        await shown.until("!document.getElementById('state').textContent.includes('It waits')")
        assert "not available" in await shown.text(), "this server knows no reviews, and says so as text"
    assert (await world.services.approvals.get("harborline", approval_id)).votes == ()
