"""The feedback that people give on answers of runs, by tenant.

Each is committed together with its audit event, which holds the digest of what was said, not the words. Saying the
same again is one feedback; of two thumbs of one person the newer one counts. The policy is *not* asked here.
"""

import json
import secrets
from typing import Any

from sqlalchemy import Row, Select, and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.canonical import canonical_json, digest
from casewright.clock import Clock
from casewright.contracts.feedback import (
    MAX_FEEDBACK_CHARACTERS,
    THUMBS,
    Feedback,
    FeedbackKind,
    FeedbackText,
    JudgedAnswer,
)
from casewright.contracts.principal import Principal
from casewright.contracts.recommendation import Citation
from casewright.errors import ConflictError, InputError, StorageError
from casewright.feedback.judged import read_judged
from casewright.storage.database import Database
from casewright.storage.run_tables import feedback

MOST_OF_ONE_PERSON = 50
"""On one run; whoever has more to say opens an issue with the export."""


class FeedbackStore:
    """What people said of runs."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def give(self, principal: Principal, run_id: str, said: FeedbackText) -> Feedback:
        """Keep what a person says of a run's answer; the same again gives the first one.

        Raises:
            NotFoundError: the tenant has no such run.
            ConflictError: the run has answered nothing yet, shows another draft than the one that was read, or holds
                as much of this person as it may.
            InputError: the text is missing or too long, or no such citation is in the answer.
        """
        check(said)
        async with self._database.write() as connection:
            about = await read_judged(connection, principal.tenant, run_id)
            given = Feedback(
                feedback_id=f"fbk-{secrets.token_hex(8)}",
                tenant=principal.tenant,
                subject=principal.id,
                kind=said.kind,
                at_ns=self._clock.now_ns(),
                text=said.text,
                citation=_meant(about, said),
                about=_as_read(about, said),
            )
            earlier = await self._of_person(connection, given)
            if (same := _repeated(given, earlier)) is not None:
                return same
            if len(earlier) >= MOST_OF_ONE_PERSON:
                raise ConflictError(
                    f"{principal.id!r} has said {len(earlier)} things of run {run_id!r}; that is enough"
                )
            await self._add(connection, given)
        return given

    async def list(
        self,
        tenant: str,
        *,
        run_id: str = "",
        case_id: str = "",
        before: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> tuple[Feedback, ...]:
        """The tenant's feedback, newest first; `before` is the place (`at_ns`, id) of the last one that is known."""
        query = select(feedback).where(feedback.c.tenant == tenant)
        if run_id:
            query = query.where(feedback.c.run_id == run_id)
        if case_id:
            query = query.where(feedback.c.case_id == case_id)
        if before is not None:
            at_ns, feedback_id = before
            same_time = and_(feedback.c.at_ns == at_ns, feedback.c.feedback_id < feedback_id)
            query = query.where(or_(feedback.c.at_ns < at_ns, same_time))
        return await self._read(query if limit is None else query.limit(limit))

    async def _read(self, query: Select[Any]) -> tuple[Feedback, ...]:
        async with self._database.read() as connection:
            return await _rows(connection, query)

    async def _of_person(self, connection: AsyncConnection, given: Feedback) -> tuple[Feedback, ...]:
        query = select(feedback).where(
            feedback.c.tenant == given.tenant,
            feedback.c.run_id == given.about.run_id,
            feedback.c.subject == given.subject,
        )
        return await _rows(connection, query)

    async def _add(self, connection: AsyncConnection, given: Feedback) -> None:
        body = given.model_dump(mode="json", include={"text", "citation", "about"})
        row = {
            "feedback_id": given.feedback_id,
            "tenant": given.tenant,
            "run_id": given.about.run_id,
            "case_id": given.about.case_id,
            "subject": given.subject,
            "kind": given.kind,
            "at_ns": given.at_ns,
            "body": canonical_json(body).decode(),
        }
        await connection.execute(insert(feedback).values(row))
        entry = AuditEntry(
            kind="feedback.given",
            tenant=given.tenant,
            subject=given.subject,
            run_id=given.about.run_id,
            case_id=given.about.case_id,
            body={"feedback_id": given.feedback_id, "kind": given.kind, "body_sha256": digest(body)},
        )
        await self._audit.append(entry, connection=connection)


def check(said: FeedbackText) -> None:
    """Refuse what could not be kept or understood.

    Raises:
        InputError: with what is wrong and the way out.
    """
    if len(said.text) > MAX_FEEDBACK_CHARACTERS:
        raise InputError(f"the text has {len(said.text)} characters; {MAX_FEEDBACK_CHARACTERS} are kept, shorten it")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in said.text):
        raise InputError("the text holds halves of characters; send it as UTF-8")
    if said.kind == "correction" and not said.text.strip():
        raise InputError("a correction says what is right; give it a text")
    if (said.kind == "wrong_citation") != (said.citation is not None):
        raise InputError("a wrong citation, and nothing else, names the citation: document, version, label and quote")


def standing(given: tuple[Feedback, ...]) -> tuple[Feedback, ...]:
    """What counts of all that was given: without the thumbs that their person changed later."""
    newest: dict[tuple[str, str], str] = {}
    for item in sorted(given, key=_place):
        if item.kind in THUMBS:
            newest[item.about.run_id, item.subject] = item.feedback_id
    kept = set(newest.values())
    return tuple(item for item in given if item.kind not in THUMBS or item.feedback_id in kept)


def _place(item: Feedback) -> tuple[int, str]:
    return item.at_ns, item.feedback_id


def _meant(about: JudgedAnswer, said: FeedbackText) -> Citation | None:
    if said.citation is None:
        return None
    wanted = said.citation.model_dump()
    for citation in about.evidence:
        if citation.model_dump(exclude={"sha256"}) == wanted:
            return citation
    name = f"{said.citation.document_id} {said.citation.version} {said.citation.label}"
    raise InputError(f"the answer of run {about.run_id!r} has no citation {name!r} with this quote; read it again")


def _as_read(about: JudgedAnswer, said: FeedbackText) -> JudgedAnswer:
    shown = about.draft.digest if about.draft is not None else ""
    if said.draft_digest and said.draft_digest != shown:
        raise ConflictError(f"run {about.run_id!r} shows another draft than the one that was read; read it again")
    return about


def _repeated(given: Feedback, earlier: tuple[Feedback, ...]) -> Feedback | None:
    """What the person has said before in the same words; of thumbs the newest alone can be repeated."""
    rivals: tuple[FeedbackKind, ...] = THUMBS if given.kind in THUMBS else (given.kind,)
    known = [item for item in earlier if item.kind in rivals]
    for item in known[:1] if given.kind in THUMBS else known:
        if _content(item) == _content(given):
            return item
    return None


def _content(item: Feedback) -> tuple[object, ...]:
    return item.kind, item.text, item.citation, item.about.draft


async def _rows(connection: AsyncConnection, query: Select[Any]) -> tuple[Feedback, ...]:
    ordered = query.order_by(feedback.c.at_ns.desc(), feedback.c.feedback_id.desc())
    return tuple(_feedback(row) for row in await connection.execute(ordered))


def _feedback(row: Row[Any]) -> Feedback:
    columns = {name: getattr(row, name) for name in ("feedback_id", "tenant", "subject", "kind", "at_ns")}
    try:
        return Feedback.model_validate(json.loads(row.body) | columns)
    except (ValueError, TypeError) as error:  # pydantic's and json's errors are ValueErrors
        raise StorageError(
            f"the feedback {row.feedback_id!r} was changed outside of the store; it is not used. "
            "Run `casewright audit verify` and restore the database from a backup"
        ) from error
