"""What a server says of a call that failed although nothing was wrong with it: its own failure, not a refusal.

Servers answer so (see `servers.boundary`), and who called tells by these words whether the same call may be made again.
They name nothing of the failure, which is in the server's log.
"""

NO_ANSWER = "a part of the server does not answer; try again in a moment"


def failed(tool: str) -> str:
    """The words for a tool that failed."""
    return f"{tool!r} failed; the reason is in the server's log"


def is_servers_own(tool: str, said: str) -> bool:
    """Whether the answer to a call of this tool says that the server failed."""
    return said in (NO_ANSWER, failed(tool))
