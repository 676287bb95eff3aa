"""Citation labels: folding, their structure, and references to them inside a question.

A label names a clause within its document: `§ 1005.11(c)(2)(i)`, `Comment 6(b)(1)-2`,
`3.2(a)`, `Appendix C to Part 1024 II-p3`. Parents follow from the way a label is built.
It is deliberately *not* a grammar of any one rule book.
"""

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass

MAX_LABEL_CHARACTERS = 200
MAX_REFERENCE_WORDS = 8
"""A reference spans at most this many words: `Appendix C to Part 1024 II-h1-p3` has six."""
MAX_REFERENCES = 200

_LAST_PART = re.compile(r"(\([^()]*\)|[-.][^-.()\s]+|\s+[^-.()\s]+)$")
_HEADING_REFERENCE = re.compile(
    r"^(§+\s*\d+(?:\.\d+)*|\d+(?:\.\d+)*|(?:Appendix|Supplement)\s+\S+(?:\s+to\s+Part\s+\d+)?)"
)
_EDGES = ".,;:?!\"'“”‘’[]{}<>*"
_START = re.compile(r"[§\d]|(comment|appendix|supplement|annex)\b", re.IGNORECASE)
_SHAPE = re.compile(r"\d\.\d|\d\(|\)\(|[a-z0-9)]-[a-z0-9]|^(comment|appendix)[a-z0-9]")


def fold_label(label: str) -> str:
    """A label without section signs and spaces, in compatibility form; case is kept."""
    folded = unicodedata.normalize("NFKC", label).replace("§", "")
    return "".join(folded.split())


def fold_reference(label: str) -> str:
    """A folded label in folded case, as people type references."""
    return fold_label(label).casefold()


def ancestors(label: str, known: Container[str]) -> tuple[str, ...]:
    """The labels above `label`, outermost first: each shorter form that is in `known`."""
    found: list[str] = []
    shorter = label
    while match := _LAST_PART.search(shorter):
        shorter = shorter[: match.start()].rstrip()
        if shorter in known:
            found.append(shorter)
    return tuple(reversed(found))


def introduction_label(heading: str, taken: Container[str]) -> str:
    """The label of a paragraph that stands under a heading without one of its own.

    `### § 1002.2 Definitions.` introduces `§ 1002.2`; another heading lends its whole text.
    """
    match = _HEADING_REFERENCE.match(heading)
    base = (match.group(0) if match else heading)[: MAX_LABEL_CHARACTERS - 20].strip() or "Introduction"
    label, count = base, 1
    while fold_label(label) in taken:
        count += 1
        label = f"{base} introduction {count}"
    return label


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A run of words that may name a clause."""

    start: int
    """Index of its first word."""
    words: int
    folded: str


def references(words: Sequence[str]) -> tuple[Reference, ...]:
    """Every run of up to eight words that is shaped like a citation, longest first per start."""
    found: list[Reference] = []
    for start, first in enumerate(words):
        longest = MAX_REFERENCE_WORDS if _START.match(first.strip(_EDGES).lstrip("(")) else 1
        for count in range(min(longest, len(words) - start), 0, -1):
            folded = _without_foreign_brackets(fold_reference(" ".join(words[start : start + count])).strip(_EDGES))
            if len(folded) <= MAX_LABEL_CHARACTERS and any(c.isdigit() for c in folded) and _SHAPE.search(folded):
                found.append(Reference(start=start, words=count, folded=folded))
        if len(found) >= MAX_REFERENCES:
            break
    return tuple(found[:MAX_REFERENCES])


def _without_foreign_brackets(folded: str) -> str:
    """Without brackets of the sentence around it: those that are open, and a pair around the whole.

    What is too long for a label is left: each bracket costs a look at the whole.
    """
    if len(folded) > 2 * MAX_LABEL_CHARACTERS:
        return folded
    while folded.startswith("(") and _closes(folded) in (0, len(folded)):
        folded = folded[1:].removesuffix(")") if _closes(folded) else folded[1:]
        folded = folded.strip(_EDGES)
    while folded.endswith(")") and folded.count(")") > folded.count("("):
        folded = folded[:-1].rstrip(_EDGES)
    return folded


def _closes(text: str) -> int:
    """After how many characters the first bracket of a text is closed; 0: never."""
    depth = 0
    for place, character in enumerate(text, start=1):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place
    return 0
