"""What is wrong with a document that somebody wrote by hand, in one line: for files of settings.

Not for what a caller sends: problems of requests and of models' answers have forms of their own.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

_MOST = 5


def faults(error: ValidationError) -> str:
    """The first few keys that are wrong and why, as `calls.attempts: Input should be ...`; no value is repeated."""
    return "; ".join(_told(one) for one in error.errors(include_input=False, include_url=False)[:_MOST])


def _told(error: Mapping[str, Any]) -> str:
    where = ".".join(map(str, error["loc"]))
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
