"""Where the people who may decide on an approval find it, as an address and in words."""

from casewright.config import Settings
from casewright.contracts.approval import Approval


def approval_url(settings: Settings, approval_id: str) -> str:
    """The address of an approval; empty: it is not known where people reach this installation."""
    return f"{settings.approvals_url}/{approval_id}" if settings.approvals_url else ""


def how_to_approve(settings: Settings, approval: Approval) -> str:
    """Who decides, where, and what to do then."""
    roles = " or ".join(approval.voting_roles)
    url = approval_url(settings, approval.approval_id)
    found = f"at {url} or with " if url else "with "
    return (
        f"{approval.remaining} more approval(s) by {roles} needed, not by {approval.requested_by!r}; they decide "
        f"{found}`casewright approvals approve {approval.approval_id}`. Then make the same call again."
    )
