"""What a run had answered when somebody judged it, read from its rows: report, draft, events, pins.

Callers give the transaction, so that the answer and what is said of it are one state of the database.
"""

import json
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.canonical import canonical_json, digest
from casewright.contracts.feedback import DraftRef, JudgedAnswer
from casewright.contracts.recommendation import Citation, Recommendation
from casewright.errors import ConflictError, NotFoundError
from casewright.storage.run_tables import run_events, runs
from casewright.storage.tables import drafts


async def read_judged(connection: AsyncConnection, tenant: str, run_id: str) -> JudgedAnswer:
    """The newest answer of a run.

    Raises:
        NotFoundError: the tenant has no such run.
        ConflictError: it has answered nothing yet.
    """
    query = select(runs).where(runs.c.tenant == tenant, runs.c.run_id == run_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError(f"there is no run {run_id!r}; `casewright runs list` shows what there is")
    judged = await _reviewed(connection, row) if row.report else await _answered(connection, row)
    if judged is None:
        raise ConflictError(f"run {run_id!r} is {row.status} and has answered nothing yet; say it when it has")
    return judged


async def _reviewed(connection: AsyncConnection, row: Row[Any]) -> JudgedAnswer | None:
    report = json.loads(row.report)
    if report["recommendation"] is None:
        return None
    found = Recommendation.model_validate(report["recommendation"])
    return JudgedAnswer(
        run_id=row.run_id,
        case_id=row.case_id,
        question="",
        status=row.status,
        sentences=tuple(finding.claim for finding in found.summary),
        action=found.action.kind,
        amount_minor=found.action.amount_minor,
        currency=found.action.currency,
        draft=await _draft(connection, row.tenant, report["draft_id"], found),
        evidence=tuple(citation for finding in found.summary for citation in finding.citations),
        facts=tuple(fact for finding in found.summary for fact in finding.facts),
        versions=_versions(row, model=found.model, index=found.index_version),
    )


async def _answered(connection: AsyncConnection, row: Row[Any]) -> JudgedAnswer | None:
    query = select(run_events.c.body).where(run_events.c.run_id == row.run_id, run_events.c.kind == "answered")
    text = (await connection.execute(query.order_by(run_events.c.seq.desc()).limit(1))).scalar()
    if text is None:
        return None
    body = json.loads(text)
    quoted = [{name: item[name] for name in Citation.model_fields} for item in body["citations"]]
    return JudgedAnswer(
        run_id=row.run_id,
        case_id="",
        question=body["question"],
        status=row.status,
        sentences=(body["answer"] or body["reason"],),
        action="",
        amount_minor=0,
        currency="",
        draft=None,
        evidence=tuple(Citation.model_validate(item) for item in quoted),
        facts=(),
        versions=_versions(row, model=body["model"], index=body["index_version"]),
    )


async def _draft(connection: AsyncConnection, tenant: str, draft_id: str, shown: Recommendation) -> DraftRef | None:
    """Which version of the draft the report shows: the newest with exactly its content."""
    content = digest(shown.model_dump(mode="json"))
    query = select(drafts.c.version).where(
        drafts.c.tenant == tenant, drafts.c.draft_id == draft_id, drafts.c.digest == content
    )
    version = (await connection.execute(query.order_by(drafts.c.version.desc()).limit(1))).scalar()
    return None if version is None else DraftRef(draft_id=draft_id, version=version, digest=content)


def _versions(row: Row[Any], *, model: str, index: str) -> dict[str, str]:
    """The run's pins as text, and what the answer itself names."""
    pins: dict[str, Any] = json.loads(row.pins)
    told = {name: value if isinstance(value, str) else canonical_json(value).decode() for name, value in pins.items()}
    return {"index_version": index, **told, "model": model}
