"""Who may vote or revoke, and what the votes amount to. Pure: values in, a value out."""

from dataclasses import dataclass
from typing import Literal

from casewright.contracts.approval import Approval, ApprovalRule, Schedule, Vote
from casewright.contracts.principal import Principal
from casewright.errors import InputError

MAX_QUORUM = 5
MAX_TTL_SECONDS = 30 * 86_400
MAX_NOTE_CHARACTERS = 4_000
MAX_ID_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The vote does not count. `code` is for the audit; `why` tells the voter."""

    code: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The vote counts and this is the state it leads to."""

    state: Literal["pending", "approved", "rejected"]


def check_rule(rule: ApprovalRule) -> None:
    """Refuse rules under which nobody, or the author alone, could approve.

    Raises:
        InputError: with the field that is out of range.
    """
    if not rule.roles or not all(role.strip() for role in rule.roles):
        raise InputError(f"the approval rule names the roles {rule.roles!r}; name at least one")
    if not 1 <= rule.quorum <= MAX_QUORUM:
        raise InputError(f"the approval rule asks for {rule.quorum!r} approvals; ask for 1 to {MAX_QUORUM}")
    if not rule.author_excluded:
        raise InputError("the approval rule lets the author approve; the author is always excluded")
    if not 1 <= rule.ttl_seconds <= MAX_TTL_SECONDS:
        raise InputError(f"the approval rule is valid for {rule.ttl_seconds!r} s; use 1 to {MAX_TTL_SECONDS}")
    _check_schedule(rule.schedule, rule.ttl_seconds)


def _check_schedule(schedule: Schedule, ttl_seconds: int) -> None:
    times = [reminder.after_seconds for reminder in schedule.reminders]
    if times != sorted(set(times)):
        raise InputError(f"the reminders come after {times!r} s; name them in order, each time once")
    if any(after >= ttl_seconds for after in (*times, schedule.escalate_after_seconds)):
        raise InputError(f"the approval rule is over after {ttl_seconds} s; remind and escalate before that")
    if bool(schedule.escalate_to) != bool(schedule.escalate_after_seconds):
        raise InputError("the approval rule escalates to nobody or never; name roles and a time, or neither")
    if not all(role.strip() for role in schedule.escalate_to):
        raise InputError(f"the approval rule escalates to the roles {schedule.escalate_to!r}; name roles")


def person(identifier: str) -> str:
    """The one spelling of a person's id, so that `Rosa` and `rosa` cannot vote twice.

    Raises:
        InputError: the id is empty, too long, or not plain ASCII (a look-alike could be another's).
    """
    if not identifier.isascii() or not identifier.isprintable() or not identifier.strip():
        raise InputError(f"the id {identifier!r} is not plain ASCII; people who ask or vote need a plain id")
    if len(identifier) > MAX_ID_CHARACTERS:
        raise InputError(f"the id {identifier[:20]!r}… is longer than {MAX_ID_CHARACTERS} characters")
    return identifier.strip().casefold()


def check_reason(why: str) -> None:
    """A revocation says why, in a note's length.

    Raises:
        InputError: it does not.
    """
    if not why.strip():
        raise InputError("no reason is given; say why with --why TEXT")
    if len(why) > MAX_NOTE_CHARACTERS:
        raise InputError(f"the reason has {len(why)} characters; {MAX_NOTE_CHARACTERS} are kept, shorten it")


def counted(approval: Approval, voter: Principal, vote: Vote) -> Counted | Refused:
    """What this vote does to an approval of the voter's own tenant."""
    refusal = state_refusal(approval) or voter_refusal(approval, voter)
    if refusal is not None:
        return refusal
    if not vote.approve:
        return Counted(state="rejected")
    approving = {person(earlier.voter) for earlier in approval.votes if earlier.approve} | {person(voter.id)}
    return Counted(state="approved" if len(approving) >= approval.rule.quorum else "pending")


def is_complete(approval: Approval) -> bool:
    """Whether the votes themselves carry the approval, whatever its state says."""
    people = {person(vote.voter) for vote in approval.votes if vote.approve} - {person(approval.requested_by)}
    return len(people) >= approval.rule.quorum and all(vote.approve for vote in approval.votes)


def revocation_refusal(approval: Approval, by: Principal) -> Refused | None:
    """Why this person may not take back an approval of their own tenant; None: they may."""
    name = approval.approval_id
    if approval.state not in ("pending", "approved"):
        return Refused(
            code=f"approval_{approval.state}",
            why=f"the approval {name!r} is {approval.state}; nothing is left to revoke",
        )
    if by.authentication == "service":
        return Refused(code="not_a_person", why=f"{by.id!r} is a service; approvals are taken back by people")
    if person(by.id) == person(approval.requested_by) or set(by.roles) & set(approval.voting_roles):
        return None
    roles = ", ".join(approval.voting_roles)
    return Refused(
        code="role_missing", why=f"only {approval.requested_by!r} or one of the roles {roles} revokes {name!r}"
    )


def assigner_refusal(approval: Approval, by: Principal) -> Refused | None:
    """Why this person may not say who is expected to vote; None: they may, whether they have voted or not."""
    unvoted = approval.model_copy(update={"votes": ()})
    return state_refusal(approval) or voter_refusal(unvoted, by)


def state_refusal(approval: Approval) -> Refused | None:
    """Why an approval takes no more votes; None: it does."""
    if approval.state == "pending":
        return None
    return Refused(
        code=f"approval_{approval.state}",
        why=f"the approval {approval.approval_id!r} is {approval.state}; it takes no more votes",
    )


def voter_refusal(approval: Approval, voter: Principal) -> Refused | None:
    """Why this person of the approval's tenant may not vote on it; None: they may."""
    name = approval.approval_id
    if voter.authentication == "service":
        return Refused(code="not_a_person", why=f"{voter.id!r} is a service; approvals are given by people")
    if not set(voter.roles) & set(approval.voting_roles):
        roles = ", ".join(approval.voting_roles)
        return Refused(code="role_missing", why=f"the approval {name!r} needs one of the roles {roles}")
    if person(voter.id) == person(approval.requested_by):
        return Refused(code="author_excluded", why=f"{voter.id!r} asked for {name!r}; another person has to decide")
    if person(voter.id) in {person(vote.voter) for vote in approval.votes}:
        return Refused(code="already_voted", why=f"{voter.id!r} has voted on {name!r}; each person votes once")
    return None
