"""The engine beside this process: an OPA server, asked within one time budget and never trusted blindly.

An answer counts only when it comes in time, is flawless, and was given by the one bundle with the
expected revision: that of the local policy folder, or a pinned one. Everything else is an error,
which `decide` turns into a denial. It never writes to the server; bundles reach it by `deploy/opa`.
"""

import re
import ssl
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from casewright.access.breaker import BreakerState, CircuitBreaker
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
from casewright.access.opa_client import DecisionClient, OpaUnusableError
from casewright.access.opa_connection import OpaConnection
from casewright.access.opa_settings import OpaSettings
from casewright.access.watched import PolicySource, WatchedFolder
from casewright.errors import InputError, PolicyError

_RULE = re.compile(r"[a-z_][A-Za-z0-9_]*(\.[a-z_][A-Za-z0-9_]*)+")
_ANSWER_KEYS = frozenset({"result", "provenance", "decision_id"})


class OpaEngine(PolicyEngine):
    """Evaluates rules on an OPA server; safe to call from several threads."""

    def __init__(
        self, settings: OpaSettings, folder: WatchedFolder | None, *, breaker: CircuitBreaker | None = None
    ) -> None:
        """Use `load`. Without a folder the settings pin the revision."""
        self._settings = settings
        self._folder = folder
        self._expected = settings.revision or (folder.bundle.revision if folder else "")
        if not self._expected:
            raise PolicyError("no revision is expected of the OPA server; set CASEWRIGHT_OPA_REVISION")
        self._breaker = breaker or CircuitBreaker()
        self._connection = OpaConnection(
            DecisionClient(host=settings.host, port=settings.port, tls=_tls(settings), token_file=settings.token_file)
        )
        self._ending = weakref.finalize(self, self._connection.close)

    @classmethod
    def load(cls, settings: OpaSettings, policies: PolicySource, *, cache: Path | None = None) -> "OpaEngine":
        """An engine that expects the pinned revision, else that of a policy folder, which it then follows.

        Raises:
            PolicyError: the folder cannot be used; nothing is allowed without knowing the policies.
            InputError: the authority file holds no certificate.
        """
        return cls(settings, None if settings.revision else WatchedFolder(policies, cache=cache))

    @property
    def name(self) -> EngineName:
        return "opa"

    @property
    def blocking(self) -> bool:
        return True

    @property
    def revision(self) -> str:
        """The revision that answers must name."""
        return self._expected

    @property
    def last_error(self) -> PolicyError | None:
        return self._folder.last_error if self._folder else None

    @property
    def circuit(self) -> BreakerState:
        """Whether the server is asked at present."""
        return self._breaker.state

    def reload_if_changed(self) -> bool:
        """Expect the revision of a changed folder; a folder that is not good changes nothing."""
        return self._folder.reload_if_changed(self._expect) if self._folder else False

    def _expect(self, bundle: Bundle) -> None:
        self._expected = bundle.revision

    def take_changes(self) -> tuple[PolicyChange, ...]:
        return self._folder.take_changes() if self._folder else ()

    @property
    def reloads(self) -> ReloadCounts:
        return self._folder.reloads if self._folder else ReloadCounts()

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        if not _RULE.fullmatch(rule):
            raise PolicyError(f"{rule!r} is no rule name; use package and rule such as {PROBED_RULE!r}")
        try:
            encode(document, ENGINE_LIMITS)
        except InputError as error:
            raise PolicyError(f"the document for {rule!r} is refused: {error}") from error
        expected = self._expected
        return _value(rule, self._ask(rule, document), expected)

    def probe(self) -> str:
        self.evaluate(PROBED_RULE, {})
        return f"OPA at {self._settings.url}, revision {self._expected[:12]}"

    def close(self) -> None:
        """Close the connections; later questions are errors. Safe to call twice."""
        self._ending()

    def _ask(self, rule: str, document: Mapping[str, object]) -> dict[str, Any]:
        if not self._breaker.admit():
            raise PolicyError(
                f"the OPA server at {self._settings.url} did not answer lately and is left alone a moment"
            )
        answered = False
        try:
            answer = self._connection.ask(rule, document, budget_seconds=self._settings.budget_seconds)
            answered = True
        except OpaUnusableError as error:
            raise PolicyError(f"the OPA server at {self._settings.url} gives no usable answer: {error}") from error
        finally:
            if answered:
                self._breaker.succeeded()
            else:
                self._breaker.failed()
        return answer


def _value(rule: str, answer: Mapping[str, Any], expected: str) -> object:
    """The value in an answer that names the expected bundle and nothing else."""
    unknown = sorted(set(answer) - _ANSWER_KEYS)
    if unknown:
        raise PolicyError(f"the answer of the OPA server holds {unknown[0]!r}, which no decision has")
    served = _served(answer.get("provenance"))
    if served != expected:
        raise PolicyError(f"stale revision: the OPA server serves {served!r}, not {expected!r}; publish the bundle")
    if "result" not in answer:
        raise UndefinedRuleError(f"the rule {rule!r} has no value for this document; give it a default")
    return answer["result"]


def _served(provenance: object) -> str:
    """The revision of the only bundle in force."""
    bundles: object = cast("dict[str, object]", provenance).get("bundles") if isinstance(provenance, dict) else None
    if not isinstance(bundles, dict) or len(cast("dict[str, object]", bundles)) != 1:
        raise PolicyError("the OPA server does not say which one bundle it serves; configure it as in deploy/opa")
    (only,) = cast("dict[str, object]", bundles).values()
    revision = cast("dict[str, object]", only).get("revision") if isinstance(only, dict) else None
    if not isinstance(revision, str):
        raise PolicyError("the bundle of the OPA server has no revision; build it with `casewright policy build`")
    return revision


def _tls(settings: OpaSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"CASEWRIGHT_OPA_CA_FILE={str(settings.ca_file)!r} holds no certificates: {error}; correct it"
        ) from error
