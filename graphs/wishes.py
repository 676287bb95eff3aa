"""What a person may want of a run that is under way: to be cancelled, or to rest. Pure: values in, a value out."""

from dataclasses import dataclass
from typing import Literal

from casewright.contracts.run import RunStatus
from casewright.errors import ConflictError, InputError
from graphs.records import ENDED, RunRow

LONGEST_WHY = 1_000
_DONE: dict[Literal["cancel", "pause"], RunStatus] = {"cancel": "cancelled", "pause": "paused"}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is wanted, and why; the reason is text and never interpreted."""

    wanted: Literal["cancel", "pause"]
    why: str

    @property
    def status(self) -> RunStatus:
        """The status of a run for which it was done."""
        return _DONE[self.wanted]


def check_wish(row: RunRow, wish: Wish) -> None:
    """Whether it can be wanted of a run that stands like this.

    Raises:
        InputError: the reason is too long.
        ConflictError: the run has ended, or it failed and is to rest.
    """
    if len(wish.why) > LONGEST_WHY:
        raise InputError(f"the reason has {len(wish.why)} characters; {LONGEST_WHY} are kept, shorten it")
    if row.status in ENDED:
        raise ConflictError(f"run {row.run_id!r} has ended already: {row.status}")
    if wish.wanted == "pause" and row.status == "failed":
        raise ConflictError(f"run {row.run_id!r} has failed and rests; retry it or cancel it")


def stopped_because(wanted: Literal["cancel", "pause"], *, by: str, why: str) -> str:
    """Why a run stands still, in words."""
    return f"{_DONE[wanted]} by {by}" + (f": {why.strip()}" if why.strip() else "")
