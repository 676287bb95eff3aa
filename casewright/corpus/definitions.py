"""The terms that a document defines, and which clauses use them.

    “Business day” means any day on which …    Good faith estimate or GFE means …
    For purposes of this section, the term “account” means …    An error, for this policy, is any of the following:

A term is a user's word in a clause only as a whole word, plural and possessive aside; the longest term
wins. Where a term is defined more than once, the one of the same section counts, then the last one before
the clause, then the first. Total: no text makes it fail. Called by `links`.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from casewright.corpus.grammar import parse_label

MAX_TERMS = 2_000
"""Of one document."""
MAX_USED = 12
"""Of one clause, the first ones; a definition that everybody knows is at hand, not in the way."""
MAX_TERM_WORDS = 8
_HEAD_CHARACTERS = 400
_QUOTED = r"[“\"](?P<{name}>[^“”\"]{{2,80}}?)[,.]?[”\"]"
_MEANS = r"(?:\s?\([^()]{1,60}\))?,?\s(?:means?|has the (?:same )?meaning|is defined as|refers to|includes)\b"
_STATED = re.compile(
    rf"(?:^|[.:,;]\s|\b[Tt]erms?\s){_QUOTED.format(name='one')}(?:\s(?:or|and)\s{_QUOTED.format(name='other')})?{_MEANS}"
)
_PLAIN = re.compile(
    r"(?P<one>[A-Z][\w'’-]*(?:\s[\w'’-]+){0,7}?)(?:\s\([^()]{1,60}\))?\smeans\s(?=an?\b|any\b|the\b|all\b|one\b|every\b"
    r"|those\b|either\b|[a-z]+ing\b|[a-z]+ed\b|[A-Z0-9“\"]|to\b)"
)
_FOR_THIS = re.compile(
    r"(?:An?|The)\s(?P<one>[a-z][\w'’-]*(?:\s[\w'’-]+){0,5}?),\s(?:for|in)\s(?:this|the purposes? of this)\s"
    r"(?:policy|part|section|document|agreement|chapter),\s(?:is|means|includes)\b"
)
_SCOPED = re.compile(
    r"\b(?:for|in)\s(?:the\s)?(?:purposes?\sof\s)?this\s(?:section|paragraph|clause|appendix)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_NO_TERM = frozenset(
    {
        "this",
        "that",
        "these",
        "those",
        "it",
        "which",
        "what",
        "such",
        "a",
        "an",
        "the",
        "other",
        "any",
        "all",
        "by",
        "in",
    }
    | {"on", "at", "for", "if", "when", "where", "with", "through", "without", "reasonable"}
)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Where a term is defined."""

    term: str
    """As it is printed there."""
    label: str
    position: int
    section: str
    """The section it is for, where it is said to be for one; "" for the whole document."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """As much of a clause as is looked at."""

    label: str
    position: int
    text: str


@dataclass(frozen=True)
class Glossary:
    """The definitions of one document, by the words of the term."""

    by_words: Mapping[tuple[str, ...], Sequence[Definition]]
    _first_words: Mapping[str, Sequence[tuple[str, ...]]] = field(repr=False)
    """By its first word, the terms with it, the longest first."""
    _sections: Mapping[str, int] = field(repr=False)
    """By the last number of a section, where it begins: a `Comment 6` reads as if it stood there."""

    @classmethod
    def of(cls, clauses: Iterable[Source]) -> "Glossary":
        """The terms that these clauses of one document define."""
        found: dict[tuple[str, ...], list[Definition]] = {}
        sections: dict[str, int] = {}
        for clause in clauses:
            section = section_of(clause.label)
            if section.startswith("§"):
                sections.setdefault(section.rpartition(".")[2].strip("§ "), clause.position)
            for term, scoped in _defined(clause.text):
                words = _key(term)
                if words in found or len(found) < MAX_TERMS:
                    place = Definition(
                        term=term, label=clause.label, position=clause.position, section=section if scoped else ""
                    )
                    found.setdefault(words, []).append(place)
        first: dict[str, list[tuple[str, ...]]] = {}
        for words in sorted(found, key=len, reverse=True):
            first.setdefault(words[0], []).append(words)
        return cls(found, first, sections)

    def used_in(self, clause: Source) -> tuple[Definition, ...]:
        """The definitions of the terms that a clause uses, in the order of their first use, at most 12."""
        found: dict[str, Definition] = {}
        for words in self._terms(clause.text) if self.by_words else ():
            chosen = self._for_clause(self.by_words[words], clause)
            if chosen is not None and chosen.label != clause.label:
                found.setdefault(chosen.label, chosen)
            if len(found) == MAX_USED:
                break
        return tuple(found.values())

    def _terms(self, text: str) -> Iterator[tuple[str, ...]]:
        said = [_folded(word) for word in _WORD.findall(text)]
        end = 0
        for at, word in enumerate(said):
            if at < end or word not in self._first_words:
                continue
            fits = next((each for each in self._first_words[word] if _begins(said, at, each)), None)
            if fits is not None:
                yield fits
                end = at + len(fits)

    def _for_clause(self, definitions: Sequence[Definition], clause: Source) -> Definition | None:
        section = section_of(clause.label)
        explained = section.removeprefix("Comment ") if section.startswith("Comment ") else ""
        own = [each for each in definitions if each.section and _ends_with(each.section, section, explained)]
        if own:
            return own[0]
        whole = [each for each in definitions if not each.section]
        whole = [each for each in whole if not each.label.startswith("Comment ")] or whole  # a comment only explains
        place = self._sections.get(explained, clause.position)
        before = bisect_left([each.position for each in whole], place)
        return whole[max(0, before - 1)] if whole else None


@lru_cache(maxsize=8_192)
def section_of(label: str) -> str:
    """The part of a label that a document calls a section: `§ 1005.2`, `Comment 6`, `3` of `3.2(a)`."""
    parts = parse_label(label)
    if parts is None:
        return label
    return parts.base.partition(".")[0] if parts.base[0].isdigit() else parts.base


def _ends_with(section: str, own: str, explained: str) -> bool:
    return section == own or (bool(explained) and section.rpartition(".")[2] == explained)


def _defined(text: str) -> Iterator[tuple[str, bool]]:
    """The terms that a text defines, each with whether it is for its section alone."""
    head = text[:_HEAD_CHARACTERS]
    matches = [*_STATED.finditer(head)]
    if not matches:
        matches = [match for shape in (_PLAIN, _FOR_THIS) if (match := shape.match(head))]
    for match in matches:
        scoped = _SCOPED.search(head[: match.start() + 1]) is not None
        for name in ("one", "other"):
            term = (match.groupdict().get(name) or "").strip(" ,.")
            for each in term.split(" or ") if match.re is _PLAIN else (term,):
                if _is_term(each):
                    yield each, scoped


def _is_term(text: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(text)]
    return 0 < len(words) <= MAX_TERM_WORDS and words[0] not in _NO_TERM and any(len(word) > 2 for word in words)


def _key(term: str) -> tuple[str, ...]:
    return tuple(_folded(word) for word in _WORD.findall(term))


@lru_cache(maxsize=65_536)
def _folded(word: str) -> str:
    """A word without possessive and plural, in folded case."""
    plain = word.casefold().replace("’", "'")
    plain = plain.removesuffix("'s").removesuffix("'")
    if len(plain) > 4 and plain.endswith("ies"):
        return plain[:-3] + "y"
    return plain[:-1] if len(plain) > 3 and plain.endswith("s") and not plain.endswith("ss") else plain


def _begins(said: Sequence[str], at: int, words: tuple[str, ...]) -> bool:
    return tuple(said[at : at + len(words)]) == words
