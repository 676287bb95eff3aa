"""Checks that a document means the same to every Rego engine before one sees it.

Engines differ silently on large integers, decimals and nulls and loudly on depth; text that is
not NFC compares unequal to what people read. It is deliberately *not* a schema check.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from casewright.errors import InputError

_LARGEST_INTEGER = 2**53
_TIME_PATH = "/context/now_ns"
_LARGEST_TIME = 2**63 - 1
"""Both engines carry whole numbers of 64 bits exactly; this one path needs them."""


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """How large and how odd a document may be."""

    max_bytes: int
    max_depth: int
    total: bool
    """True: no nulls, and all text is NFC."""


DECISION_LIMITS = DocumentLimits(max_bytes=64 * 1024, max_depth=32, total=True)
ENGINE_LIMITS = DocumentLimits(max_bytes=4 * 1024 * 1024, max_depth=64, total=False)


class CheckedDocument(dict[str, object]):
    """A document that was found within `limits`, with its text; it may not be changed any more."""

    def __init__(self, content: Mapping[str, object], text: str, limits: DocumentLimits) -> None:
        super().__init__(content)
        self.text = text
        self.limits = limits


def checked(document: Mapping[str, object], limits: DocumentLimits) -> CheckedDocument:
    """The document with its text, so that who encodes it again need not check it again.

    Raises:
        InputError: as `encode` does.
    """
    return CheckedDocument(document, encode(document, limits), limits)


def encode(document: Mapping[str, object], limits: DocumentLimits) -> str:
    """JSON text of a document within the limits.

    Raises:
        InputError: names the path and what is wrong there.
    """
    if isinstance(document, CheckedDocument) and _is_within(document.limits, limits):
        return document.text
    if not _is_plain(document, limits.max_depth):
        _check(document, limits)
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (ValueError, TypeError) as error:
        raise InputError(f"the document is no JSON: {error}; send valid Unicode text and plain values") from error
    if size > limits.max_bytes:
        raise InputError(f"the document has {size} bytes, more than {limits.max_bytes}; shorten it")
    return text


def _is_within(strict: DocumentLimits, loose: DocumentLimits) -> bool:
    """Whether what meets the first limits meets the second."""
    return (
        strict.max_bytes <= loose.max_bytes
        and strict.max_depth <= loose.max_depth
        and (strict.total or not loose.total)
    )


def _is_plain(document: object, max_depth: int) -> bool:
    """Whether a document is certainly in order under any limits but size: only ASCII, small integers, no null.

    Most are, and this looks at each value once without naming it. False: `_check` has to look.
    """
    pending: Sequence[object] = [document]
    large: list[int] = []
    for _ in range(max_depth):
        below: list[object] = []
        for value in pending:
            parts = _plain_parts(value, large)
            if parts is None:
                return False
            below.extend(parts)
        if not below:
            return not large or large == [_time_of(document)]
        pending = below
    return False


def _plain_parts(value: object, large: list[int]) -> Iterable[object] | None:
    """The values inside a plain one; None: it is not plain. Integers beyond 2^53 are put into `large`."""
    kind = type(value)
    if kind is str:
        return () if cast("str", value).isascii() else None
    if kind is int:
        if not -_LARGEST_INTEGER <= cast("int", value) <= _LARGEST_INTEGER:
            large.append(cast("int", value))
        return ()
    if kind is dict:
        entries = cast("dict[object, object]", value)
        return entries.values() if all(type(key) is str and key.isascii() for key in entries) else None
    if kind is list or kind is tuple:
        return cast("Sequence[object]", value)
    return () if kind is bool else None


def _time_of(document: object) -> object:
    """What stands at the one path that needs more than 2^53, as far as it may; None: nothing such."""
    match document:
        case {"context": {"now_ns": int(now_ns)}} if now_ns <= _LARGEST_TIME:
            return now_ns
        case _:
            return None


def _check(document: Mapping[str, object], limits: DocumentLimits) -> None:
    pending: list[tuple[str, int, object]] = [("", 1, document)]
    while pending:
        path, depth, value = pending.pop()
        if depth > limits.max_depth:
            raise InputError(f"the document is nested deeper than {limits.max_depth} at {path[:80]!r}; flatten it")
        for key, child in _children(path, value, limits):
            pending.append((f"{path}/{key}", depth + 1, child))


def _children(path: str, value: object, limits: DocumentLimits) -> list[tuple[str, object]]:
    """Check one value; the values inside it are returned for the next round."""
    match value:
        case str():
            _check_text(path, value, limits)
        case bool():
            pass
        case int():
            if abs(value) > (_LARGEST_TIME if path == _TIME_PATH else _LARGEST_INTEGER):
                raise InputError(f"{path!r} is beyond 2^53; use a smaller integer or text")
        case None if not limits.total:
            pass
        case list() | tuple():
            return [(str(index), child) for index, child in enumerate(value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case dict():
            return _entries(path, value, limits)  # pyright: ignore[reportUnknownArgumentType]
        case _:
            raise InputError(f"{path!r} is a {type(value).__name__}; use text, an integer, a flag, a list or an object")
    return []


def _entries(path: str, value: dict[object, object], limits: DocumentLimits) -> list[tuple[str, object]]:
    entries: list[tuple[str, object]] = []
    for key, child in value.items():
        if not isinstance(key, str):
            raise InputError(f"{path!r} has the key {key!r}; use text for keys")
        _check_text(f"{path}/{key}", key, limits)
        entries.append((key, child))
    return entries


def _check_text(path: str, text: str, limits: DocumentLimits) -> None:
    if limits.total and not unicodedata.is_normalized("NFC", text):
        raise InputError(f"{path!r} is not in Unicode normalization form C; normalize it")
