"""Idempotency keys: the same request sent twice does its work once and has the same answer.

A key belongs to one person and holds for 24 hours. It is noted before the work begins and keeps the
answer when that succeeded; what failed did nothing, so its key is free again. A key whose work was
cut off by a crash is taken up after `IN_FLIGHT_SECONDS`: the requests beneath may be repeated, and
runs that they begin get their id from the key's seed (`named_run`). A repeated answer is decided on
again, so it is withheld from whoever may not do the deed any more.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from fastapi import Depends, Header, Request
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.errors import KINDS, ApiProblemError, as_problem
from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.decision import ResourceInput
from casewright.errors import DeniedError, NotFoundError
from casewright.storage.database import Database
from casewright.storage.run_tables import idempotency_keys
from servers.permission import Deed, Witnessed

KEY = re.compile(r"[A-Za-z0-9._:-]{8,200}")
KEPT_SECONDS = 24 * 3_600
WORK_SECONDS = 25.0
IN_FLIGHT_SECONDS = 30
"""Longer than any work may take, so that what is older was cut off."""
REPLAYED = "idempotent-replayed"
_KEPT_HEADERS = ("content-type", "etag", "location", "retry-after")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern=r"^[A-Za-z0-9._:-]{8,200}$",
        description="A name of your own for this request. Sent again with the same body within 24 hours it does "
        "nothing and has the same answer.",
    ),
]


def _says_key(_idempotency_key: IdempotencyKey = None) -> None:
    """Names the header in the document, and refuses a malformed one; `keyed_answer` reads it."""


KEYED = Depends(_says_key)
"""Of a route that creates or decides: it takes `Idempotency-Key`."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose key it is, and for which request."""

    tenant: str
    subject: str
    key: str
    digest: str
    """SHA-256 of method, target, conditions and body."""


@dataclass(frozen=True, kw_only=True)
class KeptAnswer:
    """What a key was answered with."""

    status: int
    headers: dict[str, str]
    body: str
    deeds: tuple[Deed, ...]
    """What was permitted for it; asked for again before it is repeated."""


@dataclass(frozen=True)
class Begun:
    """The key is ours to work on; `seed` is the same whenever it is taken up again."""

    seed: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An answer, and what was decided for it."""

    response: Response
    decided: tuple[Witnessed, ...]


class IdempotencyKeys:
    """The keys of every person, in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, owner: Owner) -> Begun | KeptAnswer:
        """Take the key for this request, or give the answer that it has.

        Raises:
            ApiProblemError: it was used for another request, or another process is working on it.
        """
        now = self._clock.now_ns()
        async with self._database.write() as connection:
            await connection.execute(
                delete(idempotency_keys).where(idempotency_keys.c.at_ns < now - KEPT_SECONDS * NANOSECONDS)
            )
            row = (await connection.execute(select(idempotency_keys).where(*_mine(owner)))).mappings().first()
            if row is None:
                return await self._add(owner, now, connection)
            if row["request_digest"] != owner.digest:
                raise ApiProblemError("key-reused", "this key stands for another request; choose a new one")
            if row["state"] == "done":
                return _kept(row)
            left = IN_FLIGHT_SECONDS - (now - row["at_ns"]) // NANOSECONDS
            if left > 0:
                detail = "the first request with this key is not answered yet"
                raise ApiProblemError("in-flight", detail, {"retry-after": str(min(left, IN_FLIGHT_SECONDS))})
            await connection.execute(update(idempotency_keys).where(*_mine(owner)).values(at_ns=now))
            return Begun(json.loads(row["headers"])["seed"])

    async def finish(self, owner: Owner, answer: KeptAnswer) -> None:
        """Keep the answer for whoever sends the request again."""
        kept = {"headers": answer.headers, "deeds": [_deed_document(deed) for deed in answer.deeds]}
        values = {"state": "done", "status": answer.status, "headers": json.dumps(kept), "body": answer.body}
        async with self._database.write() as connection:
            await connection.execute(update(idempotency_keys).where(*_mine(owner)).values(values))

    async def release(self, owner: Owner) -> None:
        """Forget a key whose request did nothing."""
        unfinished = idempotency_keys.c.state == "in_flight"
        async with self._database.write() as connection:
            await connection.execute(delete(idempotency_keys).where(*_mine(owner), unfinished))

    async def _add(self, owner: Owner, now: int, connection: AsyncConnection) -> Begun:
        seed = secrets.token_hex(16)
        row = {
            "tenant": owner.tenant,
            "subject": owner.subject,
            "key": owner.key,
            "request_digest": owner.digest,
            "state": "in_flight",
            "at_ns": now,
            "status": 0,
            "headers": json.dumps({"seed": seed}),
            "body": "",
        }
        await connection.execute(insert(idempotency_keys).values(row))
        return Begun(seed)


