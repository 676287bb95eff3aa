"""Text as it is compared: Unicode, space, dash and quote-mark folding only.

Nothing is dropped but the differences a reader cannot mean. Case is folded by the callers
that may: the month of May needs its capital.
"""

import unicodedata

_MARKS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
_TERMINAL = (".", "!", "?", '."', ".'", ".)")


def folded(text: str) -> str:
    """NFKC, one kind of quote mark and dash, single spaces; case is kept."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_MARKS).split())


def is_terminated(text: str) -> bool:
    """False for a lead-in, which the next clause completes."""
    return text.endswith(_TERMINAL)
