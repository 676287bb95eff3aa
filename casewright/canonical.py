"""Canonical JSON (RFC 8785) and digests over it: one way to name content.

It is deliberately *not* a serializer for storage or wire; only hashes are made from it.
"""

import hashlib
import json
from typing import Any, cast

import rfc8785

_LARGEST_INTEGER = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value.

    Raises:
        rfc8785.CanonicalizationError: not a JSON value, or an integer beyond 2^53.
    """
    if _is_simple(value):
        text = _ENCODER.encode(value)
        if text.isascii():  # then the order of the keys is the same in every encoding
            return text.encode()
    return rfc8785.dumps(value)


def _is_simple(value: object) -> bool:
    """Whether the standard library writes it as RFC 8785 does, if it is ASCII: text, small integers, no fractions.

    Most that is hashed is, and it is written many times faster so.
    """
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and _is_simple(entry) for key, entry in cast("dict[object, object]", value).items())
    if kind is list or kind is tuple:
        return all(map(_is_simple, cast("list[object] | tuple[object, ...]", value)))
    if kind is int:
        return -_LARGEST_INTEGER <= cast("int", value) <= _LARGEST_INTEGER
    return kind is str or kind is bool or value is None


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
