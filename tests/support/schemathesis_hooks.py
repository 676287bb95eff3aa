"""What generated requests cannot know; loaded by `schemathesis` through SCHEMATHESIS_HOOKS.

An idempotency key is new for each request: the same one with another body is refused, and has to be. Headers that
nobody knows are ignored, as HTTP asks for (RFC 9110, section 5.1), so a request with one is not a wrong one.
"""

import re
import secrets
from typing import Any

import schemathesis

KEY = re.compile(r"[A-Za-z0-9._:-]{8,200}")


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] -- the library does not say what it gives back
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Make every key of a request that is right a new one."""
    wrong = case.meta is not None and case.meta.generation.mode.is_negative
    if not wrong and case.headers and KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = f"generated-{secrets.token_hex(8)}"


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] -- the library does not say what it gives back
def filter_case(context: Any, case: Any) -> bool:
    """Leave out requests that would be wrong only for a header that nobody knows."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})
