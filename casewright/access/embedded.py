"""The default engine: regorus in this process, over one policy folder.

A regorus engine belongs to the thread that made it, cannot be interrupted and fails by panics,
so every thread has its own, bundles are vetted before they decide, and any failure is an error.
It is deliberately *not* the judge of what an answer means; see `decide`.
"""

import itertools
import json
import re
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from casewright.access.bundle import Bundle
from casewright.access.documents import ENGINE_LIMITS, encode
from casewright.access.engine import (
    PROBED_RULE,
    EngineName,
    PolicyChange,
    PolicyEngine,
    ReloadCounts,
    UndefinedRuleError,
)
from casewright.access.native import UNDEFINED, NativeEngine, message_of, new_engine
from casewright.access.warmup import WARM_UP_SECONDS
from casewright.access.watched import PolicySource, WatchedFolder
from casewright.errors import InputError, PolicyError

_RULE = re.compile(r"[a-z_][A-Za-z0-9_]*(\.[a-z_][A-Za-z0-9_]*)+")
_serials = itertools.count()
_threads = threading.local()
"""Per thread: `engines`, serial to (snapshot, engine). Engines may only be dropped by their thread."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Snapshot:
    """One vetted bundle; engines of all threads are made from it."""

    bundle: Bundle
    serial: int = field(default_factory=lambda: next(_serials))


_Engines = dict[int, tuple["weakref.ref[_Snapshot]", NativeEngine]]


class EmbeddedEngine(PolicyEngine):
    """Evaluates the policies of a folder; keeps the last good ones when the folder goes bad."""

    def __init__(self, folder: WatchedFolder) -> None:
        self._folder = folder
        self._snapshot = _Snapshot(bundle=folder.bundle)

    @classmethod
    def load(
        cls, folder: PolicySource, *, cache: Path | None = None, limit_seconds: float = WARM_UP_SECONDS
    ) -> "EmbeddedEngine":
        """Read and vet a folder. `cache` remembers which revisions passed, so that starting again is fast.

        Raises:
            PolicyError: the folder cannot be used; nothing is allowed without it.
        """
        return cls(WatchedFolder(folder, cache=cache, limit_seconds=limit_seconds))

    @property
    def name(self) -> EngineName:
        return "embedded"

    @property
    def blocking(self) -> bool:
        return False

    @property
    def revision(self) -> str:
        return self._snapshot.bundle.revision

    @property
    def last_error(self) -> PolicyError | None:
        return self._folder.last_error

    def reload_if_changed(self) -> bool:
        """Put a changed folder in force; see `WatchedFolder`."""
        return self._folder.reload_if_changed(self._put_in_force)

    def _put_in_force(self, bundle: Bundle) -> None:
        self._snapshot = _Snapshot(bundle=bundle)

    def take_changes(self) -> tuple[PolicyChange, ...]:
        return self._folder.take_changes()

    @property
    def reloads(self) -> ReloadCounts:
        return self._folder.reloads

    def probe(self) -> str:
        self.evaluate(PROBED_RULE, {})
        return f"embedded, revision {self.revision[:12]}"

    def close(self) -> None:
        """Nothing to let go of: engines belong to their threads and end with them."""

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        if not _RULE.fullmatch(rule):
            raise PolicyError(f"{rule!r} is no rule name; use package and rule such as 'casewright.access.decision'")
        try:
            text = encode(document, ENGINE_LIMITS)
        except InputError as error:
            raise PolicyError(f"the document for {rule!r} is refused: {error}") from error
        snapshot = self._snapshot
        answer = _evaluate(snapshot, rule, text)
        if answer == UNDEFINED:
            raise UndefinedRuleError(f"the rule {rule!r} has no value for this document; give it a default")
        return answer


def build(bundle: Bundle) -> NativeEngine:
    """A regorus engine with the modules and data of a bundle, for this thread alone."""
    engine = new_engine()
    for module in bundle.modules:
        engine.add_policy(module.path, module.text)
    engine.add_data_json(bundle.data_json)
    return engine


def query(engine: NativeEngine, rule: str) -> object:
    """The value of a rule, or `UNDEFINED`. A rule that does not exist raises RuntimeError."""
    return json.loads(engine.eval_rule_as_json(f"data.{rule}"))


def _evaluate(snapshot: _Snapshot, rule: str, text: str) -> object:
    try:
        engine = _engine_of_this_thread(snapshot)
        engine.set_input_json(text)
        return query(engine, rule)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # A panic of regorus is a BaseException; the engine is then unusable.
        _engines().pop(snapshot.serial, None)
        raise PolicyError(f"the engine failed on {rule!r}: {message_of(error)[:500]}; see the policy") from error


def _engines() -> _Engines:
    engines: _Engines | None = getattr(_threads, "engines", None)
    if engines is None:
        engines = _threads.engines = {}
    return engines


def _engine_of_this_thread(snapshot: _Snapshot) -> NativeEngine:
    engines = _engines()
    if snapshot.serial not in engines:
        for serial in [serial for serial, (owner, _) in engines.items() if owner() is None]:
            del engines[serial]
        engines[snapshot.serial] = (weakref.ref(snapshot), build(snapshot.bundle))
    return engines[snapshot.serial][1]
