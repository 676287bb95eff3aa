"""`casewright eval run --isolated`: becomes the same command closed to the network (see `evals.isolation`)."""

import atexit
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from casewright.errors import UnavailableError


def isolate(note: Callable[[str], None]) -> None:
    """Go on inside, or return at once where this process is inside already.

    Raises:
        UnavailableError: it should be inside and is not, since Python does not start with the guard here.
    """
    from evals.isolation import inside, network_seen
    from evals.sockets import LOG_VARIABLE

    seen = network_seen()
    if seen is not None:
        if LOG_VARIABLE in os.environ:
            atexit.register(Path(os.environ[LOG_VARIABLE]).unlink, missing_ok=True)
        note(f"closed to the network: {seen.how}")
        return
    if os.environ.get(LOG_VARIABLE):
        raise UnavailableError(
            f"{LOG_VARIABLE} is set and nothing guards this process; unset it, and let Python read PYTHONPATH"
        )
    handle, log = tempfile.mkstemp(prefix="casewright-eval-network-", suffix=".log")
    os.close(handle)
    command, environment = inside([sys.executable, "-m", "casewright.launch", *sys.argv[1:]], Path(log))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], command, environment)  # noqa: S606 - our own command again, without a shell
