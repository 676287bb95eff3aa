"""The one approval ledger: request, vote, consume, revoke, expire.

Every change is committed together with its audit event. The ledger decides by itself and
trusts no caller's word about an approval; graphs and servers only name the call. It does
*not* execute anything (see `casewright.effects`).
"""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.assignment import Assignments
from casewright.approvals.binding import call_digest
from casewright.approvals.history import KINDS, difference, history_of, times
from casewright.approvals.notices import add_notices, new_notice, notices_of, to_person
from casewright.approvals.records import OPEN_STATES, approval_entry, read_approvals, row_values
from casewright.approvals.voting import (
    MAX_NOTE_CHARACTERS,
    Counted,
    Refused,
    assigner_refusal,
    check_reason,
    check_rule,
    counted,
    is_complete,
    person,
    revocation_refusal,
    voter_refusal,
)
from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.canonical import sha256_text
from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule, ApprovalState, Notice, Vote
from casewright.contracts.event import EventKind
from casewright.contracts.principal import Caller, Principal
from casewright.errors import ConflictError, DeniedError, InputError, NotFoundError, WaitingError
from casewright.storage.database import Database
from casewright.storage.tables import approval_votes, approvals


class ApprovalLedger:
    """Approvals of exact calls, each usable once."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._assignments = Assignments(audit, clock)

    async def request(self, call: ActionCall, rule: ApprovalRule, *, caller: Caller) -> Approval:
        """Ask for approval of exactly `call`.

        The same call gives the same approval again while it is open, and after it was consumed:
        one exact call is approved and executed at most once.

        Raises:
            InputError: the rule or the call cannot be approved by anyone.
            NotFoundError: the call is about another tenant or case than the caller's token.
            ConflictError: the same call is open under another rule.
        """
        check_rule(rule)
        person(caller.principal.id)
        check_binding(call, caller)
        digest = call_digest(call)
        async with self._database.write() as connection:
            await self._expire(connection, select(approvals).where(approvals.c.digest == digest))
            existing = await self._latest(connection, digest, states=(*OPEN_STATES, "consumed"))
            if existing is None:
                return await self._create(connection, call, rule, caller)
            if existing.state != "consumed" and existing.rule != rule:
                raise ConflictError(
                    f"the call is already open as {existing.approval_id!r} under another rule; reject that one first"
                )
            return existing

    async def vote(self, approval_id: str, *, voter: Principal, approve: bool, note: str) -> Approval:
        """Count one person's vote; one rejection ends it, a quorum of distinct people approves.

        `note` is stored as text and never interpreted.

        Raises:
            NotFoundError: there is no such approval in the voter's tenant.
            DeniedError: with the reason code; the attempt is audited.
            InputError: the note is too long, or the voter's id is not plain.
        """
        if type(approve) is not bool:
            raise InputError(f"the vote {approve!r} is neither true nor false; say which")
        if len(note) > MAX_NOTE_CHARACTERS:
            raise InputError(f"the note has {len(note)} characters; {MAX_NOTE_CHARACTERS} are kept, shorten it")
        person(voter.id)
        vote = Vote(voter=voter.id, approve=approve, note=note, at_ns=self._clock.now_ns())
        async with self._database.write() as connection:
            outcome = await self._vote(connection, approval_id, voter, vote)
        return _outcome(outcome)

    async def consume(self, call: ActionCall, *, caller: Caller, connection: AsyncConnection) -> Approval:
        """Use up the approval of exactly `call`, inside the caller's write transaction.

        Raises:
            WaitingError: people have not decided yet.
            DeniedError: there is no approval for this exact call, another run's agent asked for it, it is
                no longer good, or it is not what the audit tells of it.
            NotFoundError: the call is about another tenant or case than the caller's token.
        """
        check_binding(call, caller)
        approval = await self._latest(connection, call_digest(call))
        if approval is None:
            raise DeniedError(
                f"nobody approved exactly this call of {call.tool!r}; ask for an approval", code="approval_missing"
            )
        if caller.actor.kind == "agent" and caller.actor.run_id != approval.run_id:
            raise DeniedError(
                f"the approval {approval.approval_id!r} was asked for by another run; ask anew", code="run_mismatch"
            )
        if approval.state == "pending":
            raise WaitingError(f"the approval {approval.approval_id!r} still needs {approval.remaining} vote(s)")
        if approval.state != "approved":
            raise DeniedError(
                f"the approval {approval.approval_id!r} is {approval.state}; ask anew",
                code=f"approval_{approval.state}",
            )
        if not is_complete(approval):
            raise DeniedError(
                f"the votes on {approval.approval_id!r} do not carry it; ask anew", code="approval_incomplete"
            )
        changed = await self._changed(connection, approval)
        if changed is not None:
            raise DeniedError(changed.why, code=changed.code)
        return await self._consume(connection, approval, caller)

    async def revoke(self, approval_id: str, *, by: Principal, why: str) -> Approval:
        """Take an open approval back, for good: no vote and no execution after it.

        Whoever asked for it may, and whoever could reject it. The access policy is asked before.

        Raises:
            NotFoundError: there is no such approval in the person's tenant.
            DeniedError: with the reason code; the attempt is audited.
            InputError: no reason is given, it is too long, or the person's id is not plain.
        """
        check_reason(why)
        person(by.id)
        async with self._database.write() as connection:
            outcome = await self._revoke_one(connection, approval_id, by, why)
        return _outcome(outcome)

    async def revoke_run(
        self, tenant: str, run_id: str, *, by: str, why: str, connection: AsyncConnection
    ) -> tuple[str, ...]:
        """Take back whatever a run has open, inside the caller's write transaction; their ids.

        For a run that is cancelled: what it asked for must not be executed later.

        Raises:
            InputError: no reason is given, or it is too long.
        """
        check_reason(why)
        query = select(approvals).where(approvals.c.tenant == tenant, approvals.c.run_id == run_id)
        await self._expire(connection, query)
        open_now = query.where(approvals.c.state.in_(OPEN_STATES)).order_by(approvals.c.approval_id)
        found = await read_approvals(connection, open_now, self._clock.now_ns())
        for approval in found:
            await self._revoke(connection, approval, by, why)
        return tuple(approval.approval_id for approval in found)

    async def assign(self, approval_id: str, *, assignee: Principal, by: Principal) -> Approval:
        """Say who is expected to vote; to the present assignee again changes nothing.

        Raises:
            NotFoundError: there is no such approval in the person's tenant.
            DeniedError: they could not vote themselves, or it takes no votes; the attempt is audited.
            ConflictError: the assignee could not vote on it.
        """
        person(by.id)
        person(assignee.id)
        async with self._database.write() as connection:
            outcome = await self._assign(connection, approval_id, assignee, by)
        return _outcome(outcome)

    async def notices(self, reader: Principal) -> tuple[Notice, ...]:
        """What this person, or the people of their roles, were told; newest first."""
        async with self._database.read() as connection:
            return await notices_of(connection, reader)

    async def find(self, call: ActionCall) -> Approval | None:
        """The newest approval of exactly `call` in any state; None: nobody was asked yet."""
        async with self._database.read() as connection:
            return await self._latest(connection, call_digest(call))

    async def get(self, tenant: str, approval_id: str) -> Approval:
        """One approval of the tenant.

        Raises:
            NotFoundError: the tenant has no such approval.
        """
        query = select(approvals).where(approvals.c.tenant == tenant, approvals.c.approval_id == approval_id)
        async with self._database.read() as connection:
            found = await read_approvals(connection, query, self._clock.now_ns())
        if not found:
            raise NotFoundError(_absent(approval_id))
        return found[0]

    async def list(
        self, tenant: str, *, state: ApprovalState | None = None, case_id: str = "", run_id: str = ""
    ) -> tuple[Approval, ...]:
        """The tenant's approvals, newest first; the other arguments narrow them."""
        query = select(approvals).where(approvals.c.tenant == tenant)
        if case_id:
            query = query.where(approvals.c.case_id == case_id)
        if run_id:
            query = query.where(approvals.c.run_id == run_id)
        query = query.order_by(approvals.c.created_ns.desc(), approvals.c.approval_id)
        async with self._database.read() as connection:
            found = await read_approvals(connection, query, self._clock.now_ns())
        return tuple(approval for approval in found if state is None or approval.state == state)

    async def expire_due(self) -> tuple[str, ...]:
        """Close every open approval whose time is over; their ids."""
        async with self._database.write() as connection:
            return await self._expire(connection, select(approvals))

    async def expire(self, approval_id: str, *, connection: AsyncConnection) -> None:
        """Close one approval if its time is over, inside the caller's write transaction."""
        await self._expire(connection, select(approvals).where(approvals.c.approval_id == approval_id))

    async def _create(
        self, connection: AsyncConnection, call: ActionCall, rule: ApprovalRule, caller: Caller
    ) -> Approval:
        now_ns = self._clock.now_ns()
        approval = Approval(
            approval_id=f"apr-{secrets.token_hex(8)}",
            call=call,
            digest=call_digest(call),
            rule=rule,
            state="pending",
            requested_by=caller.principal.id,
            requested_agent=caller.actor.agent,
            run_id=caller.actor.run_id,
            created_ns=now_ns,
            expires_ns=now_ns + rule.ttl_seconds * NANOSECONDS,
            votes=(),
        )
        await connection.execute(insert(approvals).values(row_values(approval)))
        body = {"rule": rule.model_dump(mode="json"), "call": call.model_dump()}
        body |= {"agent": approval.requested_agent, **times(approval)}
        await self._record(connection, "approval.requested", approval, caller.principal.id, body)
        return approval

    async def _vote(
        self, connection: AsyncConnection, approval_id: str, voter: Principal, vote: Vote
    ) -> Approval | Refused:
        approval = await self._current(connection, voter.tenant, approval_id)
        if approval is None:
            return await self._refuse(connection, "approval.vote", approval_id, voter, _unknown(approval_id))
        outcome = counted(approval, voter, vote)
        if isinstance(outcome, Counted):
            outcome = await self._changed(connection, approval) or outcome
        if isinstance(outcome, Refused):
            return await self._refuse(connection, "approval.vote", approval_id, voter, outcome)
        return await self._count(connection, approval, vote, outcome)

    async def _revoke_one(
        self, connection: AsyncConnection, approval_id: str, by: Principal, why: str
    ) -> Approval | Refused:
        approval = await self._current(connection, by.tenant, approval_id)
        refused = _unknown(approval_id) if approval is None else revocation_refusal(approval, by)
        if approval is None or refused is not None:
            return await self._refuse(connection, "approval.revoke", approval_id, by, refused or _unknown(approval_id))
        return await self._revoke(connection, approval, by.id, why)

    async def _revoke(self, connection: AsyncConnection, approval: Approval, by: str, why: str) -> Approval:
        await self._set_state(connection, approval, "revoked")
        await self._record(connection, "approval.revoked", approval, by, {"why": why, "was": approval.state})
        return approval.model_copy(update={"state": "revoked"})

    async def _assign(
        self, connection: AsyncConnection, approval_id: str, assignee: Principal, by: Principal
    ) -> Approval | Refused:
        approval = await self._current(connection, by.tenant, approval_id)
        refused = _unknown(approval_id) if approval is None else assigner_refusal(approval, by)
        if approval is None or refused is not None:
            return await self._refuse(connection, "approval.assign", approval_id, by, refused or _unknown(approval_id))
        unable = voter_refusal(approval, assignee)
        if unable is not None or assignee.tenant != approval.call.tenant:
            why = unable.why if unable else f"{assignee.id!r} belongs to another organisation"
            raise ConflictError(f"{why}; assign somebody who can vote")
        if approval.assignee == assignee.id:
            return approval
        return await self._assignments.hand_over(connection, approval, assignee.id, by=by.id)

    async def _current(self, connection: AsyncConnection, tenant: str, approval_id: str) -> Approval | None:
        """One approval of the tenant as it stands now; what is past its time is closed first."""
        query = select(approvals).where(approvals.c.tenant == tenant, approvals.c.approval_id == approval_id)
        await self._expire(connection, query)
        found = await read_approvals(connection, query, self._clock.now_ns())
        return found[0] if found else None

    async def _count(self, connection: AsyncConnection, approval: Approval, vote: Vote, outcome: Counted) -> Approval:
        values = vote.model_dump() | {"approval_id": approval.approval_id}
        await connection.execute(insert(approval_votes).values(values))
        await self._set_state(connection, approval, outcome.state)
        body = {"approve": vote.approve, "state": outcome.state, "note_sha256": sha256_text(vote.note)}
        body |= {"voted_ns": str(vote.at_ns)}
        await self._record(connection, "approval.voted", approval, vote.voter, body)
        return approval.model_copy(update={"state": outcome.state, "votes": (*approval.votes, vote)})

    async def _consume(self, connection: AsyncConnection, approval: Approval, caller: Caller) -> Approval:
        now_ns = self._clock.now_ns()
        result = await connection.execute(
            update(approvals)
            .where(
                approvals.c.approval_id == approval.approval_id,
                approvals.c.state == "approved",
                approvals.c.expires_ns > now_ns,
            )
            .values(state="consumed", consumed_ns=now_ns)
        )
        if result.rowcount != 1:
            raise DeniedError(f"the approval {approval.approval_id!r} was used meanwhile", code="approval_consumed")
        body = {"agent": caller.actor.agent}
        await self._record(connection, "approval.consumed", approval, caller.principal.id, body)
        return approval.model_copy(update={"state": "consumed"})

    async def _changed(self, connection: AsyncConnection, approval: Approval) -> Refused | None:
        """Why what is stored is not believed; None: it is what the signed events tell of it."""
        events = await self._audit.proved(approval.run_id, KINDS, connection=connection)
        differs = difference(approval, history_of(approval.approval_id, events))
        if not differs:
            return None
        name = approval.approval_id
        why = (
            f"{differs} of the approval {name!r} is not what the audit tells, so it is not used; revoke it with "
            f"`casewright approvals revoke {name} --why TEXT`, ask anew, and run `casewright audit verify`"
        )
        return Refused(code="approval_changed", why=why)

    async def _latest(
        self, connection: AsyncConnection, digest: str, *, states: tuple[str, ...] = ()
    ) -> Approval | None:
        query = select(approvals).where(approvals.c.digest == digest)
        if states:
            query = query.where(approvals.c.state.in_(states))
        query = query.order_by(approvals.c.created_ns.desc(), approvals.c.approval_id).limit(1)
        found = await read_approvals(connection, query.with_for_update(), self._clock.now_ns())
        return found[0] if found else None

    async def _expire(self, connection: AsyncConnection, scope: Select[Any]) -> tuple[str, ...]:
        """Close what is open and past its time within `scope`, each with its event."""
        now_ns = self._clock.now_ns()
        query = scope.where(approvals.c.state.in_(OPEN_STATES), approvals.c.expires_ns <= now_ns)
        due = await read_approvals(connection, query, now_ns)
        for approval in due:
            await self._set_state(connection, approval, "expired")
            await self._record(connection, "approval.expired", approval, "", {})
            asker = to_person(approval.requested_by)
            await add_notices(
                connection, [new_notice(approval, "expired", asker, due_ns=approval.expires_ns, at_ns=now_ns)]
            )
        return tuple(approval.approval_id for approval in due)

    async def _set_state(self, connection: AsyncConnection, approval: Approval, state: ApprovalState) -> None:
        query = update(approvals).where(approvals.c.approval_id == approval.approval_id)
        await connection.execute(query.values(state=state))

    async def _record(
        self,
        connection: AsyncConnection,
        kind: EventKind,
        approval: Approval,
        subject: str,
        body: Mapping[str, Any],
    ) -> None:
        await self._audit.append(approval_entry(kind, approval, subject, body), connection=connection)

    async def _refuse(
        self, connection: AsyncConnection, operation: str, approval_id: str, who: Principal, refused: Refused
    ) -> Refused:
        """Record a refusal; it is committed, and raised only after that."""
        body = {"operation": operation, "approval_id": approval_id[:100], "code": refused.code}
        entry = AuditEntry(kind="call.denied", tenant=who.tenant, subject=who.id, body=body)
        await self._audit.append(entry, connection=connection)
        return refused


def check_binding(call: ActionCall, caller: Caller) -> None:
    """The token names the tenant and the one case; a call about another does not exist for it.

    Raises:
        NotFoundError: the call is about another tenant or case.
    """
    if caller.principal.tenant != call.tenant or not call.case_id or caller.actor.case_id != call.case_id:
        raise NotFoundError(f"there is no case {call.case_id!r} for this caller; check the case the token names")


def _outcome(outcome: Approval | Refused) -> Approval:
    """The approval, or the refusal as the error that its person gets."""
    if isinstance(outcome, Approval):
        return outcome
    if outcome.code == "not_found":
        raise NotFoundError(outcome.why)
    raise DeniedError(outcome.why, code=outcome.code)


def _unknown(approval_id: str) -> Refused:
    return Refused(code="not_found", why=_absent(approval_id))


def _absent(approval_id: str) -> str:
    return f"there is no approval {approval_id!r}; list them with `casewright approvals list`"
