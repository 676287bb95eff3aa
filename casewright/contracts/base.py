"""The base of every model that crosses a process boundary.

Frozen and closed: an unknown field is an error, so that nothing is carried along unread.
It is deliberately *not* a place for behaviour. Every module in `contracts` builds on it.
"""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A frozen document with no room for unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=400_000)
