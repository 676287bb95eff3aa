r"""A text as recognisers read it: of equal length, so that a place in one is the same place in the other.

Escapes of JSON become the spaces they stand for, typographic digits, spaces and dashes become plain ones. Without it a
number right after a line break in rendered JSON (`\n123-45-6789`) would look like a part of a word.
"""

import re
import unicodedata

_ESCAPE = re.compile(r'\\(?:[nrtbf"/\\]|u[0-9a-fA-F]{4})')
_BLANK = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
"""Characters without a width. They count as a break."""
_LINE_BREAKS = frozenset({"\\n", "\\r"})


def shadow(text: str) -> str:
    """`text` made plain for recognisers, character for character."""
    plain = text if text.isascii() else "".join(map(_plain, text))
    return _ESCAPE.sub(_unescaped, plain) if "\\" in plain else plain


def _unescaped(match: re.Match[str]) -> str:
    found = match[0]
    return (" \n" if found in _LINE_BREAKS else " ").ljust(len(found))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs" or character in _BLANK:
        return " "
    if category == "Pd" or character == "\u2212":
        return "-"
    wide = unicodedata.normalize("NFKC", character)
    return wide if len(wide) == 1 and wide.isascii() else character
