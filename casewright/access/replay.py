"""Replays recorded decisions: does the policy in force still give them, and what would a candidate do.

Each input is decided twice on the embedded engine, with the baseline and with the candidate, by the
same `decide` as in a server; many inputs are shared out to worker processes. Nothing is put in
force, nothing is audited here. Callers say who may read the inputs.
"""

import json
import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from casewright.access.decide import decide
from casewright.access.embedded import EmbeddedEngine
from casewright.access.flips import KINDS, PERMISSIVE, Flip, Outcome, kind_of, outcome_of
from casewright.contracts.decision import DecisionInput, Denied
from casewright.errors import InputError, PolicyError

WORKERS = 2
PARALLEL_FROM = 2_000
"""Fewer inputs are done before worker processes would have started."""
_BATCH = 200
_LATE_AFTER_SECONDS = 60.0
"""A busy machine must not look like a flip."""


@dataclass(frozen=True, kw_only=True)
class ReplayInput:
    """One input and, where it was recorded, what was decided on it."""

    name: str
    """Id of the decision, or the place in a file."""
    document: Mapping[str, Any]
    effect: str = ""
    """As recorded; empty: nothing was recorded, so nothing has to be reproduced."""
    codes: tuple[str, ...] = ()
    revision: str = ""
    missing: tuple[str, ...] = ()
    """Paths that the record does not show; such an input is never decided again."""


