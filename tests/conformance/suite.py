"""Runs the official conformance suite against ours and against the SDK alone: `make conformance`.

Both are measured in the same way: a fixture server bare and behind our guard, and a client that calls tools as the SDK
does and through our toolbox. What has to be equal is each scenario that the revision scores; `exceptions.toml` names
every difference with its reason.
"""

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2

from tests.conformance.node import binary, with_node
from tests.conformance.prepared import prepared
from tests.support.installation import CHECKOUT, process_environment
from tests.support.opa import free_port

Side = Literal["server", "client"]
Revision = Literal["2025-11-25", "2026-07-28"]
SIDES: tuple[Side, ...] = ("server", "client")
REVISIONS: tuple[Revision, ...] = ("2025-11-25", "2026-07-28")
OURS: dict[Side, str] = {"server": "guarded", "client": "ours"}
EXCEPTIONS = Path(__file__).with_name("exceptions.toml")
RUN_SECONDS = 900
START_SECONDS = 60
SCENARIO_MS = 300_000
"""The suite starts all its clients at once, and they take turns."""
_LINE = re.compile(r"^[✓✗] (\S+): (\d+) passed, (\d+) failed", re.MULTILINE)
_UNSCORED = re.compile(r"^ +[✓✗] (\S+) \([\w-]+\)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Checks of one scenario."""

    passed: int
    failed: int

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run of the suite found."""

    scored: Mapping[str, Counts]
    unscored: Mapping[str, Counts]

    @property
    def total(self) -> Counts:
        """Of the scored scenarios."""
        return _sum(self.scored)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Ours beside bare, for one side and revision."""

    side: Side
    revision: Revision
    bare: Outcome
    ours: Outcome

    def differing(self) -> frozenset[str]:
        """The scored scenarios that came out otherwise than with the SDK alone."""
        names = set(self.bare.scored) | set(self.ours.scored)
        return frozenset(name for name in names if self.bare.scored.get(name) != self.ours.scored.get(name))

    def problems(self) -> list[str]:
        """What is not as `exceptions.toml` says, in sentences."""
        known = exceptions(self.side, self.revision)
        where = f"{self.side} {self.revision}"
        found = [
            f"{where}: {name}: ours {self.ours.scored.get(name)}, bare {self.bare.scored.get(name)}"
            for name in sorted(self.differing() - set(known))
        ]
        found += [
            f"{where}: {name} is an exception that is none any more" for name in sorted(set(known) - self.differing())
        ]
        return found or ([f"{where}: the suite scored nothing"] if not self.bare.total.passed else [])


def exceptions(side: Side, revision: Revision) -> dict[str, str]:
    """Scenario and reason of every difference that is known."""
    entries = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8")).get("exception", [])
    return {
        entry["scenario"]: entry["reason"]
        for entry in entries
        if (side, revision) == (entry["side"], entry["revision"])
    }


def compared(side: Side, revision: Revision) -> Comparison:
    """Run the suite twice, against the SDK alone and against ours."""
    bare, ours = (examined(side, kind, revision) for kind in ("bare", OURS[side]))
    return Comparison(side=side, revision=revision, bare=bare, ours=ours)


def examined(side: Side, kind: str, revision: Revision) -> Outcome:
    """One run of the suite."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder = Path(name)
        if side == "client":
            command = shlex.join([sys.executable, "-m", "tests.conformance.turns", str(folder), kind])
            return _run("client", "--command", command, "--timeout", str(SCENARIO_MS), "--requirements", revision)
        with serving(kind, folder) as url:
            return _run("server", "--url", url, "--requirements", revision)


@contextlib.contextmanager
def serving(kind: str, folder: Path) -> Generator[str]:
    """A fixture server as a process; its address."""
    more = [str(path) for path in prepared(folder)] if kind != "bare" else []
    port = free_port()
    command = [sys.executable, "-m", "tests.conformance.server", kind, str(port), *more]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=process_environment(folder), cwd=CHECKOUT, stdout=log, stderr=log)
        try:
            yield _answering(process, f"http://127.0.0.1:{port}/mcp")
        finally:
            process.kill()
            process.wait(10)


def _answering(process: subprocess.Popen[bytes], url: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(url, timeout=5)
        except httpx2.TransportError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        else:
            return url
    raise RuntimeError(f"the fixture server did not answer at {url!r}")


def _run(*arguments: str) -> Outcome:
    command = [str(binary("conformance")), *arguments]
    environment = with_node(process_environment(CHECKOUT))
    done = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    return parsed(done.stdout + done.stderr)


def parsed(output: str) -> Outcome:
    """What the suite printed, as counts.

    Raises:
        ValueError: there is no summary in it.
    """
    _, found, summary = output.rpartition("SUMMARY ===")
    counts = {name: Counts(passed=int(passed), failed=int(failed)) for name, passed, failed in _LINE.findall(summary)}
    if not found or not counts:
        raise ValueError(f"the suite printed no summary: {output[-2_000:]}")
    unscored = frozenset(_UNSCORED.findall(summary))
    return Outcome(
        scored={name: count for name, count in counts.items() if name not in unscored},
        unscored={name: count for name, count in counts.items() if name in unscored},
    )


def _sum(counts: Mapping[str, Counts]) -> Counts:
    return Counts(passed=sum(c.passed for c in counts.values()), failed=sum(c.failed for c in counts.values()))


def shown(comparison: Comparison) -> str:
    """Counts of ours and bare side by side, and every scenario that differs."""
    lines = [f"{comparison.side} {comparison.revision}"]
    for label, outcome in (("bare", comparison.bare), ("ours", comparison.ours)):
        scenarios = len(outcome.scored)
        clean = sum(not counts.failed for counts in outcome.scored.values())
        unscored = _sum(outcome.unscored)
        lines.append(f"  {label}: {clean} of {scenarios} scored scenarios pass: {outcome.total}; unscored: {unscored}")
    known = exceptions(comparison.side, comparison.revision)
    for name in sorted(comparison.differing()):
        ours, bare = comparison.ours.scored.get(name), comparison.bare.scored.get(name)
        lines.append(f"  {name}: ours {ours}, bare {bare}: {known.get(name, 'NO REASON')}")
    return "\n".join(lines)


def main() -> int:
    """Print all four comparisons; 1 when one is not as it should be."""
    problems: list[str] = []
    for side in SIDES:
        for revision in REVISIONS:
            comparison = compared(side, revision)
            sys.stdout.write(shown(comparison) + "\n")
            sys.stdout.flush()
            problems += comparison.problems()
    good = "ours comes out as the SDK alone does, but for the exceptions named"
    sys.stdout.write("\n".join(problems or [good]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    os.environ.pop("CASEWRIGHT_HOME", None)
    sys.exit(main())
