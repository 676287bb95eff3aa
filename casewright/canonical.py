"""Canonical JSON (RFC 8785) and digests over it: one way to name content.

It is deliberately *not* a serializer for storage or wire; only hashes are made from it.
"""

import hashlib
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value.

    Raises:
        rfc8785.CanonicalizationError: not a JSON value, or an integer beyond 2^53.
    """
    return rfc8785.dumps(value)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
