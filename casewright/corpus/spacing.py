"""Spaces and hidden characters of a document's text.

White space runs become one space and text is composed (NFC). A soft hyphen says only where a line
might break and is dropped; every other hidden character (bidirectional controls, zero-width
characters, tags, private use) sets the document aside, since what people read is not what it says.
"""

import unicodedata
from collections.abc import Iterable

from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.drafts.characters import hidden_characters

_SOFT_HYPHEN = "\u00ad"
_NAMED = 5


def one_line(text: str) -> str:
    """The text composed, with runs of white space as one space."""
    if text.isascii():
        return " ".join(text.split())
    return unicodedata.normalize("NFC", " ".join(text.replace(_SOFT_HYPHEN, "").split()))


def refuse_hidden(texts: Iterable[str]) -> None:
    """Hold the texts against the rule above.

    Raises:
        UnreadableDocumentError: with the code points that were found.
    """
    seen: set[str] = set()
    for text in texts:
        if not (text.isascii() and text.isprintable()):
            seen.update(text)
    if hidden := hidden_characters("".join(sorted(seen))):
        named = ", ".join(hidden[:_NAMED]) + (", …" if len(hidden) > _NAMED else "")
        raise UnreadableDocumentError(
            f"it holds characters that cannot be seen or that reorder text ({named}); remove them"
        )
