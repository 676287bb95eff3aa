"""Live controls: kill switches and budgets that a command changes while servers run.

They are part of the input of every decision (`context.controls`), so both policy engines see the
newest ones with the next call. Ceilings for budgets are in the reviewed policy data, not here.
"""

from typing import Annotated, Literal

from pydantic import Field

from casewright.contracts.base import Contract

Budget = Literal["tool_calls", "steps"]
"""What a limit may be set on, in the words of `context.budgets`."""
ActorKind = Literal["agent", "user"]
_LARGEST = 2**53
Limit = Annotated[int, Field(ge=0, le=_LARGEST)]
Names = Annotated[tuple[Annotated[str, Field(max_length=400)], ...], Field(max_length=1_000)]


class Switches(Contract):
    """What is switched off; names are compared exactly."""

    everything: bool = False
    tools: Names = ()
    """`server/tool`, a tool's name, or a server's name."""
    agents: Names = ()
    models: Names = ()
    """`provider/model` as the gateway names it."""
    tenants: Names = ()


class Controls(Contract):
    """The newest controls; `version` 0 means that nobody has changed any."""

    version: int = Field(default=0, ge=0, le=_LARGEST)
    switches: Switches = Switches()
    limits: dict[ActorKind, dict[Budget, Limit]] = Field(default_factory=dict[ActorKind, dict[Budget, int]])
    """Budgets that replace those of the policy data, as far as its ceilings allow."""
