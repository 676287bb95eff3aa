"""Modal verbs, negations and conditions: the small words that turn a rule into another one.

A modal verb is compared together with the word it governs: where a rule says "must credit and
may ask", a claim that says "may credit" is not in it, although both words are. It knows text
only; what follows from a difference is decided by the gate.
"""

import re
from collections import Counter
from dataclasses import dataclass

from casewright.corpus.sentences import sentences
from casewright.drafts.folding import folded, is_terminated
from casewright.drafts.values import Value, split


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


MODAL_VERBS = _listed("must may might shall should can could will would ought")
_DENIALS = frozenset({"not", "never"})
_LIMITS = _listed("unless except only no none nor neither without")
_DUTIES = re.compile(r"requir|permit|allow|prohibit|forbid|oblig|entitl|mandator|option|exempt|waiv|need")
_CONDITIONS = _listed("unless except only not never no none nor neither without if provided")
"""What may not be left out when a sentence is told in other words."""
_NEGATIONS = _listed("not never no none nor neither")
_SMALL_WORDS = MODAL_VERBS | _CONDITIONS | _listed("business calendar banking")
_FUNCTION_WORDS = _listed(
    "a an the and or but of to in on at by for from with as that this these those which who whom whose it its is are "
    "was were be been being has have had do does did also then than so such any all each every other their there "
    "they them he she his her we our you your i"
)
_CONTRACTIONS = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bshan't\b"), "shall not"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True)
class Mark:
    """A small word and, for modal verbs and denials, the stem of the word it governs."""

    word: str
    governs: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.governs}…" if self.governs else self.word

    @property
    def is_modal(self) -> bool:
        return self.word.partition(" ")[0] in MODAL_VERBS


@dataclass(frozen=True)
class Unit:
    """One sentence as the gate compares it."""

    words: tuple[str, ...]
    values: frozenset[Value]

    @classmethod
    def of(cls, text: str) -> "Unit":
        values, plain = split(text)
        for pattern, expanded in _CONTRACTIONS:
            plain = pattern.sub(expanded, plain)
        return cls(tuple(_WORD.findall(plain)), values)

    @property
    def content(self) -> frozenset[str]:
        """Stems of the words that carry meaning."""
        return frozenset(stem(word) for word in self.words if _is_content(word))

    @property
    def conditions(self) -> Counter[str]:
        """How often each condition stands here; all negations count as one kind."""
        found = (word for word in self.words if word in _CONDITIONS)
        return Counter("not" if word in _NEGATIONS else word for word in found)

    @property
    def small_words(self) -> Counter[str]:
        """How often each modal verb, negation, condition, kind of day and word of duty stands here."""
        return Counter(word for word in self.words if word in _SMALL_WORDS or _DUTIES.match(word))

    def marks(self) -> tuple[Mark, ...]:
        """What this sentence states and a source has to state as well."""
        found: list[Mark] = []
        for at, word in enumerate(self.words):
            modal = self._modal_at(at)
            if modal:
                found.append(Mark(modal, self._governed(at + len(modal.split()))))
            elif self._denies_at(at):
                found.append(Mark(word, self._governed(at + 1)))
            elif word in _LIMITS or _DUTIES.match(word):
                found.append(Mark(stem(word)))
        return tuple(dict.fromkeys(found))

    def states(self, mark: Mark) -> bool:
        """Whether this sentence has the mark, with the same word governed by it."""
        if not mark.governs:
            return any(mark.word == own.word for own in self.marks())
        ruling = ""
        for at, word in enumerate(self.words):
            modal = self._modal_at(at)
            if modal or self._denies_at(at):
                ruling = modal or word
            elif ruling == mark.word and _is_content(word) and stem(word) == mark.governs:
                return True
        return False

    def _modal_at(self, at: int) -> str:
        if self.words[at] not in MODAL_VERBS:
            return ""
        denied = at + 1 < len(self.words) and self.words[at + 1] in _DENIALS
        return f"{self.words[at]} not" if denied else self.words[at]

    def _denies_at(self, at: int) -> bool:
        """A denial by itself, not the second half of "must not"."""
        return self.words[at] in _DENIALS and not (at and self.words[at - 1] in MODAL_VERBS)

    def _governed(self, start: int) -> str:
        for word in self.words[start:]:
            if word in MODAL_VERBS or word in _DENIALS:
                return ""
            if _is_content(word):
                return stem(word)
        return ""


def units(quotes: tuple[str, ...]) -> tuple[Unit, ...]:
    """The sentences of the quotes; a lead-in is also joined to each quote that completes it."""
    parts = [sentences(folded(quote)) for quote in quotes]
    found = [Unit.of(sentence) for quote in parts for sentence in quote]
    for at, lead_in in enumerate(parts):
        if lead_in and not is_terminated(lead_in[-1]):
            found += [Unit.of(f"{lead_in[-1]} {later[0]}") for later in parts[at + 1 :] if later]
    return tuple(found)


def stem(word: str) -> str:
    """Without the commonest English endings; equal stems are the same word for our purpose."""
    for ending in ("ies", "ied"):
        if word.endswith(ending) and len(word) > 5:
            return word[:-3] + "y"
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > 3 else word


def _is_content(word: str) -> bool:
    return (
        len(word) > 1
        and word not in _FUNCTION_WORDS
        and word not in MODAL_VERBS
        and word not in _CONDITIONS
        and not (word.endswith("ly") and len(word) > 4)
    )
