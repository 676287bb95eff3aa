"""Answers of deterministic tasks, given again for exactly the same input: sealed, for one tenant, and not for long.

The name of an answer is made from all that it depends on: tenant, task and version, prompts, model, the shape of the
answer, the input and the policies in force, under the key of the data folder. What has expired, was changed or no
longer opens is not there. Whether a kept answer still holds is for whoever asks to check (`casewright.models.cached`).
"""

import asyncio
import logging
import zlib
from collections.abc import Callable

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from casewright.audit.sealing import Sealing
from casewright.canonical import canonical_json, sha256_text
from casewright.clock import NANOSECONDS, Clock
from casewright.errors import StorageError
from casewright.models.contents import LARGEST_CONTENT
from casewright.models.exchange import schema_sha256
from casewright.models.layer import AskedTask
from casewright.storage.database import Database
from casewright.storage.model_tables import model_answers

_log = logging.getLogger("casewright.models")


class ResponseCache:
    """Keeps answers in the database."""

    def __init__(
        self, database: Database, sealing: Sealing, clock: Clock, *, keep_seconds: int, revision: Callable[[], str]
    ) -> None:
        """`revision` names the policies in force: under others, nobody knows whether the model would have been asked.
        It is called in a thread.
        """
        self._database = database
        self._sealing = sealing
        self._clock = clock
        self._keep_ns = keep_seconds * NANOSECONDS
        self._revision = revision

    async def find(self, asked: AskedTask) -> str | None:
        """See `casewright.models.layer.AnswerCache`.

        Raises:
            StorageError: the database cannot be read.
        """
        key, table = await self._key(asked), model_answers.c
        query = select(table.answer).where(
            table.tenant == asked.context.tenant, table.key == key, table.expires_ns > self._clock.now_ns()
        )
        async with self._database.read() as connection:
            kept = (await connection.execute(query)).scalar()
        return None if kept is None else self._opened(kept, asked, key)

    async def keep(self, asked: AskedTask, output: str) -> None:
        """See `casewright.models.layer.AnswerCache`; what has expired is removed on the way.

        Raises:
            StorageError, UnavailableError: the database cannot be written.
        """
        key, now = await self._key(asked), self._clock.now_ns()
        sealed = self._sealing.seal(zlib.compress(output.encode(), 1), about=_about(asked.context.tenant, key))
        row = {
            "tenant": asked.context.tenant,
            "key": key,
            "task": asked.task.name,
            "model": f"{asked.provider}/{asked.model}"[:200],
            "at_ns": now,
            "expires_ns": now + self._keep_ns,
            "answer": sealed,
        }
        async with self._database.write() as connection:
            await connection.execute(delete(model_answers).where(model_answers.c.expires_ns <= now))
            kind = postgresql if connection.dialect.name == "postgresql" else sqlite
            new = kind.insert(model_answers).values(row)
            changed = {name: new.excluded[name] for name in ("at_ns", "expires_ns", "answer")}
            await connection.execute(new.on_conflict_do_update(index_elements=["tenant", "key"], set_=changed))

    async def _key(self, asked: AskedTask) -> str:
        named = {
            "policies": await asyncio.to_thread(self._revision),
            "tenant": asked.context.tenant,
            "task": asked.task.name,
            "version": asked.task.version,
            "prompts": asked.prompts_sha256,
            "provider": asked.provider,
            "model": asked.model,
            "output": schema_sha256(asked.task.output),
            "input": sha256_text(asked.value.model_dump_json()),
        }
        return self._sealing.fingerprint(canonical_json(named))

    def _opened(self, kept: str, asked: AskedTask, key: str) -> str | None:
        try:
            packed = self._sealing.open(kept, about=_about(asked.context.tenant, key))
            return zlib.decompressobj().decompress(packed, LARGEST_CONTENT).decode()
        except (StorageError, zlib.error, UnicodeDecodeError):
            _log.warning("a kept answer of task %r does not open; the model is asked again", asked.task.name)
            return None


def _about(tenant: str, key: str) -> str:
    return f"answer {tenant} {key}"
