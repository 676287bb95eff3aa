"""What an approval is bound to: the digest of one exact call, and what may be in such a call.

Pure. Fractions are refused because 100 and 100.0 have one canonical form (RFC 8785), hidden
characters because an approver cannot see them. It does *not* know what an action means.
"""

import unicodedata
from typing import Any, cast

import rfc8785

from casewright.canonical import canonical_json, digest
from casewright.contracts.approval import ActionCall
from casewright.drafts.characters import hidden_characters
from casewright.errors import InputError

MAX_CALL_BYTES = 64_000
_MAX_DEPTH = 16


def call_digest(call: ActionCall) -> str:
    """SHA-256 over the canonical JSON of the whole call (RFC 8785).

    Raises:
        InputError: the call holds something that no approval can be bound to.
    """
    document = call.model_dump()
    _check(document, "call", 0)
    try:
        if len(canonical_json(document)) > MAX_CALL_BYTES:
            raise InputError(f"the call of {call.tool!r} is larger than {MAX_CALL_BYTES} bytes; send less")
        return digest(document)
    except rfc8785.CanonicalizationError as error:
        raise InputError(f"the call of {call.tool!r} is not plain JSON: {error}; send numbers and text") from error


def call_text(call: ActionCall) -> str:
    """The canonical JSON that is stored and shown to approvers."""
    return canonical_json(call.model_dump()).decode()


def _check(value: Any, path: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise InputError(f"{path!r} is nested deeper than {_MAX_DEPTH} levels; flatten it")
    if isinstance(value, dict):
        for key, item in cast("dict[Any, Any]", value).items():
            _check_key(key, path)
            _check(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            _check(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, str):
        _check_text(value, path)
    elif value is not None and type(value) not in (bool, int):
        raise InputError(f"{path!r} holds the {type(value).__name__} {value!r}; use text, whole numbers and lists")


def _check_key(key: Any, path: str) -> None:
    if not isinstance(key, str):
        raise InputError(f"{path!r} has the name {key!r}, which is no text; use text")
    _check_text(key, f"a name in {path}")


def _check_text(text: str, path: str) -> None:
    hidden = hidden_characters(text)
    if hidden:
        raise InputError(f"{path!r} holds characters that cannot be seen ({', '.join(hidden)}); remove them")
    if not unicodedata.is_normalized("NFC", text):
        raise InputError(f"{path!r} is not in Unicode normal form C; normalise it")
