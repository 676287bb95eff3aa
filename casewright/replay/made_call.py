"""One call of a tool as its caller made it, and what came back: the unit that is recorded and replayed."""

from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["answered", "refused", "failed"]
"""`refused` by the server, in its words; `failed` as an error of the protocol, with its code."""


@dataclass(frozen=True, kw_only=True)
class MadeCall:
    """A call that came to its end."""

    tool: str
    arguments: dict[str, Any]
    """As they were sent: plain JSON."""
    ending: Ending
    result: dict[str, Any] | None = None
    """The structured result; None: there is none."""
    said: str = ""
    """Of a refusal or an error: the server's words."""
    code: int = 0
    """Of an error of the protocol."""
