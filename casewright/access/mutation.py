"""Mutation testing of the policies: do the Rego tests notice when a rule is wrong?

Every mutant (`mutants`) is loaded in place of its module, and the tests of its package run until
one fails; a mutant that none of them notices survives. Work is spread over processes, so that a
mutant that crashes the engine or does not end costs one process and no more. Mutants that are
known to mean the same are named in `equivalent-mutants.json` beside the policies, each with the
reason. `casewright policy mutate` calls this; it is deliberately *not* part of any decision.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal, cast

from casewright.access.bundle import Bundle, read_bundle
from casewright.access.mutant_tests import MutantTests
from casewright.access.mutants import Mutant, mutants_of
from casewright.access.warmup import inspect
from casewright.errors import PolicyError

EQUIVALENTS = "equivalent-mutants.json"
LIMIT_SECONDS = 20.0
Fate = Literal["killed", "survived", "unusable"]
"""`unusable`: the engine does not load it, so it is no wrong policy; it does not count."""


@dataclass(frozen=True, kw_only=True)
class MutationReport:
    """What became of the mutants of some packages."""

    total: int
    """All that were tried, without the unusable."""
    killed: int
    unusable: int
    survivors: tuple[Mutant, ...]
    """Without the equivalent ones."""
    equivalent: int
    stale: tuple[str, ...]
    """Entries of the list of equivalents that name no survivor; empty when only a sample was tried."""
    packages: dict[str, tuple[int, int]]
    """Package to killed (or equivalent) and tried."""
    seconds: float

    @cached_property
    def percent(self) -> float:
        """Killed of those that are not equivalent."""
        counted = self.total - self.equivalent
        return round(100.0 * self.killed / counted, 2) if counted else 0.0


def mutate(folder: Path, *, package: str = "", sample: int = 0, processes: int = 2) -> MutationReport:
    """Try the mutants of the policies in a folder, or of one package; with `sample` only so many.

    The same sample is drawn from the same policies on every machine.

    Raises:
        PolicyError: the folder cannot be used, there is no such package, or a test fails unmutated.
    """
    begun = time.monotonic()
    bundle = read_bundle(folder)
    mutants = _drawn(_all_mutants(bundle, package), sample)
    fates = _Pool(folder, processes).run(mutants)
    known = _equivalents(folder)
    tried: list[tuple[Mutant, Fate]] = [
        (mutant, fate) for mutant, fate in zip(mutants, fates, strict=True) if fate != "unusable"
    ]
    survived = [mutant for mutant, fate in tried if fate == "survived"]
    found = {mutant.key for mutant in survived}
    return MutationReport(
        total=len(tried),
        killed=len(tried) - len(survived),
        unusable=len(mutants) - len(tried),
        survivors=tuple(mutant for mutant in survived if mutant.key not in known),
        equivalent=sum(mutant.key in known for mutant in survived),
        stale=() if sample else tuple(_stale(known, found, package)),
        packages=_by_package(tried, known),
        seconds=round(time.monotonic() - begun, 1),
    )


def _all_mutants(bundle: Bundle, package: str) -> list[Mutant]:
    modules, problems = inspect(bundle)
    if problems:
        raise PolicyError(
            f"{problems[0].path}:{problems[0].line}: {problems[0].message}; run `casewright policy check`"
        )
    chosen = [module for module in modules if package in ("", ".".join(module.package))]
    if not chosen:
        names = ", ".join(sorted({".".join(module.package) for module in modules}))
        raise PolicyError(f"there is no package {package!r}; there are {names}")
    return [mutant for module in chosen for mutant in mutants_of(module)]


def _drawn(mutants: list[Mutant], sample: int) -> list[Mutant]:
    """Those with the smallest hashes: a sample that a change elsewhere hardly moves."""
    if not 0 < sample < len(mutants):
        return mutants
    ranked = sorted(mutants, key=lambda mutant: hashlib.sha256(json.dumps(mutant.key).encode()).digest())
    return sorted(ranked[:sample], key=lambda mutant: (mutant.path, mutant.start, mutant.end))


def _package(path: str) -> str:
    return path.rpartition("/")[0].replace("/", ".")


def _by_package(tried: Sequence[tuple[Mutant, Fate]], known: set[tuple[str, ...]]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for mutant, fate in tried:
        noticed, all_of = counts.get(_package(mutant.path), (0, 0))
        counts[_package(mutant.path)] = noticed + (fate == "killed" or mutant.key in known), all_of + 1
    return counts


def _equivalents(folder: Path) -> set[tuple[str, ...]]:
    """Keys of the mutants that are known to mean the same."""
    file = folder / EQUIVALENTS
    if not file.is_file():
        return set()
    fields = ("path", "rule", "operator", "before", "after")
    try:
        rows = cast("list[dict[str, str]]", json.loads(file.read_text(encoding="utf-8")))
        if any(set(row) != {*fields, "reason"} or not row["reason"] for row in rows):
            raise ValueError("every entry has path, rule, operator, before, after and a reason")
        return {tuple(row[field] for field in fields) for row in rows}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PolicyError(f"{str(file)!r} cannot be read: {error}; correct it") from error


def _stale(known: set[tuple[str, ...]], survived: set[tuple[str, str, str, str, str]], package: str) -> list[str]:
    stale = [key for key in sorted(known - survived) if package in ("", _package(key[0]))]
    return [f"{path}: {rule}: {operator} {before!r}" for path, rule, operator, before, _ in stale]


class _Worker:
    """One process that tries mutants, one at a time."""

    def __init__(self, folder: Path) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, folder), daemon=True)
        self._process.start()
        theirs.close()
        self.place = -1
        self.deadline = 0.0

    def give(self, place: int, mutant: Mutant, seconds: float) -> None:
        self.place, self.deadline = place, time.monotonic() + seconds
        self.connection.send(mutant)

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self.connection.close()


class _Pool:
    """Spreads mutants over processes; a process that dies or takes too long is replaced."""

    def __init__(self, folder: Path, processes: int) -> None:
        self._folder = folder
        self._processes = processes

    def run(self, mutants: Sequence[Mutant]) -> list[Fate]:
        fates: list[Fate] = ["killed"] * len(mutants)
        waiting = list(range(len(mutants)))[::-1]
        workers = [_Worker(self._folder) for _ in range(max(1, min(self._processes, len(mutants))))]
        try:
            busy = [self._next(worker, waiting, mutants) for worker in workers if waiting]
            while busy:
                ready = wait([worker.connection for worker in busy], timeout=1.0)
                for worker in list(busy):
                    if worker.connection not in ready and time.monotonic() < worker.deadline:
                        continue
                    busy.remove(worker)
                    fates[worker.place], alive = self._fate(worker, worker.connection in ready)
                    if not alive:
                        worker.end()
                        workers[workers.index(worker)] = worker = _Worker(self._folder)
                    if waiting:
                        busy.append(self._next(worker, waiting, mutants))
        finally:
            for worker in workers:
                worker.end()
        return fates

    def _next(self, worker: _Worker, waiting: list[int], mutants: Sequence[Mutant]) -> _Worker:
        place = waiting.pop()
        worker.give(place, mutants[place], LIMIT_SECONDS)
        return worker

    def _fate(self, worker: _Worker, ready: bool) -> tuple[Fate, bool]:
        """What it answered; one that died or ran out of time was noticed, and is not used again."""
        if not ready:
            return "killed", False
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            return "killed", False
        if isinstance(answer, str) and answer in ("killed", "survived", "unusable"):
            return answer, True
        raise PolicyError(f"the policies cannot be tested: {answer}; run `casewright policy test`")


def _serve(connection: Connection, folder: Path) -> None:
    """The work of one process; what the engine says to stderr of mutants is of no use to anybody."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        tests = MutantTests(folder)
    except (PolicyError, RuntimeError) as error:
        connection.recv()
        connection.send([str(error)])
        return
    while True:
        try:
            mutant = connection.recv()
        except EOFError:
            return
        try:
            answer: object = tests.fate(mutant)
        except PolicyError as error:
            answer = [str(error)]
        connection.send(answer)
