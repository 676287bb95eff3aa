"""Policy engines that answer oddly: in shapes that no decision has, late, not at all, or without an obligation."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from casewright.access.engine import PolicyEngine, UndefinedRuleError
from casewright.errors import PolicyError
from evals.unenforced import ACCESS_RULE, AllowingEngine

Oddity = Literal[
    "nothing",
    "text",
    "yes",
    "empty",
    "list",
    "unknown_field",
    "unknown_obligation",
    "forgets_approval",
    "denied_but_allowed",
    "other_tenant",
    "undefined",
    "fails",
    "breaks",
    "late",
]
"""How the answer to an access question is odd."""
LATE_SECONDS = 2.2
"""More than a decision may take."""


@dataclass
class Strikes:
    """How often something odd still happens, and how often it did."""

    left: int
    met: int = 0
    active: bool = False

    def take(self) -> bool:
        """Whether it happens now."""
        if not self.active or self.left <= 0:
            return False
        self.left -= 1
        self.met += 1
        return True


class OddEngine(AllowingEngine):
    """The real engine, of which some answers about one tool are spoiled. It never allows by itself."""

    def __init__(self, real: PolicyEngine, oddity: Oddity, tool: str, strikes: Strikes) -> None:
        super().__init__(real)
        self._real = real
        self._oddity: Oddity = oddity
        self._tool = tool
        self._strikes = strikes

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        real = self._real.evaluate(rule, document)
        if rule != ACCESS_RULE or not self._is_meant(document) or not self._strikes.take():
            return real
        match self._oddity:
            case "undefined":
                raise UndefinedRuleError(f"the rule {rule!r} has no value for this document")
            case "fails":
                raise PolicyError("the engine does not answer")
            case "breaks":
                raise RuntimeError("a panic in native code")
            case "late":
                time.sleep(LATE_SECONDS)
                return real
            case _:
                return _SPOILED[self._oddity](cast("dict[str, Any]", real))

    def _is_meant(self, document: Mapping[str, object]) -> bool:
        asked = cast("dict[str, Any]", document)
        return asked.get("mode") == "call" and self._tool in ("", str(asked["tool"]["name"]))


def _without_approval(real: dict[str, Any]) -> dict[str, Any]:
    kept = [one for one in real["obligations"] if one["kind"] != "approval"]
    return real | {"obligations": kept, "effect": "permit"}


def _elsewhere(real: dict[str, Any]) -> dict[str, Any]:
    return real | {"filters": real["filters"] | {"tenant": "millbrook"}}


_SPOILED: Mapping[Oddity, Callable[[dict[str, Any]], object]] = {
    "nothing": lambda real: None,
    "text": lambda real: "allow",
    "yes": lambda real: True,
    "empty": lambda real: {},
    "list": lambda real: [real, real],
    "unknown_field": lambda real: real | {"admin": True},
    "unknown_obligation": lambda real: real | {"obligations": [*real["obligations"], {"kind": "trust"}]},
    "forgets_approval": _without_approval,
    "denied_but_allowed": lambda real: real | {"effect": "deny"},
    "other_tenant": _elsewhere,
}
