"""Characters that people cannot see or that change what they see.

Refused wherever a person approves what they read: claims, quotes, arguments, reasons. It is
*not* a spelling check; visible letters of any script are judged elsewhere.
"""

import re
import unicodedata

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_BLANK_LOOKING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u2028\u2029")
"""Joiners, fillers and separators that show as nothing (Unicode default-ignorable and blanks)."""
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
_PERHAPS_HIDDEN = re.compile(r"[^\x20-\x7e\n\t]")
"""Everything but the printable part of ASCII and the layout."""


def hidden_characters(text: str) -> tuple[str, ...]:
    """The invisible, bidirectional and control characters in `text`, as `U+200B`, without repeats."""
    return tuple(
        f"U+{ord(character):04X}" for character in dict.fromkeys(_PERHAPS_HIDDEN.findall(text)) if _is_hidden(character)
    )


def _is_hidden(character: str) -> bool:
    if character in _BLANK_LOOKING or unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return True
    return any(ord(character) in selectors for selectors in _VARIATION_SELECTORS)
