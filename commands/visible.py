"""What a terminal would hide or act on, made visible: controls, bidirectional marks, blanks.

Everything that leaves a command passes here once, so that the text of a case, a document or a
model can neither move the cursor nor reorder what an approver reads. It changes no stored value.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from casewright.drafts.characters import hidden_characters

_ORDINARY = re.compile(r"[\t\n\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027\u2030-\u203f\u20a0-\u20c0]*")
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""Needed to write Persian, Hindi or emoji; they reorder and hide nothing."""


def visible_text(text: str) -> str:
    r"""The text with every hidden character as `\u202e`; line ends and tabs stay."""
    text = text.replace("\r\n", "\n")
    if _ORDINARY.fullmatch(text):
        return text
    return "".join(_shown(character) for character in text)


def visible(value: Any) -> Any:
    """A JSON-like value with all its texts visible, keys as well."""
    match value:
        case str():
            return visible_text(value)
        case Mapping():
            entries = cast(Mapping[str, Any], value)
            return {visible_text(key): visible(item) for key, item in entries.items()}
        case Sequence():
            return [visible(item) for item in cast(Sequence[Any], value)]
        case _:
            return value


def json_text(document: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    r"""The document as JSON that is safe to look at: the same value, hidden characters as `\u202e`."""
    return visible_json(json.dumps(document, ensure_ascii=ascii_only, indent=2))


def visible_json(text: str) -> str:
    r"""JSON with the same value that is safe to look at; hidden characters stand in its strings alone."""
    if _ORDINARY.fullmatch(text):
        return text
    return "".join(character if _is_plain(character) else json.dumps(character)[1:-1] for character in text)


def _shown(character: str) -> str:
    if _is_plain(character):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _is_plain(character: str) -> bool:
    return character in _JOINERS or not hidden_characters(character)
