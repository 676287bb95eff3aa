"""Asks the policy before a command does something, and says a watermark aloud."""

import sys

from casewright.contracts.decision import Decision
from casewright.contracts.principal import Principal
from casewright.services import Services
from commands.visible import visible_text
from servers.permission import Deed, permitted

TERMINAL = "command-line"
"""The session that a person's commands are recorded under."""


async def permit(services: Services, principal: Principal, deed: Deed) -> Decision:
    """Decide and record; returns the decision for its filters.

    Raises:
        DeniedError: the policy says no; audited with its reasons.
    """
    permission = await permitted(services, principal, deed, session=TERMINAL)
    say_watermark(permission.duties.watermark)
    return permission.decision


def say_watermark(text: str) -> None:
    """Tell the reader for whom this was made, where it is marked; empty: it is not."""
    if text:
        sys.stderr.write(f"casewright: {visible_text(text)}\n")
