"""Cut an overlong text at the ends of sentences, so that every part can be quoted whole.

A sentence that is too long by itself is cut between words, as the last resort; a word never is. Pure.
"""

from collections.abc import Iterator

from casewright.corpus.sentences import sentences
from casewright.corpus.tokens import token_count

MAX_CLAUSE_TOKENS = 2_048
"""The longest clause of the regulations we measured has about 700."""


def split_long(text: str, *, limit: int = MAX_CLAUSE_TOKENS) -> tuple[str, ...]:
    """The text in parts of at most `limit` word pieces; joined with spaces they are the text again."""
    if len(text) <= limit or token_count(text) <= limit:
        return (text,)
    parts: list[str] = []
    room = 0
    for piece in _pieces(text, limit):
        size = token_count(piece)
        if parts and size <= room:
            parts[-1] += f" {piece}"
            room -= size
        else:
            parts.append(piece)
            room = limit - size
    return tuple(parts)


def _pieces(text: str, limit: int) -> Iterator[str]:
    """The sentences; one beyond the limit in runs of words."""
    for sentence in sentences(text):
        if token_count(sentence) <= limit:
            yield sentence
            continue
        words: list[str] = []
        room = limit
        for word in sentence.split():
            size = token_count(word)
            if words and size > room:
                yield " ".join(words)
                words, room = [], limit
            words.append(word)
            room -= size
        yield " ".join(words)
