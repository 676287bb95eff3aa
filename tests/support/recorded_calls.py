"""A bare database with what records, replays and caches model calls, around scripted models; no installation."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright.audit.log import AuditLog
from casewright.audit.sealing import Sealing
from casewright.clock import ManualClock
from casewright.config import app_root
from casewright.identity.keys import SigningKey
from casewright.models.cassette import CassetteLayer
from casewright.models.conduct import Conduct
from casewright.models.contents import Contents
from casewright.models.gateway import Gateway
from casewright.models.kept_calls import KeptCalls
from casewright.models.layer import CallContext, Layer
from casewright.models.permission import ModelPermission
from casewright.models.prices import prices
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import Provider
from casewright.models.recording import CallRecorder
from casewright.models.replaying import ReplayedCall, Replayer
from casewright.models.response_cache import ResponseCache
from casewright.models.retry import RetryPolicy
from casewright.storage.database import Database
from tests.support.model_permission import OnlyModels

PROMPTS = app_root() / "agents" / "prompts"
NOW_NS = 1_794_000_000_000_000_000
HOUR_SECONDS = 3_600


def call_context(*, run_id: str = "run-1", tenant: str = "t-1") -> CallContext:
    return CallContext(run_id=run_id, case_id="c-1", tenant=tenant, agent="a")


async def at_once(seconds: float) -> None:
    """A pause that takes no time."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What keeps calls, over one folder."""

    folder: Path
    database: Database
    clock: ManualClock
    audit: AuditLog
    contents: Contents
    calls: KeptCalls
    answers: ResponseCache
    policies: list[str]
    """The revision in force stands last."""
    permission: ModelPermission

    def gateway(
        self, *providers: Provider, layers: Sequence[Layer] = (), answers: bool = False, prompts: Path = PROMPTS
    ) -> Gateway:
        """A gateway that records; `layers` stand outside of the recording."""
        return Gateway(
            providers,
            PromptLibrary(prompts),
            CallRecorder(self.audit, self.contents, prices(), self.clock),
            permission=self.permission,
            layers=(*layers, CassetteLayer(self.contents)),
            conduct=Conduct(
                retry=RetryPolicy(pause=at_once, jitter=lambda: 0.0), answers=self.answers if answers else None
            ),
        )

    async def replay(
        self, *, run_id: str = "run-1", layers: Sequence[Layer] = (), prompts: Path = PROMPTS
    ) -> list[ReplayedCall]:
        replayer = Replayer(PromptLibrary(prompts), layers)
        return [await replayer.replay(call) for call in await self.calls.of_run("t-1", run_id)]

    async def change(self, statement: str, **values: Any) -> int:
        """Change rows behind everybody's back; how many."""
        async with self.database.write() as connection:
            return (await connection.exec_driver_sql(statement, values)).rowcount

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.read() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(statement)]


@asynccontextmanager
async def recording_desk(path: Path) -> AsyncGenerator[Desk, None]:
    """A desk over a migrated database in a folder of its own."""
    folder = path.parent
    database, clock, sealing = Database.sqlite(path), ManualClock(NOW_NS), Sealing.beside(folder)
    policies = ["revision-1"]
    contents = Contents(sealing)
    try:
        yield Desk(
            folder=folder,
            database=database,
            clock=clock,
            audit=AuditLog(database, SigningKey.generate(), clock),
            contents=contents,
            calls=KeptCalls(database, contents),
            answers=ResponseCache(database, sealing, clock, keep_seconds=HOUR_SECONDS, revision=lambda: policies[-1]),
            policies=policies,
            permission=OnlyModels("scripted/m-1", "scripted/m-2", "offline/extractive"),
        )
    finally:
        await database.close()
