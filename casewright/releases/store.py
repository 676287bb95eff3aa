"""Keeps releases and the switches between them; each change is one transaction with its audit event.

Who may do what is decided by the access policy, which the caller asks before. That a release can be loaded is checked
by `casewright.releases.trial` before it is put in force.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.audit.signing import Signer
from casewright.canonical import canonical_json
from casewright.clock import Clock
from casewright.contracts.event import EventKind
from casewright.contracts.principal import Principal
from casewright.contracts.release import MoveKind, Override, Release, ReleaseManifest, ReleaseMove
from casewright.corpus.protected import protect
from casewright.errors import ConflictError, InputError, NotFoundError
from casewright.releases.history import SWITCHES, place
from casewright.releases.manifest import content, id_of, read_manifest, read_move, signed_text
from casewright.releases.pieces import Pieces
from casewright.storage.database import Database
from casewright.storage.release_tables import release_moves, releases
from casewright.storage.tables import audit_events

LONGEST_WHY = 1_000
_NEWEST_EVENT = (
    select(audit_events.c.body)
    .where(text("kind LIKE 'release.%'"), audit_events.c.kind.in_(tuple(SWITCHES.values())))
    .order_by(audit_events.c.seq.desc())
    .limit(1)
)


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What is to be in force from now on, and what has to be so until then."""

    kind: MoveKind
    active: str
    previous: str
    canary: str = ""
    percent: int = 0
    why: str = ""
    after: int
    """The switch that whoever decided this saw; another one since then refuses it."""
    shown: Mapping[str, Any]
    """For the audit: what the decision was taken on, such as the flips of the policies."""


