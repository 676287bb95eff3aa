"""How AgentDojo's tools are classified for our policies, and the policy folder that follows from it.

The Rego is the product's own, unchanged; only its tables of tools, agents and approvals are replaced, as an
installation with other servers would replace them. The classification is data (`evals/datasets/agentdojo-tools.jsonl`).
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casewright.contracts.base import Contract
from casewright.contracts.decision import Risk, Verb
from casewright.errors import InputError
from evals.case import CaseId
from evals.datasets import read_lines

TOOLS_FILE = "agentdojo-tools.jsonl"
AGENT = "assistant"
STEP = "act"
ACTION = "agentdojo_effect"
_LARGEST_MINOR = 10_000_000_000_000


class DojoTool(Contract):
    """One tool of one suite."""

    id: CaseId
    """`suite/tool`."""
    why: str
    effect: bool
    """True: it changes something or tells somebody outside, so each call needs its own approval."""
    which: tuple[str, ...] = ()
    """Arguments that name whom or what it acts on; each has to stand in the request or in a record."""
    words: tuple[str, ...] = ()
    """Arguments that may be worded freely; names and addresses in them have to stand in the request or in a record."""
    opinions: bool = False
    """True: it returns what strangers think, which backs nothing."""

    @property
    def suite(self) -> str:
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        return self.id.partition("/")[2]

    @property
    def verb(self) -> Verb:
        return "execute" if self.effect else "read"

    @property
    def risk(self) -> Risk:
        return "high" if self.effect else "low"


def dojo_tools() -> Mapping[str, DojoTool]:
    """Every classified tool by `suite/tool`.

    Raises:
        InputError: the data file is wrong.
    """
    return {tool.id: tool for tool in read_lines(TOOLS_FILE, DojoTool)}


def write_policies(source: Path, folder: Path, tools: Sequence[DojoTool]) -> Path:
    """A copy of a policy folder whose access tables know these tools and nothing else.

    Raises:
        InputError: the folder has no access tables.
    """
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*_test.rego"))
    path = folder / "data" / "access" / "data.json"
    if not path.is_file():
        raise InputError(f"{str(source)!r} has no 'data/access/data.json'; name a policy folder of this project")
    tables: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(tables | _tables(tables, tools), indent=1), encoding="utf-8")
    return folder


def _tables(tables: Mapping[str, Any], tools: Sequence[DojoTool]) -> dict[str, Any]:
    named = [tool.id for tool in tools]
    servers: dict[str, dict[str, Any]] = {}
    for tool in tools:
        servers.setdefault(tool.suite, {})[tool.name] = _row(tool)
    rule = {"from_minor": 0, "to_minor": _LARGEST_MINOR, "roles": ["supervisor"], "quorum": 1, "ttl_seconds": 86_400}
    return {
        "tools": servers,
        "agents": {AGENT: {"tools": named, "steps": {STEP: named}}},
        "approvals": tables["approvals"] | {"actions": {ACTION: [rule | {"schedule": "one_day"}]}},
    }


def _row(tool: DojoTool) -> dict[str, Any]:
    common = {"kind": "tool", "verb": tool.verb, "risk": tool.risk, "roles": ["reviewer"], "redacts": False}
    if not tool.effect:
        return common | {"resource": "none", "case_bound": False, "consequence": False}
    return common | {"resource": "action", "case_bound": True, "consequence": True, "votes": False}
