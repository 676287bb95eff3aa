"""Asks the policy engine and makes every answer accountable: an id, the input's digest, the record.

Guard and command line both decide through it, so that nothing is decided without its record. It
is deliberately *not* the place that enforces: see `servers.guard` and `servers.obligations`.
"""

import json
import logging
import secrets
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio.to_thread

from casewright.access.decide import decide
from casewright.access.requests import AccessRequest, decision_input
from casewright.audit.entry import AuditEntry
from casewright.audit.recording import RecordingRules, input_digest
from casewright.contracts.decision import Allowed, DecisionInput, Verdict
from casewright.services import Services

if TYPE_CHECKING:  # the records pull in SQLAlchemy: a server lists its tools without it
    from casewright.access.engine import PolicyChange
    from casewright.audit.records import DecisionRecord

RECHECK_SECONDS = 0.05
"""How long a changed policy file may go unnoticed by reads; consequences look every time. Kill switches are no
files: they hold with the next call."""
_log = logging.getLogger("casewright.servers")


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One answer of the policy, and what names it."""

    decision_id: str
    document: DecisionInput
    content: dict[str, Any]
    """The document as JSON values."""
    digest: str
    """`recording.input_digest` of the document."""
    verdict: Verdict
    engine: str

    @property
    def revision(self) -> str:
        return self.verdict.decision.revision if isinstance(self.verdict, Allowed) else self.verdict.revision

    @property
    def effect(self) -> str:
        return self.verdict.decision.effect if isinstance(self.verdict, Allowed) else "deny"

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the reasons; of a denial the first one."""
        if isinstance(self.verdict, Allowed):
            return tuple(dict.fromkeys(reason.code for reason in self.verdict.decision.reasons))
        return (self.verdict.code,)

    @property
    def named(self) -> dict[str, Any]:
        """What every audit event of this decision says of it."""
        return {
            "decision_id": self.decision_id,
            "input_digest": self.digest,
            "policy_revision": self.revision,
            "engine": self.engine,
        }


class Decider:
    """The engine, the clock and the records of one data folder."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._recording = _Recording(services)
        self._checked = 0.0

    async def decide(self, request: AccessRequest) -> Decided:
        """Decide one call or one listing entry; never raises for a bad input, policy or engine.

        An engine that waits for another process is asked from a worker thread.
        """
        engine, document = self._services.engine, decision_input(request, self._services.clock)
        if engine.blocking:
            verdict = await anyio.to_thread.run_sync(partial(decide, engine, document))
        else:
            verdict = decide(engine, document)
        content = document.model_dump(mode="json", by_alias=True, warnings="none")
        return Decided(
            decision_id=f"dec-{secrets.token_hex(12)}",
            document=document,
            content=content,
            digest=input_digest(content),
            verdict=verdict,
            engine=engine.name,
        )

    def record(self, decided: Decided) -> "DecisionRecord":
        """The decision for replay and explanation; written with its audit event."""
        from casewright.audit.records import DecisionRecord

        tool = decided.document.tool
        return DecisionRecord(
            decision_id=decided.decision_id,
            mode=decided.document.mode,
            server=tool.server,
            tool=tool.name,
            effect=decided.effect,
            codes=decided.codes,
            revision=decided.revision,
            engine=decided.engine,
            input_digest=decided.digest,
            input=decided.content,
            recording=self._recording.rules(decided.revision),
        )

    async def refresh(self, *, at_once: bool = False) -> None:
        """Put changed policy files in force and record what came of it.

        Files are looked at every `RECHECK_SECONDS` at most, and always where `at_once` is asked for.

        Raises:
            StorageError, UnavailableError: it could not be recorded.
        """
        now = time.monotonic()
        if not at_once and now - self._checked < RECHECK_SECONDS:
            return
        self._checked = now
        engine = self._services.engine
        await anyio.to_thread.run_sync(engine.reload_if_changed)
        for change in engine.take_changes():
            await self._services.audit.append(_entry(change, engine.name))


class _Recording:
    """The `recording` rules of the access policy's data, read again for every revision."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: tuple[str, RecordingRules] | None = None

    def rules(self, revision: str) -> RecordingRules:
        """Rules for this revision; where there are none to be read, all of an input is encrypted."""
        if self._known is None or self._known[0] != revision:
            found = self._services.release.current()
            if found.policy_revision not in ("", revision):  # switched while this was decided: its rules are gone
                return RecordingRules()
            self._known = (revision, self._read(found.policies))
        return self._known[1]

    def _read(self, policies: Path) -> RecordingRules:
        path = policies / "data" / "access" / "data.json"
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))["recording"]
        except (OSError, ValueError, KeyError, TypeError):
            _log.warning("%s has no 'recording' that can be read: recorded inputs are encrypted", path)
            return RecordingRules()
        paths = cast("dict[Any, Any]", content) if isinstance(content, dict) else {}
        return RecordingRules(paths={str(path): str(treatment) for path, treatment in paths.items()})


def _entry(change: "PolicyChange", engine: str) -> AuditEntry:
    """The audit event of one reload; nobody's doing as far as the servers know."""
    kind: Literal["policy.loaded", "policy.refused"] = "policy.loaded" if change.kind == "loaded" else "policy.refused"
    body = {"revision": change.revision, "previous": change.previous, "detail": change.detail[:2_000], "engine": engine}
    return AuditEntry(kind=kind, tenant="", subject="", body=body)