@dataclass(frozen=True, kw_only=True)
class NotReproducible:
    """A recorded decision that the policy in force does not give again."""

    input: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """What a candidate would change."""

    inputs: int
    baseline: str
    """Revisions."""
    candidate: str
    flips: tuple[Flip, ...]
    """Newly permitted and weakened ones first."""
    other_reasons: int
    """Inputs with the same effect, obligations and filters, but for other reasons."""
    not_reproducible: tuple[NotReproducible, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Flips by kind, all of `KINDS`; `permissive` counts what lets through more."""
        found = Counter(flip.kind for flip in self.flips)
        counts = {kind: found[kind] for kind in KINDS}
        return counts | {"permissive": sum(found[kind] for kind in PERMISSIVE)}


@dataclass(frozen=True, kw_only=True)
class _Result:
    flip: Flip | None
    other_reasons: bool
    fault: str


def replay(
    baseline: Path, candidate: Path, inputs: Iterable[ReplayInput], *, workers: int | None = None
) -> ReplayReport:
    """Decide every input with both folders, which are checked and warmed up first.

    `workers`: 1 stays in this process; None chooses by the number of inputs and processors.

    Raises:
        InputError: there is no input that can be decided again, so nothing would be shown.
        PolicyError: a folder cannot be used, or changed while it was replayed.
    """
    listed = list(inputs)
    if all(one.missing for one in listed):
        raise InputError(
            f"none of {len(listed)} decisions can be replayed; record some, widen --since and --tool, or export them "
            "with --with-personal-data"
        )
    with tempfile.TemporaryDirectory() as vetted:
        cache = Path(vetted)
        pair = _Pair.load(baseline, candidate, cache)
        number = workers or min(WORKERS, os.cpu_count() or 1) if len(listed) >= PARALLEL_FROM or workers else 1
        if number == 1:
            results = [pair.replayed(one) for one in listed]
        else:
            results = list(_in_processes(pair, cache, listed, number))
    flips = sorted((one.flip for one in results if one.flip), key=lambda flip: KINDS.index(flip.kind))
    return ReplayReport(
        inputs=len(listed),
        baseline=pair.before.revision,
        candidate=pair.after.revision,
        flips=tuple(flips),
        other_reasons=sum(one.other_reasons for one in results),
        not_reproducible=tuple(
            NotReproducible(input=one.name, reason=result.fault)
            for one, result in zip(listed, results, strict=True)
            if result.fault
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """The two policies to compare."""

    folders: tuple[Path, Path]
    before: EmbeddedEngine
    after: EmbeddedEngine

    @classmethod
    def load(cls, baseline: Path, candidate: Path, cache: Path) -> "_Pair":
        try:
            after = EmbeddedEngine.load(candidate, cache=cache)
        except PolicyError as error:
            raise PolicyError(f"the candidate {str(candidate)!r} cannot be used: {error}") from error
        before = EmbeddedEngine.load(baseline, cache=cache)
        return cls(folders=(baseline, candidate), before=before, after=after)

    def replayed(self, one: ReplayInput) -> _Result:
        if one.missing:
            fault = f"the record does not show {', '.join(one.missing)}"
            return _Result(flip=None, other_reasons=False, fault=fault)
        before, after = _outcomes(one.document, self.before, self.after)
        found = kind_of(before, after)
        flip = None
        if found is not None:
            kind, changes = found
            flip = Flip(
                input=one.name,
                before=before,
                after=after,
                kind=kind,
                tool=_tool(one.document),
                role=_role(one.document),
                changes=changes,
            )
        return _Result(
            flip=flip,
            other_reasons=flip is None and before.codes != after.codes,
            fault=_fault(one, before, self.before.revision),
        )


def _outcomes(document: Mapping[str, Any], *engines: EmbeddedEngine) -> list[Outcome]:
    try:
        typed = DecisionInput.model_validate_json(json.dumps(document), strict=True)
    except (ValidationError, ValueError, TypeError) as error:
        denied = [Denied(code="input_invalid", detail=str(error), revision=engine.revision) for engine in engines]
        return [outcome_of(verdict) for verdict in denied]
    return [outcome_of(decide(engine, typed, late_after_seconds=_LATE_AFTER_SECONDS)) for engine in engines]


def _fault(one: ReplayInput, now: Outcome, revision: str) -> str:
    """Why the policy in force does not give the recorded decision; empty when it does."""
    if not one.effect or (one.effect, set(one.codes)) == (now.effect, set(now.codes)):
        return ""
    said = f"recorded {one.effect}: {', '.join(one.codes)}; now {now.shown}"
    if one.revision != revision:
        return f"decided under another revision ({one.revision[:12]}); {said}"
    return f"the same revision answers otherwise; {said}"


def _tool(document: Mapping[str, Any]) -> str:
    return f"{_entry(document, 'tool', 'server')}/{_entry(document, 'tool', 'name')}"


def _role(document: Mapping[str, Any]) -> str:
    roles = _entry(document, "principal", "roles")
    return "+".join(sorted(map(str, cast("list[object]", roles)))) if isinstance(roles, list) else ""


def _entry(document: Mapping[str, Any], section: str, name: str) -> object:
    """What a document holds that may be anything."""
    found = document.get(section)
    return cast("dict[str, object]", found).get(name, "") if isinstance(found, dict) else ""


def _in_processes(pair: _Pair, cache: Path, inputs: Sequence[ReplayInput], number: int) -> Iterator[_Result]:
    """Results in the order of the inputs."""
    batches = [inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH)]
    wanted = (pair.before.revision, pair.after.revision)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=number, mp_context=context, initializer=_prepare, initargs=(*pair.folders, cache, wanted)
    ) as pool:
        for results in pool.map(_replay_batch, batches):
            yield from results


_worker: list[_Pair] = []
"""In a worker process: its engines, made by `_prepare`."""


def _prepare(baseline: Path, candidate: Path, cache: Path, wanted: tuple[str, str]) -> None:
    pair = _Pair.load(baseline, candidate, cache)
    if (pair.before.revision, pair.after.revision) == wanted:
        _worker.append(pair)


def _replay_batch(inputs: Sequence[ReplayInput]) -> list[_Result]:
    if not _worker:
        raise PolicyError("a policy folder changed while it was replayed; run it again")
    return [_worker[0].replayed(one) for one in inputs]
