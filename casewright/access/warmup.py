"""Checks a bundle before it may decide anything: syntax, lint, and one run that may crash safely.

regorus has no time limit and dies of deep recursion, so the first evaluation happens in a child
process. What passed is remembered by revision in a folder that the caller names, and only there.
It is deliberately *not* a test run; see `testing`.
"""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from casewright.access.bundle import Bundle
from casewright.access.lint import lint
from casewright.access.syntax import Problem, RegoSyntaxError, Syntax, parse
from casewright.errors import PolicyError

WARM_UP_SECONDS = 20.0
_CHECKS = "1"
"""Raise it when a check becomes stricter, so that what passed before is looked at again."""
_DOCUMENTS: tuple[dict[str, object], ...] = (
    {},
    {
        "schema": "input/v1",
        "mode": "call",
        "principal": {
            "id": "warm-up",
            "tenant": "warm-up",
            "roles": ["reviewer", "supervisor", "auditor"],
            "clearance": "restricted",
            "labels": [],
            "authentication": "service",
            "authenticated_at": 0,
        },
        "actor": {
            "kind": "agent",
            "agent": "executor",
            "run_id": "r",
            "case_id": "c",
            "step": "act",
            "scopes": ["execute_action"],
        },
        "tool": {
            "server": "drafting",
            "kind": "tool",
            "name": "execute_action",
            "verb": "execute",
            "risk": "high",
            "definition_hash": "",
        },
        "resource": {
            "kind": "action",
            "exists": True,
            "id": "c",
            "tenant": "warm-up",
            "team": "",
            "classification": "restricted",
            "sealed": True,
            "assigned_to": [],
            "conflicts": [],
            "state": "open",
            "author": "",
            "action": "deny_claim",
            "amount_minor": 0,
            "run_id": "r",
        },
        "arguments": {},
        "arguments_digest": "",
        "provenance": {},
        "context": {
            "now_ns": 0,
            "step": 0,
            "budgets": {"tool_calls": 0, "steps": 0},
            "controls": {
                "version": 0,
                "switches": {"everything": False, "tools": [], "agents": [], "models": [], "tenants": []},
                "limits": {"agent": {"tool_calls": 1, "steps": 1}},
            },
            "release": "",
        },
    },
)
"""An empty document and a whole one."""


def vet(bundle: Bundle, *, cache: Path | None = None, limit_seconds: float = WARM_UP_SECONDS) -> None:
    """Refuse a bundle that does not parse, does not pass the lint, crashes or runs too long.

    Raises:
        PolicyError: names the first problems with file and line.
    """
    marker = cache / f"policies-{bundle.revision}-{_CHECKS}-{_engine_version()}" if cache else None
    if marker and marker.is_file():
        return
    modules, problems = inspect(bundle)
    if problems:
        shown = "; ".join(f"{problem.path}:{problem.line}: {problem.message}" for problem in problems[:5])
        raise PolicyError(f"{len(problems)} problems in the policies: {shown}; run `casewright policy check`")
    _warm_up(bundle, modules, limit_seconds)
    if marker:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def inspect(bundle: Bundle, *, with_tests: bool = False) -> tuple[list[Syntax], tuple[Problem, ...]]:
    """Parse and lint; returns what could be parsed and everything that is wrong."""
    modules: list[Syntax] = []
    refused: list[Problem] = []
    for module in (*bundle.modules, *(bundle.tests if with_tests else ())):
        try:
            modules.append(parse(module))
        except RegoSyntaxError as error:
            refused.append(error.problem)
    return modules, tuple(refused) or lint(modules)


def _warm_up(bundle: Bundle, modules: Sequence[Syntax], limit_seconds: float) -> None:
    rules = sorted(
        {
            ".".join((*syntax.package, rule.name))
            for syntax in modules
            for rule in syntax.rules
            if rule.kind != "function"
        }
    )
    job = json.dumps(
        {
            "modules": [(module.path, module.text) for module in bundle.modules],
            "data": bundle.data_json,
            "documents": _DOCUMENTS,
            "rules": rules,
        }
    )
    command = [sys.executable, "-P", str(Path(__file__).with_name("warmup_child.py"))]
    try:
        child = subprocess.run(command, input=job, capture_output=True, text=True, timeout=limit_seconds, check=False)  # noqa: S603 -- our own file
    except subprocess.TimeoutExpired as error:
        message = f"the policies ran longer than {limit_seconds} s on a small document; make their rules cheaper"
        raise PolicyError(message) from error
    except OSError as error:
        raise PolicyError(f"the policies could not be tried out: {error}; check that Python can be started") from error
    if child.returncode != 0 or child.stdout.strip() != "done":
        reason = child.stderr.strip()[:500] or f"exit code {child.returncode}"
        raise PolicyError(f"the policies crashed the engine: {reason}; correct them")


def _engine_version() -> str:
    try:
        return importlib.metadata.version("gordon-to-regorus")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
