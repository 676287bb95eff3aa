"""Checks a policy folder on every engine at hand, for those who write policies.

The embedded engine always runs: parse, lint, warm-up. OPA and Regal run where they are installed;
what did not run is part of the answer, with the reason. Nothing here is put in force.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casewright.access.binaries import Absent, Binary, find
from casewright.access.bundle import Bundle, read_bundle
from casewright.access.opa_tools import opa_check, opa_format, regal_lint
from casewright.access.syntax import Problem
from casewright.access.warmup import inspect, vet
from casewright.errors import PolicyError


@dataclass(frozen=True, kw_only=True)
class EngineCheck:
    """What one checker said."""

    engine: str
    """`embedded`, `opa check`, `opa fmt` or `regal`."""
    version: str
    ran: bool
    why_not: str
    """Empty when it ran."""
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Whether a folder could be put in force."""

    ok: bool
    """Every checker that ran found nothing."""
    problems: tuple[Problem, ...]
    """Of all checkers, in order of place."""
    revision: str
    """Empty when the folder could not be read."""
    engines: tuple[EngineCheck, ...]


def check(folder: Path, *, search: str | None = None) -> CheckReport:
    """`check_embedded`, then OPA and Regal, found on PATH or in `search`."""
    own = check_embedded(folder)
    if not own.revision:
        return own
    engines = (*own.engines, *_beside(folder, search))
    found = {problem for engine in engines for problem in engine.problems}
    problems = tuple(sorted(found, key=lambda problem: (problem.path, problem.line, problem.message)))
    return CheckReport(ok=not problems, problems=problems, revision=own.revision, engines=engines)


def check_embedded(folder: Path) -> CheckReport:
    """What a server does before it takes a folder: parse, lint (here tests as well) and warm up."""
    try:
        bundle = read_bundle(folder)
    except PolicyError as error:
        refused = (Problem(path=str(folder), line=0, message=str(error)),)
        return CheckReport(ok=False, problems=refused, revision="", engines=(_embedded(refused),))
    problems = _own_problems(folder, bundle)
    return CheckReport(ok=not problems, problems=problems, revision=bundle.revision, engines=(_embedded(problems),))


def _embedded(problems: tuple[Problem, ...]) -> EngineCheck:
    return EngineCheck(engine="embedded", version="", ran=True, why_not="", problems=problems)


def _own_problems(folder: Path, bundle: Bundle) -> tuple[Problem, ...]:
    _, problems = inspect(bundle, with_tests=True)
    if not problems:
        try:
            vet(bundle)
        except PolicyError as error:
            return (Problem(path=str(folder), line=0, message=str(error)),)
    return problems


def _beside(folder: Path, search: str | None) -> tuple[EngineCheck, ...]:
    opa, regal = find("opa", search=search), find("regal", search=search)
    return (
        _run("opa check", opa, lambda found: opa_check(found, folder)),
        _run("opa fmt", opa, lambda found: opa_format(found, folder)),
        _run("regal", regal, lambda found: regal_lint(found, folder)),
    )


def _run(name: str, found: Binary | Absent, ask: Callable[[Binary], tuple[Problem, ...]]) -> EngineCheck:
    if isinstance(found, Absent):
        return EngineCheck(engine=name, version="", ran=False, why_not=found.why, problems=())
    try:
        problems = ask(found)
    except PolicyError as error:
        problems = (Problem(path=str(found.path), line=0, message=str(error)),)
    return EngineCheck(engine=name, version=found.version, ran=True, why_not="", problems=problems)
