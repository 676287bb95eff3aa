"""The API over a world, in this process, and what a person asks of it over HTTP.

Nothing here is a double: the application is the one that `casewright api` serves, its layers included.
"""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from api.app import create_app
from api.limits import ApiLimits
from api.parts import Parts
from casewright.contracts.event import AuditEvent
from casewright.contracts.question import Option, RunQuestion
from casewright.controls.reviewed import ReviewedData
from tests.support.installation import CASE, World

BASE = "http://127.0.0.1:8760"


def api_token(world: World, identity: str = "rosa", *, seconds: int = 600) -> str:
    """A token as `casewright token orchestrator` makes it."""
    principal = world.services.identities.find(identity)
    return world.services.exchange.orchestrator(principal, "session-test", seconds=seconds).token


@dataclass
class Api:
    """A client of the API, and the world behind it."""

    world: World
    app: FastAPI
    http: AsyncClient

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.parts
        return parts

    async def ask(
        self, method: str, path: str, *, by: str = "rosa", headers: Mapping[str, str] | None = None, **sent: Any
    ) -> Response:
        """One request of a person; `json`, `content` and `params` as the client takes them."""
        said = {"authorization": f"Bearer {api_token(self.world, by)}", **(headers or {})}
        return await self.http.request(method, path, headers=said, **sent)

    async def get(self, path: str, **more: Any) -> Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, document: Any = None, **more: Any) -> Response:
        sent = {} if document is None else {"json": document}
        return await self.ask("POST", path, **sent, **more)

    async def begun(self, case_id: str = CASE, *, by: str = "rosa", fresh: bool = True) -> str:
        """A review that was begun, queued; nobody drives it."""
        answer = await self.post("/v1/reviews", {"case_id": case_id, "fresh": fresh}, by=by)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["run_id"])

    async def asked(self, run_id: str, case_id: str = CASE, *, tenant: str = "harborline") -> str:
        """An open question of a run."""
        question = RunQuestion(
            question_id=f"question-{secrets.token_hex(6)}",
            tenant=tenant,
            run_id=run_id,
            case_id=case_id,
            kind="loop",
            text="Go on once more, or stop?",
            options=(Option(value="continue", text="Go on once more"), Option(value="stop", text="Stop here")),
            detail={"trail": ["policy_researcher", "policy_researcher"]},
            state="open",
            created_ns=0,
            answer="",
            answered_by="",
            answered_ns=0,
        )
        async with self.world.services.database.write() as connection:
            await self.world.services.questions.ask(question, connection=connection)
        return question.question_id

    async def switch_off(self, deed: str) -> None:
        """Withdraw what everybody may do, as a supervisor does on the command line."""
        await self.world.services.controls.set(
            "switches.tools",
            f"+admin/{deed}",
            principal=self.world.services.identities.find("selma"),
            why="for this test",
            reviewed=ReviewedData.read(self.world.policies),
        )

    async def decisions(self, answer: Response, *, tenant: str = "harborline") -> tuple[AuditEvent, ...]:
        """What was decided for one request."""
        found = await self.world.events(run_id=f"api-{answer.headers['x-request-id']}", tenant=tenant)
        return tuple(event for event in found if event.kind in ("call.allowed", "call.denied"))


@asynccontextmanager
async def serving(world: World, limits: ApiLimits | None = None) -> AsyncGenerator[Api]:
    """The API over a world; every test has limits of its own."""
    app = create_app(world.services, limits=limits or ApiLimits(), base_url=BASE)
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=BASE, timeout=30) as http:
        found = Api(world=world, app=app, http=http)
        try:
            yield found
        finally:
            await found.parts.feed.close()


def problem(answer: Response, status: int, name: str) -> dict[str, Any]:
    """The problem document of a refusal, checked as far as every one is the same."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:casewright:problem:{name}"
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    return document
