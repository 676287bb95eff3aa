"""What becomes of a run whose step failed: it is tried again after growing pauses, then it rests as failed. Pure.

A failure is the machine's (no disk, no model, a defect), never the review's: that ends as incomplete, with its reason.
"""

import re

from casewright.clock import NANOSECONDS, iso
from casewright.errors import CasewrightError
from graphs.records import RunChange, RunRow
from graphs.seals import TamperedError
from graphs.versions import VersionRefusedError

HOPELESS: tuple[type[Exception], ...] = (VersionRefusedError, TamperedError)
"""What another attempt cannot mend."""

PAUSES_SECONDS = (1, 5, 30, 120)
"""After the first attempt, the second, and so on; there is no pause after the last."""
MAX_ATTEMPTS = len(PAUSES_SECONDS) + 1
LONGEST_REASON = 600
_QUOTED_PLACE = re.compile(r"""(['"])/[^'"]*?([^'"/]+)/?\1""")
_PLACE = re.compile(r"""(?<![\w./:'"])/(?:[^\s'"/]+/)+(?=[^\s'"/])""")
"""Files by their whole path: where they are on this machine is not for everybody who may read the run."""


def after_failure(row: RunRow, error: BaseException, *, progressed: bool, now_ns: int) -> RunChange:
    """The row's change after an attempt that ended with `error`.

    Args:
        progressed: a step was finished in this attempt, so the failures before were of another step.
    """
    if not isinstance(error, Exception):  # somebody stopped the process: no failure of the step
        return RunChange(status="queued", because="stopped in the middle; it goes on from its last step")
    attempts = 1 if progressed else row.attempts + 1
    reason = reason_of(error)
    if attempts >= MAX_ATTEMPTS or isinstance(error, HOPELESS):
        because = f"a step failed {attempts} time(s), the last time because {reason}"
        return RunChange(status="failed", because=because, values={"attempts": attempts, "not_before_ns": 0})
    next_ns = now_ns + PAUSES_SECONDS[attempts - 1] * NANOSECONDS
    because = f"attempt {attempts} failed because {reason}; the next is due at {iso(next_ns)}"
    return RunChange(status="queued", because=because, values={"attempts": attempts, "not_before_ns": next_ns})


def reason_of(error: Exception) -> str:
    """The error in words, files by their last name; of one that nobody expected only its kind.

    The text of such an error may hold anything, and whoever may read the run reads this.
    """
    if isinstance(error, CasewrightError):
        return _PLACE.sub("", _QUOTED_PLACE.sub(r"\1\2\1", str(error)))[:LONGEST_REASON]
    return f"of an unexpected failure ({type(error).__name__}); the log has the details"