async def keyed_answer(
    request: Request,
    keys: IdempotencyKeys,
    work: Callable[[], Awaitable[Attempt]],
    again: Callable[[Deed], Awaitable[None]],
) -> Response:
    """The answer of `work`, or what the request's key was answered with before.

    A key that is none is left for the route, which refuses it with everything else that is wrong.
    """
    key = request.headers.get("idempotency-key", "")
    if not KEY.fullmatch(key):
        return (await work()).response
    owner = _owner(request, key)
    begun = await keys.begin(owner)
    if isinstance(begun, KeptAnswer):
        return await _repeated(begun, again)
    request.scope["state"]["seed"] = begun.seed
    try:
        with anyio.fail_after(WORK_SECONDS):
            attempt = await work()
    except TimeoutError as error:  # it may still have been done: the key stays in flight, and is taken up again
        retry = {"retry-after": str(IN_FLIGHT_SECONDS)}
        raise ApiProblemError("unavailable", "the request took too long; send it again with its key", retry) from error
    except Exception as error:
        if KINDS[as_problem(error, request).name][0] < 500:  # else it may have been done, and is taken up again
            await keys.release(owner)
        raise
    await _keep(keys, owner, attempt)
    return attempt.response


def named_run(request: Request, prefix: str = "run") -> str:
    """The id of a run that this request begins: the same when the request is taken up again after a crash."""
    seed: str = request.scope["state"].get("seed", "")
    return f"{prefix}-{hashlib.sha256(seed.encode()).hexdigest()[:16] if seed else secrets.token_hex(8)}"


async def _keep(keys: IdempotencyKeys, owner: Owner, attempt: Attempt) -> None:
    response = attempt.response
    if not 200 <= response.status_code < 300:
        await keys.release(owner)
        return
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    deeds = tuple(item.deed for item in attempt.decided if item.permission is not None)
    body = bytes(response.body).decode()
    await keys.finish(owner, KeptAnswer(status=response.status_code, headers=headers, body=body, deeds=deeds))


async def _repeated(kept: KeptAnswer, again: Callable[[Deed], Awaitable[None]]) -> Response:
    try:
        for deed in kept.deeds:
            await again(deed)
    except DeniedError as error:
        raise NotFoundError("what this key was answered with is not for you any more") from error
    return Response(kept.body, kept.status, headers={**kept.headers, REPLAYED: "true"})


def _owner(request: Request, key: str) -> Owner:
    state = request.scope["state"]
    person = state["signed_in"].principal
    target = f"{request.method} {request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
    asked = f"{target}\n{request.headers.get('if-match', '')}\n".encode() + state["body"]
    return Owner(tenant=person.tenant, subject=person.id, key=key, digest=hashlib.sha256(asked).hexdigest())


def _mine(owner: Owner) -> tuple[Any, ...]:
    columns = idempotency_keys.c
    return columns.tenant == owner.tenant, columns.subject == owner.subject, columns.key == owner.key


def _kept(row: Any) -> KeptAnswer:
    kept = json.loads(row["headers"])
    deeds = tuple(_deed(document) for document in kept["deeds"])
    return KeptAnswer(status=row["status"], headers=kept["headers"], body=row["body"], deeds=deeds)


def _deed_document(deed: Deed) -> dict[str, Any]:
    return {
        "name": deed.name,
        "verb": deed.verb,
        "risk": deed.risk,
        "resource": deed.resource.model_dump(mode="json"),
        "case_id": deed.case_id,
        "arguments": deed.arguments,
    }


def _deed(document: dict[str, Any]) -> Deed:
    values: dict[str, Any] = {**document, "resource": ResourceInput.model_validate(document["resource"])}
    return Deed(**values)
