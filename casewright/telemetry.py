"""Structured logs to stderr, with known secrets taken out.

Metrics and traces come from the libraries' own hooks; this file only sets logging up, once per
process and never at import.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

SECRET = re.compile(r"(eyJ[\w-]+\.[\w-]+\.[\w-]+|sk-ant-[\w-]+|Bearer\s+\S+)")
REPLACED = "[secret]"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace tokens and keys in every value of a log event."""
    return {key: SECRET.sub(REPLACED, value) if isinstance(value, str) else value for key, value in event.items()}


def configure_logging(*, verbose: bool) -> None:
    """Send the standard library's logs through structlog to stderr; warnings and worse unless verbose."""
    import structlog

    handler = logging.StreamHandler(sys.stderr)
    processors: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
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