class ReleaseStore:
    """Releases of one data folder; they hold for all of its tenants, as its policies do."""

    def __init__(self, database: Database, audit: AuditLog, signer: Signer, clock: Clock, index: Path) -> None:
        self._database = database
        self._audit = audit
        self._signer = signer
        self._clock = clock
        self._index = index

    async def add(self, manifest: ReleaseManifest, pieces: Pieces, *, principal: Principal, why: str = "") -> Release:
        """Keep a release with its files; the same once more is the same release.

        One whose gate was overridden is only proposed: `confirm` by somebody else makes it one.

        Raises:
            InputError: an override gives no reason.
            ConflictError: it is there and was retired.
        """
        overridden = manifest.gate == "overridden"
        if overridden:
            check_why(why)
        release_id = id_of(manifest)
        async with self._database.write() as connection:
            known = await _row(connection, release_id)
            if known is not None:
                if known.state == "retired":
                    raise ConflictError(f"the release {release_id!r} was retired; promote another, or change something")
                return self._release(known)
            await self._protect(connection, manifest.versions.index_version)
            await connection.execute(insert(releases).values(self._values(manifest, pieces, principal, why)))
            kind: EventKind = "release.proposed" if overridden else "release.created"
            body = {"release": release_id, "manifest": content(manifest), "why": why}
            await self._say(kind, principal, body, connection)
            return self._release(await _existing(connection, release_id))

    async def confirm(self, release_id: str, *, principal: Principal, why: str) -> Release:
        """Confirm an override as the second person; from then on it is a release.

        Raises:
            NotFoundError: there is no such release.
            ConflictError: it waits for no confirmation, or this is the person who recorded it.
            InputError: no reason is given.
        """
        check_why(why)
        async with self._database.write() as connection:
            row = await _existing(connection, release_id)
            if row.state != "proposed":
                raise ConflictError(f"the release {release_id!r} is {row.state}; it waits for no confirmation")
            if row.subject == principal.id:
                raise ConflictError(f"{principal.id!r} recorded this override; another person has to confirm it")
            values = {"state": "ready", "confirmed_by": principal.id, "confirmed_ns": self._clock.now_ns()}
            await connection.execute(update(releases).where(releases.c.release_id == release_id).values(values))
            body = {"release": release_id, "override": True, "recorded_by": row.subject, "why": why}
            await self._say("release.created", principal, body, connection)
            return self._release(await _existing(connection, release_id))

    async def retire(self, release_id: str, *, principal: Principal, why: str) -> Release:
        """Let a release go: it cannot be put in force again, and its index state may be pruned.

        Raises:
            NotFoundError: there is no such release.
            ConflictError: it is active, tried out, or what a rollback goes back to.
            InputError: no reason is given.
        """
        check_why(why)
        async with self._database.write() as connection:
            row, move = await _existing(connection, release_id), await _newest(connection)
            if release_id in (move.active, move.previous, move.canary):
                raise ConflictError(
                    f"the release {release_id!r} is active, tried out, or where a rollback goes; promote another first"
                )
            if row.state != "retired":
                changed = update(releases).where(releases.c.release_id == release_id).values(state="retired")
                await connection.execute(changed)
                await self._say("release.retired", principal, {"release": release_id, "why": why}, connection)
        async with self._database.write() as connection:  # after the commit: a crash leaves a state too many
            await self._protect(connection)
            return self._release(await _existing(connection, release_id))

    async def switch(self, switch: Switch, *, principal: Principal) -> ReleaseMove:
        """Put something else in force, in every process, with one commit.

        Raises:
            NotFoundError: there is no such release.
            ConflictError: it is not ready, or somebody switched meanwhile.
        """
        async with self._database.write() as connection:
            now = await _newest(connection)
            if now.seq != switch.after:
                raise ConflictError(
                    f"{now.subject!r} switched meanwhile to {now.active or 'no release'!r}; look with `casewright "
                    "release show` and decide again"
                )
            for name in filter(None, (switch.active, switch.canary)):
                row = await _existing(connection, name)
                if row.state != "ready":
                    raise ConflictError(f"the release {name!r} is {row.state}; only one that is ready can be in force")
            stood = place(max(now.seq, await _told_seq(connection)) + 1, self._clock.now_ns())
            values = {
                "seq": stood["seq"],
                "at_ns": int(stood["at_ns"]),
                "tenant": principal.tenant,
                "subject": principal.id,
                "kind": switch.kind,
                "active": switch.active,
                "previous": switch.previous,
                "canary": switch.canary,
                "percent": switch.percent,
                "why": switch.why,
            }
            await connection.execute(insert(release_moves).values(values))
            body = {name: values[name] for name in ("active", "previous", "canary", "percent", "why")}
            await self._say(SWITCHES[switch.kind], principal, {**switch.shown, **body, **stood}, connection)
            return await _newest(connection)

    async def note(self, kind: EventKind, principal: Principal, body: Mapping[str, Any]) -> None:
        """Record something about a release that changes nothing, such as a refusal."""
        await self._audit.append(AuditEntry(kind=kind, tenant=principal.tenant, subject=principal.id, body=body))

    async def get(self, release_id: str) -> Release:
        """One release.

        Raises:
            NotFoundError: there is none with this id.
            StorageError: its manifest is not the one that was signed.
        """
        async with self._database.read() as connection:
            return self._release(await _existing(connection, release_id))

    async def pieces(self, release_id: str) -> Pieces:
        """The files of a release.

        Raises:
            NotFoundError: there is none with this id.
            StorageError: they are damaged.
        """
        async with self._database.read() as connection:
            row = await _existing(connection, release_id)
        return Pieces.unpacked(row.pieces, expected=self._release(row).manifest.pieces)

    async def list(self) -> tuple[Release, ...]:
        """Every release, the newest first."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(releases).order_by(releases.c.at_ns.desc()))).all()
        return tuple(self._release(row) for row in rows)

    async def history(self, *, limit: int = 50) -> tuple[ReleaseMove, ...]:
        """The switches, the newest first."""
        query = select(release_moves).order_by(release_moves.c.seq.desc()).limit(limit)
        async with self._database.read() as connection:
            return tuple(_move(row) for row in (await connection.execute(query)).all())

    async def move(self) -> ReleaseMove:
        """The newest switch."""
        async with self._database.read() as connection:
            return await _newest(connection)

    def _values(self, manifest: ReleaseManifest, pieces: Pieces, principal: Principal, why: str) -> dict[str, Any]:
        return {
            "release_id": id_of(manifest),
            "tenant": principal.tenant,
            "subject": principal.id,
            "at_ns": self._clock.now_ns(),
            "state": "proposed" if manifest.gate == "overridden" else "ready",
            "index_version": manifest.versions.index_version,
            "manifest": canonical_json(content(manifest)).decode(),
            "signature": self._signer.sign(signed_text(manifest)),
            "pieces": pieces.packed,
            "override_why": why,
            "confirmed_by": "",
            "confirmed_ns": 0,
        }

    def _release(self, row: Row[Any]) -> Release:
        manifest = read_manifest(row.release_id, row.manifest, row.signature, self._signer)
        override = None
        if manifest.gate == "overridden":
            override = Override(why=row.override_why, recorded_by=row.subject, confirmed_by=row.confirmed_by)
        return Release(
            release_id=row.release_id,
            state=row.state,
            created_by=row.subject,
            created_ns=row.at_ns,
            manifest=manifest,
            override=override,
        )

    async def _protect(self, connection: AsyncConnection, more: str = "") -> None:
        """Keep the index states of every release that may still be followed, within a write transaction."""
        query = select(releases.c.index_version).where(releases.c.state != "retired")
        names = set((await connection.execute(query)).scalars())
        if self._index.is_dir():
            protect(self._index, {*names, more})

    async def _say(
        self, kind: EventKind, principal: Principal, body: Mapping[str, Any], connection: AsyncConnection
    ) -> None:
        entry = AuditEntry(kind=kind, tenant=principal.tenant, subject=principal.id, body=body)
        await self._audit.append(entry, connection=connection)


def check_why(why: str) -> None:
    """Return if a reason is given that can be kept.

    Raises:
        InputError: it is not, or is too long.
    """
    if not why.strip():
        raise InputError("no reason is given; say why with --why TEXT")
    if len(why) > LONGEST_WHY:
        raise InputError(f"the reason has {len(why)} characters; {LONGEST_WHY} are kept, shorten it")


async def _row(connection: AsyncConnection, release_id: str) -> Row[Any] | None:
    return (await connection.execute(select(releases).where(releases.c.release_id == release_id))).first()


async def _existing(connection: AsyncConnection, release_id: str) -> Row[Any]:
    row = await _row(connection, release_id)
    if row is None:
        raise NotFoundError(f"there is no release {release_id!r}; `casewright release list` shows what there is")
    return row


async def _newest(connection: AsyncConnection) -> ReleaseMove:
    query = select(release_moves).order_by(release_moves.c.seq.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return ReleaseMove() if row is None else _move(row)


async def _told_seq(connection: AsyncConnection) -> int:
    """The number of the newest switch in the audit, which stays where somebody put rows away; 0: none says one."""
    try:
        return int(json.loads(await connection.scalar(_NEWEST_EVENT) or "{}").get("seq", 0))
    except (ValueError, TypeError, AttributeError):  # edited: no process follows until there is a newer one
        return 0


def _move(row: Row[Any]) -> ReleaseMove:
    return read_move({name: getattr(row, name) for name in ReleaseMove.model_fields})
