"""The draft store: versions that are never changed, each with its author and digest.

An edit is a new version. Approvals are bound to one version by its digest, so a new version
needs a new review. The citation gate is *not* called here; the drafting server does that.
"""

import secrets
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.canonical import canonical_json, digest
from casewright.clock import Clock
from casewright.contracts.principal import Caller
from casewright.contracts.recommendation import DraftVersion, Recommendation
from casewright.errors import NotFoundError, StorageError
from casewright.storage.database import Database
from casewright.storage.tables import drafts


class DraftStore:
    """Drafts of recommendations, by tenant."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def save(self, recommendation: Recommendation, *, caller: Caller, draft_id: str | None) -> DraftVersion:
        """Save a new draft, or with `draft_id` the next version of it.

        Raises:
            NotFoundError: the recommendation is about another case than the token names, or
                the draft is not one of this tenant and case.
        """
        if not recommendation.case_id or caller.actor.case_id != recommendation.case_id:
            raise NotFoundError(
                f"there is no case {recommendation.case_id!r} for this caller; draft for the case the token names"
            )
        async with self._database.write() as connection:
            version = 1 if draft_id is None else await self._next_version(connection, caller, draft_id)
            draft = DraftVersion(
                draft_id=draft_id or f"drf-{secrets.token_hex(8)}",
                version=version,
                case_id=recommendation.case_id,
                run_id=caller.actor.run_id,
                author=caller.principal.id,
                agent=caller.actor.agent,
                created_ns=self._clock.now_ns(),
                digest=digest(recommendation.model_dump(mode="json")),
                recommendation=recommendation,
            )
            await connection.execute(insert(drafts).values(_row_values(draft, caller.principal.tenant)))
            body = {"draft_id": draft.draft_id, "version": draft.version, "digest": draft.digest}
            await self._audit.append(AuditEntry.of_caller("draft.saved", caller, body), connection=connection)
        return draft

    async def find(self, tenant: str, draft_id: str, version: int | None = None) -> DraftVersion | None:
        """A version of the tenant's draft, the latest if none is named; None when there is none.

        Raises:
            StorageError: the stored content does not fit its digest.
        """
        query = select(drafts).where(drafts.c.tenant == tenant, drafts.c.draft_id == draft_id)
        if version is not None:
            query = query.where(drafts.c.version == version)
        found = await self._read(query.order_by(drafts.c.version.desc()).limit(1))
        return found[0] if found else None

    async def get(self, tenant: str, draft_id: str, version: int | None = None) -> DraftVersion:
        """As `find`, for callers that need it.

        Raises:
            NotFoundError: the tenant has no such draft or version.
            StorageError: the stored content does not fit its digest.
        """
        draft = await self.find(tenant, draft_id, version)
        if draft is None:
            raise NotFoundError(
                f"there is no draft {draft_id!r} with version {version or 'latest'!r}; list the drafts of the case"
            )
        return draft

    async def list(self, tenant: str, case_id: str) -> tuple[DraftVersion, ...]:
        """Every version of every draft of the case, oldest first."""
        query = select(drafts).where(drafts.c.tenant == tenant, drafts.c.case_id == case_id)
        return await self._read(query.order_by(drafts.c.created_ns, drafts.c.draft_id, drafts.c.version))

    async def _next_version(self, connection: AsyncConnection, caller: Caller, draft_id: str) -> int:
        query = select(func.max(drafts.c.version)).where(
            drafts.c.draft_id == draft_id,
            drafts.c.tenant == caller.principal.tenant,
            drafts.c.case_id == caller.actor.case_id,
        )
        latest = (await connection.execute(query)).scalar()
        if latest is None:
            raise NotFoundError(f"there is no draft {draft_id!r} of this case; leave the id out to start one")
        return latest + 1

    async def _read(self, query: Select[Any]) -> tuple[DraftVersion, ...]:
        async with self._database.read() as connection:
            return tuple(_draft(row) for row in await connection.execute(query))


def _row_values(draft: DraftVersion, tenant: str) -> dict[str, Any]:
    content = canonical_json(draft.recommendation.model_dump(mode="json")).decode()
    return draft.model_dump(exclude={"recommendation"}) | {"tenant": tenant, "content": content}


def _draft(row: Row[Any]) -> DraftVersion:
    try:
        recommendation = Recommendation.model_validate_json(row.content)
    except ValidationError as error:
        raise _changed(row) from error
    if digest(recommendation.model_dump(mode="json")) != row.digest or recommendation.case_id != row.case_id:
        raise _changed(row)
    return DraftVersion(
        draft_id=row.draft_id,
        version=row.version,
        case_id=row.case_id,
        run_id=row.run_id,
        author=row.author,
        agent=row.agent,
        created_ns=row.created_ns,
        digest=row.digest,
        recommendation=recommendation,
    )


def _changed(row: Row[Any]) -> StorageError:
    return StorageError(
        f"version {row.version} of the draft {row.draft_id!r} was changed after it was saved; it is not used. "
        "Run `casewright audit verify` and restore the database from a backup"
    )
