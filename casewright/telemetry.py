"""Structured logs to stderr, with secrets and personal data taken out of every value.

Metrics and traces come from the libraries' own hooks; this file only sets logging up, once per process and never at
import. What it takes out is a last resort: texts of cases, prompts and replies are not logged in the first place.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, cast

SECRET = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]+|sk-[\w-]{8,}|Bearer\s+\S+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_NAMED = re.compile(
    r"\b((?:api[_-]?key|passw(?:or)?d|secret|client[_-]?secret|(?:access|refresh|id)[_-]?token|private[_-]?key)"
    r"[\"']?\s*[:=]\s*[\"']?)[^\s\"',;)}\]]+",
    re.IGNORECASE,
)
REPLACED = "[secret]"
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 8
_OWN_FIELDS = frozenset({"level", "logger", "timestamp"})
_TALKATIVE = ("anthropic", "httpx", "httpcore", "langchain", "openai")
"""Libraries that would log whole requests if they were asked to."""


class LogRedaction:
    """Takes secrets and personal data out of log events."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are the exact values of this process, whatever they look like."""
        exact = sorted({one for one in secrets if len(one) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, exact))) if exact else None

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event with every text in it redacted, at any depth; the log's own fields stay."""
        return {key: value if _is_own(key) else self._deep(value) for key, value in event.items()}

    def text(self, text: str) -> str:
        """`text` without secrets and without personal values that can be told from their form."""
        known = self._exact.sub(REPLACED, text) if self._exact else text
        return _without_personal(_NAMED.sub(rf"\1{REPLACED}", SECRET.sub(REPLACED, known)))

    def _deep(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(key): self._deep(item) for key, item in cast(Mapping[object, object], value).items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._deep(item) for item in cast(Iterable[object], value)]
        return value if value is None or isinstance(value, bool | int | float) else self.text(repr(value))


def _is_own(key: str) -> bool:
    """Whether the log set the field itself; what begins with an underscore is taken off before anything is written."""
    return key in _OWN_FIELDS or key.startswith("_")


class RedactedLines(logging.Formatter):
    """Plain lines, redacted: for processes that are to start without the library of structured logs."""

    def __init__(self, redaction: LogRedaction) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the words of an exception."""
        return self._redaction.text(super().format(record))


def configure_plain_logging(*, secrets: Iterable[str] = ()) -> None:
    """Send warnings and worse to stderr in plain, redacted lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactedLines(LogRedaction(secrets)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def secret_values(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose name says that they are secret."""
    return tuple(value for name, value in environment.items() if _SECRET_VARIABLE.search(name))


def configure_logging(*, verbose: bool, secrets: Iterable[str] = ()) -> None:
    """Send the standard library's logs through structlog to stderr; warnings and worse unless verbose."""
    import structlog

    handler = logging.StreamHandler(sys.stderr)
    processors: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        LogRedaction(secrets),
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_personal(text: str) -> str:
    # Imported with the first event: most processes log nothing.
    from casewright.models.protection.found import without_overlaps
    from casewright.models.protection.recognisers import recognise
    from casewright.models.protection.shadow import shadow

    pieces: list[str] = []
    at = 0
    for found in without_overlaps(recognise(shadow(text))):
        pieces += (text[at : found.start], f"[{found.kind}]")
        at = found.end
    return "".join((*pieces, text[at:]))
