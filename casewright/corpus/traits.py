"""What kind of text each clause is: how deep it stands, and whether it states a rule or only illustrates one.

Told from structure and a few plain signs, not from any one rule book. Computed once for each state of the index
(`state_files`), kept as one small array, and weighed by the ranker through `features`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Traits = npt.NDArray[np.uint8]

TRAITS = ("depth", "secondary", "blank", "example", "defines")
"""The columns of the array, in order."""
READ = ("label", "heading", "parents", "text")
"""What they are told from."""
_MAX_DEPTH = 8
_SECONDARY = re.compile(
    r"\s*(?:comment|commentary|official interpretation|supplement|appendix|annex|schedule|model|sample)s?\b",
    re.IGNORECASE,
)
_BLANK = ("[", "__")
_EXAMPLE = ("xample", "Assume ", "assume ", "Facts")
_DEFINES = (" means ", " means:", "he term ", " is defined ", " refers to ", " includes ")
_DEFINING_CHARACTERS = 120
"""A definition says so at its beginning."""


def traits_of(rows: Iterable[Mapping[str, Any]]) -> "Traits":
    """One row of `TRAITS` per clause; `READ` is read of each."""
    import numpy as np

    found = [_told(row) for row in rows]
    return np.array(found, dtype=np.uint8).reshape(len(found), len(TRAITS))


def _told(row: Mapping[str, Any]) -> tuple[int, ...]:
    text = str(row["text"])
    beginning = text[:_DEFINING_CHARACTERS]
    return (
        min(_MAX_DEPTH, len(row["parents"])),
        _SECONDARY.match(row["label"]) is not None or _stands_behind(row["heading"]),
        any(sign in text for sign in _BLANK),
        any(sign in text for sign in _EXAMPLE),
        any(sign in beginning for sign in _DEFINES),
    )


@lru_cache(maxsize=4_096)
def _stands_behind(heading: str) -> bool:
    """Whether a heading below the title is that of an appendix, a form or a commentary."""
    return any(_SECONDARY.match(part) for part in heading.split(" > ")[1:])
