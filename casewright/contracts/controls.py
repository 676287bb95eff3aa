"""Live controls: kill switches and budgets that a command changes while servers run.

They are part of the input of every decision (`context.controls`), so both policy engines see the
newest ones with the next call. Ceilings for budgets are in the reviewed policy data, not here.
"""

from typing import Literal

from pydantic import Field

from casewright.contracts.base import Contract

Budget = Literal["tool_calls", "steps"]
"""What a limit may be set on, in the words of `context.budgets`."""
ActorKind = Literal["agent", "user"]


class Switches(Contract):
    """What is switched off; names are compared exactly."""

    everything: bool = False
    tools: tuple[str, ...] = ()
    """`server/tool`, a tool's name, or a server's name."""
    agents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """`provider/model` as the gateway names it."""
    tenants: tuple[str, ...] = ()


class Controls(Contract):
    """The newest controls; `version` 0 means that nobody has changed any."""

    version: int = Field(default=0, ge=0)
    switches: Switches = Switches()
    limits: dict[ActorKind, dict[Budget, int]] = Field(default_factory=dict[ActorKind, dict[Budget, int]])
    """Budgets that replace those of the policy data, as far as its ceilings allow."""
