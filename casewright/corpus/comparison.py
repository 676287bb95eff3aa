"""Compare two texts of a clause word by word. Pure."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from casewright.contracts.clause import WordChange

MAX_WORDS = 20_000


def word_changes(before: str, after: str) -> tuple[WordChange, ...]:
    """What was removed, added and replaced, in order; past 20,000 words, as one replacement."""
    old, new = before.split(), after.split()
    if old == new:
        return ()
    if max(len(old), len(new)) > MAX_WORDS:
        return (WordChange(kind="replaced", removed=before, added=after),)
    changes: list[WordChange] = []
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        removed, added = " ".join(old[old_from:old_to]), " ".join(new[new_from:new_to])
        if tag == "delete":
            changes.append(WordChange(kind="removed", removed=removed, added=""))
        elif tag == "insert":
            changes.append(WordChange(kind="added", removed="", added=added))
        elif tag == "replace":
            changes.append(WordChange(kind="replaced", removed=removed, added=added))
    return tuple(changes)


def aligned_words(before: str, after: str) -> Iterator[tuple[Literal["same", "removed", "added"], str]]:
    """Both texts as one, in runs of words that stayed, went or came; past 20,000 words, all went and all came."""
    old, new = before.split(), after.split()
    if max(len(old), len(new)) > MAX_WORDS:
        yield "removed", before
        yield "added", after
        return
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", " ".join(old[old_from:old_to])
            continue
        if old_to > old_from:
            yield "removed", " ".join(old[old_from:old_to])
        if new_to > new_from:
            yield "added", " ".join(new[new_from:new_to])
