"""Words of questions and clauses: cleaning, stems, weights and synonyms.

Used to bound and widen a query and to measure how much of a question a clause covers. It
is deliberately *not* the tokenizer of the full-text index, which has its own.
"""

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casewright.corpus.embedding import Embedder

MAX_QUERY_CHARACTERS = 100_000
MAX_QUERY_WORDS = 64
MAX_PAIRS = 64
MAX_PHRASE_CHARACTERS = 8_000
_DATA = Path(__file__).parent / "data"
_TAG = re.compile(r"<[^<>]{0,500}>")
_ONLY_RECOGNISED = "?"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_BASE_WEIGHT = 0.42
"""Words that tell no more than this, such as `the`, `how` and `have`, carry no weight."""
_SUFFIXES = (
    ("ational", "ate"),
    ("ization", "ize"),
    ("isation", "ize"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("ations", "ate"),
    ("ation", "ate"),
    ("ments", ""),
    ("ment", ""),
    ("ities", ""),
    ("ity", ""),
    ("ising", "ize"),
    ("ised", "ize"),
    ("ings", ""),
    ("ing", ""),
    ("ions", ""),
    ("ion", ""),
    ("edly", ""),
    ("ied", "y"),
    ("ies", "y"),
    ("ers", ""),
    ("er", ""),
    ("ors", ""),
    ("or", ""),
    ("als", ""),
    ("al", ""),
    ("ly", ""),
    ("ed", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
)


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Words that say nothing about the matter of a question."""
    return frozenset((_DATA / "stop_words.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A crude stem: equal for the common forms of one English word."""
    current = word.casefold().split("'")[0].split("’")[0]
    current = _vocabulary()["irregular"].get(current, current)
    for _ in range(2):
        for suffix, instead in _SUFFIXES:
            if current.endswith(suffix) and len(current) - len(suffix) >= 3:
                current = current[: len(current) - len(suffix)] + instead
                break
    current = current.removesuffix("e") if len(current) > 4 else current
    return current[:-1] if len(current) > 4 and current[-1] == current[-2] else current


def clean(query: str) -> str:
    """Plain words of a query: no markup, no control characters, at most 100,000 characters."""
    text = unicodedata.normalize("NFKC", html.unescape(_TAG.sub(" ", query[:MAX_QUERY_CHARACTERS])))
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in order."""
    return tuple(_WORD.findall(text))


def stem_sequence(text: str) -> list[str]:
    """The stems of a text's words in order, stop words left out."""
    return [each for each in map(_telling_stem, words(text)) if each]


def stems(text: str) -> frozenset[str]:
    """The stems of a text's words, stop words left out."""
    return frozenset(stem_sequence(text))


@lru_cache(maxsize=65_536)
def _telling_stem(word: str) -> str:
    """The stem of a word, empty for a stop word."""
    return "" if word.casefold() in stop_words() else stem(word)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A cleaned query with what it asks about."""

    text: str
    words: tuple[str, ...]
    """Distinct words that are searched for, the most telling 64."""
    weights: Mapping[str, float]
    """By stem, how much each word that matters tells."""
    spelled: Mapping[str, str]
    """By stem, the word as it was written."""
    pairs: tuple[tuple[str, str], ...]
    """Stems that follow each other in the question, stop words left out; at most 64 pairs."""
    expansions: tuple[str, ...]
    """Phrases that mean the same as phrases of the question."""
    alternatives: Mapping[str, tuple[frozenset[str], ...]]
    """By stem, sets of stems any of which stands for it."""

    def covered(self, text_stems: frozenset[str]) -> frozenset[str]:
        """The question's stems that the text has, itself or in other words."""
        return frozenset(
            each
            for each in self.weights
            if each in text_stems or any(other <= text_stems for other in self.alternatives.get(each, ()))
        )

    def coverage(self, text_stems: frozenset[str]) -> float:
        """Share of the question's weight that the text covers, 0 to 1."""
        total = sum(self.weights.values())
        covered = self.covered(text_stems)
        return min(1.0, sum(self.weights[each] for each in self.weights if each in covered) / total) if total else 0.0


def read_question(query: str, embedder: "Embedder") -> Question:
    """Clean, bound, weigh and widen a query."""
    text = clean(query)
    distinct = tuple(dict.fromkeys(word.casefold() for word in words(text)))
    if len(distinct) > MAX_QUERY_WORDS:
        by_weight = sorted(distinct, key=lambda word: (word.isdigit(), -embedder.weight(word)))
        heaviest = set(by_weight[:MAX_QUERY_WORDS])
        distinct = tuple(word for word in distinct if word in heaviest)
    telling = [word for word in distinct if word not in stop_words()]
    weights = {stem(word): max(0.05, embedder.weight(word) - _BASE_WEIGHT) for word in telling}
    expansions, alternatives = _widen(text)
    return Question(
        text=text,
        words=distinct,
        weights=weights,
        spelled={stem(word): word for word in reversed(telling)},
        pairs=_pairs(text, weights),
        expansions=expansions,
        alternatives=alternatives,
    )


def _pairs(text: str, weights: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    kept = [each for each in stem_sequence(text[:MAX_PHRASE_CHARACTERS]) if each in weights]
    return tuple(dict.fromkeys(pairwise(kept)))[:MAX_PAIRS]


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, Any]:
    return json.loads((_DATA / "synonyms.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _groups() -> tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]:
    """The phrases of every synonym group, each with its stems; see the file for the mark of those only recognised."""
    return tuple(tuple((member, _phrase(member)) for member in group) for group in _vocabulary()["groups"])


@lru_cache(maxsize=1)
def _beginnings() -> Mapping[str, tuple[tuple[int, tuple[str, ...]], ...]]:
    """By first stem, the phrases that begin with it and their groups, so that a question is read once."""
    found: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for number, group in enumerate(_groups()):
        for _, phrase in group:
            found.setdefault(phrase[0], []).append((number, phrase))
    return {first: tuple(phrases) for first, phrases in found.items()}


def _phrase(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words(text))


def _widen(text: str) -> tuple[tuple[str, ...], Mapping[str, tuple[frozenset[str], ...]]]:
    """Other phrases of the synonym groups whose one member occurs, and what stands for which stem."""
    expansions: dict[str, None] = {}
    alternatives: dict[str, list[frozenset[str]]] = {}
    for number, present in _occurring(_phrase(text)).items():
        others = [
            (member, phrase)
            for member, phrase in _groups()[number]
            if phrase not in present and not member.startswith(_ONLY_RECOGNISED)
        ]
        expansions.update(dict.fromkeys(member for member, _ in others))
        sets = [telling for _, phrase in others if (telling := frozenset(phrase) - stop_words())]
        for each in {part for phrase in present for part in phrase}:
            alternatives.setdefault(each, []).extend(sets)
    return tuple(expansions), {each: tuple(sets) for each, sets in alternatives.items()}


def _occurring(said: tuple[str, ...]) -> Mapping[int, set[tuple[str, ...]]]:
    """By group in ascending order, those of its phrases that occur."""
    found: dict[int, set[tuple[str, ...]]] = {}
    for place, first in enumerate(said):
        for number, phrase in _beginnings().get(first, ()):
            if said[place : place + len(phrase)] == phrase:
                found.setdefault(number, set()).add(phrase)
    return dict(sorted(found.items()))
