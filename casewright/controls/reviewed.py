"""What the reviewed policy data says that live controls are held to: names there are, ceilings, switches.

It reads the policy folder, which only a review changes. It is deliberately *not* a policy engine,
and it decides nothing: `casewright.controls.paths` refuses what does not fit.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from casewright.contracts.controls import ActorKind, Budget, Switches
from casewright.errors import PolicyError

DATA_FILE = "data/access/data.json"


@dataclass(frozen=True, kw_only=True)
class ReviewedData:
    """The part of the access policy's data that live controls refer to."""

    tools: frozenset[str]
    """`server/tool` of every registered tool."""
    agents: frozenset[str]
    limits: dict[tuple[ActorKind, Budget], int]
    """What holds while no control replaces it."""
    ceilings: dict[tuple[ActorKind, Budget], int]
    """The most that a control may set."""
    switches: Switches
    """What is off whatever the live controls say."""

    @classmethod
    def read(cls, policies: Path) -> "ReviewedData":
        """The data of a policy folder.

        Raises:
            PolicyError: it is missing or lacks what controls are held to.
        """
        path = policies / DATA_FILE
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                tools=frozenset(f"{server}/{tool}" for server, tools in data["tools"].items() for tool in tools),
                agents=frozenset(data["agents"]),
                limits=_budgets(data["limits"]),
                ceilings=_budgets(data["limits"]["ceilings"]),
                switches=Switches.model_validate(data["switches"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise PolicyError(
                f"{str(path)!r} does not say which tools, agents, limits and ceilings there are "
                f"({type(error).__name__}: {error}); `casewright policy check` shows what to mend"
            ) from error

    @property
    def tool_names(self) -> frozenset[str]:
        """Every way to name tools in a switch: `server/tool`, the tool alone, the whole server."""
        servers = {name.partition("/")[0] for name in self.tools}
        return self.tools | servers | {name.partition("/")[2] for name in self.tools}


def _budgets(section: dict[str, dict[str, int]]) -> dict[tuple[ActorKind, Budget], int]:
    found = {(kind, budget): section[kind][budget] for kind in get_args(ActorKind) for budget in get_args(Budget)}
    if odd := [value for value in found.values() if type(value) is not int or value < 1]:
        raise ValueError(f"{odd[0]!r} is no whole number from 1")
    return found
