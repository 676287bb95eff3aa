"""The references to other clauses that a clause prints, and where in its document they lead.

    § 1005.7(b)(1), (2), and (3)    paragraphs (c)(1) and (2) of this section    comment 6(b)(1)-2
    clauses 3.1 and 3.2    Appendix A    12 CFR 1026.12(a)

Every reference found is a label of the grammar (`grammar`), so that it can be looked up like any other. What
leads out of the document is left to whoever reads, since only they know what may be seen. Total: no text
makes it fail. Called by `links`; it is deliberately *not* the search of references in questions (`labels`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from casewright.corpus.grammar import is_unit, parse_label
from casewright.corpus.labels import fold_reference

MAX_REFERENCES = 40
"""Of one clause; a table of contents names more, and nobody follows them from there."""
_MAX_CHARACTERS = 20_000
_STEP = r"\((?:[a-z]{1,3}|[ivxlc]{1,6}|[A-Z]{1,3}|\d{1,3})\)"
_NUMBER = r"\d{1,5}(?:\.\d{1,5}){0,5}"
_SUFFIX = r"(?:-\d{1,4}(?:\.[ivxlc]{1,6})?)?"
_ITEM = rf"(?:{_NUMBER}(?:{_STEP}){{0,8}}|(?:{_STEP}){{1,8}}){_SUFFIX}"
_AND = r"\s?,?\s?(?:and|or|through|to)\s|,\s"
_HEAD = re.compile(
    rf"(?:(?P<sign>§§?)\s?|(?P<code>\d{{1,3}}\sCFR)\s|\b(?P<word>[Pp]aragraphs?|[Cc]lauses?|[Ss]ections?|[Cc]omments?"
    rf"|[Aa]rticles?|[Rr]ules?)\s)(?=(?P<list>{_ITEM}(?:(?:{_AND})+{_ITEM}){{0,30}}))"
)
_ANNEX = re.compile(
    r"\b(?P<kind>[Aa]ppendix|[Aa]nnex|[Ss]chedule|[Ee]xhibit)\s"
    r"(?P<name>[A-Z]{1,3}(?:[-.]\d{1,3})?(?:\sto\s[Pp]art\s\d{1,5})?|\d{1,3})(?![\w-])"
)
_ENTRY = re.compile(rf"(?P<number>{_NUMBER})?(?P<steps>(?:{_STEP})*)(?P<suffix>{_SUFFIX})")
_SPLIT = re.compile(rf"(?:{_AND})+")
_OTHER_INSTRUMENT = re.compile(
    r"\s(?:of|to)\s(?:the\s)?(?P<title>[A-Z][\w'’-]*(?:\s(?:(?:of|and|for|to|in|on|the)\s){0,2}[A-Z][\w'’-]*){0,9})"
)
_STATUTE = re.compile(r"(?:Act|Code|Constitution|Treaty|Law)$|^\S+$")
_INSTRUMENT_BEFORE = re.compile(r"(?:\b[A-Z]{3,}|\bAct|\bCode)\s$")
_ONE_STEP = re.compile(_STEP)
_ROMAN = re.compile(r"[ivxlc]+")
_PART = re.compile(r" to Part \d+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Printed:
    """One reference as a clause prints it."""

    text: str
    """The label it names, such as `§ 1005.11(c)(2)`."""
    readings: tuple[str, ...]
    """Labels it may mean, the likeliest first: "(b)(1) and (c)" is `(b)(c)` or `(c)`."""
    document: str = ""
    """The title of the other document it names; "" where it names none."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A reference and where it leads."""

    text: str
    target: str
    """The label of the clause in the same document; "" where it has none."""
    document: str = ""
    """The title of the other document that it names; "" where it names none."""


@dataclass(frozen=True)
class Places:
    """The clauses of one document by the labels that lead to them."""

    exact: Mapping[str, str]
    beneath: Mapping[str, str]
    """By a label that no clause has, the first clause below it: `§ 1005.7` leads to `§ 1005.7(a)`."""
    sections: Mapping[str, str]
    """By the last number of a section, its label: a `Comment 6(b)` speaks of `§ 1005.6`."""

    @classmethod
    def of(cls, labels: Sequence[str]) -> "Places":
        """The places of a document whose clauses have these labels, in order."""
        exact = {fold_reference(label): label for label in reversed(labels)}
        beneath: dict[str, str] = {}
        sections: dict[str, str] = {}
        for label in labels:
            parts = parse_label(label)
            if parts is None:
                continue
            if parts.base.startswith("§"):
                sections.setdefault(parts.base.rpartition(".")[2].strip("§ "), parts.base)
            for group in _groups(parts.base):
                beneath.setdefault(group, label)
            base, short = fold_reference(parts.base), fold_reference(_PART.sub("", parts.base))
            above = ""
            for step in ("", *(fold_reference(each) for each in parts.steps)):
                above += step
                beneath.setdefault(base + above, label)
                beneath.setdefault(short + above, label)
        return cls(exact, beneath, sections)

    def find(self, label: str) -> str:
        """The label of the clause that a label leads to; "" where there is none."""
        folded = fold_reference(label)
        return self.exact.get(folded) or self.beneath.get(folded, "")


def references_of(text: str, label: str, places: Places) -> tuple[Followed, ...]:
    """The references in the text of the clause `label`, each once, in order, at most 40; itself left out."""
    found: dict[str, Followed] = {}
    for printed in printed_references(text, _bases(label, places)):
        readings = () if printed.document else printed.readings
        target = next((target for each in readings if (target := places.find(each))), "")
        shown = target if target and _same(target, readings) else printed.text
        if target != label:
            followed = Followed(text=shown, target=target, document=printed.document)
            found.setdefault(f"{fold_reference(shown)} {printed.document}", followed)
        if len(found) >= MAX_REFERENCES:
            break
    return tuple(found.values())


def printed_references(text: str, bases: Sequence[str]) -> Iterator[Printed]:
    """Every reference that is printed; `bases` are the sections that "paragraph (b)" may be of."""
    text = text[:_MAX_CHARACTERS]
    starts = [(match.start(), match) for match in _HEAD.finditer(text)]
    starts += [(match.start(), match) for match in _ANNEX.finditer(text)]
    for _, match in sorted(starts, key=lambda item: item[0]):
        if "kind" in match.groupdict():
            named = f"{match['kind'].capitalize()} {match['name']}"
            yield Printed(text=named, readings=(named,))
        else:
            yield from _listed(_Head.of(match), text, bases)


def _groups(base: str) -> Iterator[str]:
    """The headings that a plain number stands under: `3` and `3.1` for `3.1.2`."""
    parts = base.split(".")
    if parts[0].isdigit():
        yield from (".".join(parts[:count]) for count in range(1, len(parts)))


def _same(target: str, readings: Sequence[str]) -> bool:
    return any(fold_reference(target) == fold_reference(each) for each in readings)


def _bases(label: str, places: Places) -> tuple[str, ...]:
    """What "paragraph (b)" in this clause may be below, the likeliest first.

    The section that a comment explains; its own section; a paragraph above it, as in "of this definition".
    """
    parts = parse_label(label)
    if parts is None:
        return ()
    kind, _, number = parts.base.partition(" ")
    section = places.sections.get(number, "") if kind == "Comment" else ""
    above = ["".join((parts.base, *parts.steps[:count])) for count in range(1, len(parts.steps))]
    return tuple(each for each in (section, parts.base, *above) if each)


@dataclass(frozen=True, kw_only=True)
class _Head:
    """The word or sign before a list of labels."""

    kind: str
    """`§`, or the word in lower case without its plural."""
    listed: str
    word_at: int
    at: int
    """Where the word and the list begin in the text."""

    @classmethod
    def of(cls, match: re.Match[str]) -> "_Head":
        word = (match["word"] or "").lower().rstrip("s")
        return cls(kind=word or "§", listed=match["list"], word_at=match.start(), at=match.start("list"))

    def document(self, text: str) -> str | None:
        """The title of the document that the list is of, "" for this one; None for a statute, which is none of ours."""
        if self.kind == "§":
            return ""
        other = _OTHER_INSTRUMENT.match(text, self.at + len(self.listed))
        if other is None:
            return None if _INSTRUMENT_BEFORE.search(text[: self.word_at]) else ""
        if _STATUTE.search(other["title"]):
            return None  # "section 910 of the Act", "Article 4 of the Uniform Commercial Code"
        return other["title"]

    def named(self, number: str) -> tuple[str, ...]:
        """The labels that a number may be, as documents print it after such a word."""
        if self.kind == "paragraph":
            return (number, f"Comment {number}")
        if self.kind in ("comment", "article", "rule"):
            return (f"{self.kind.capitalize()} {number}",)
        return (f"§ {number}",) if self.kind == "§" else (number,)


@dataclass(kw_only=True)
class _Reading:
    """How far a list of labels has been read."""

    steps: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()


def _listed(head: _Head, text: str, bases: Sequence[str]) -> Iterator[Printed]:
    """The labels of a list; "(b)(1), (2), and (3)" stand below what came before."""
    document = head.document(text)
    if document is None:
        return
    state = _Reading()
    for place, entry in enumerate(_entries(head.listed)):
        number, suffix = entry["number"] or "", entry["suffix"]
        steps = tuple(_ONE_STEP.findall(entry["steps"]))
        if number:
            if place and "." not in number and not steps and _is_amount(head, text, entry.start("number"), number):
                return
            state = _Reading(steps=steps, bases=head.named(number))
            readings = ["".join((base, *steps)) + suffix for base in state.bases]
        elif state.bases:
            continued = _continued(state.steps, steps)
            readings = ["".join((base, *each)) + suffix for each in continued for base in state.bases]
            state.steps = continued[0]
        else:
            state = _Reading(steps=steps, bases=tuple(bases))
            readings = ["".join((base, *steps)) + suffix for base in bases]
        readings = [each for each in dict.fromkeys(readings) if parse_label(each) is not None]
        if readings:
            yield Printed(text=readings[0], readings=tuple(readings), document=document)


def _entries(listed: str) -> Iterator[re.Match[str]]:
    at = 0
    while match := _ENTRY.match(listed, at):
        if match.end() == at:
            return
        yield match
        joined = _SPLIT.match(listed, match.end())
        if joined is None:
            return
        at = joined.end()


def _is_amount(head: _Head, text: str, offset: int, number: str) -> bool:
    """Whether a bare number later in a list counts something: "under clause 3.1, 10 business days"."""
    rest = text[head.at + offset + len(number) :].lstrip()
    return "." in head.listed.partition(",")[0] or "(" in head.listed.partition(",")[0] or is_unit(rest)


def _continued(before: tuple[str, ...], steps: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What steps after "and" may stand for, the deepest place of the same style first."""
    places = [depth for depth in range(len(before) - 1, -1, -1) if _styles(before[depth]) & _styles(steps[0])]
    return [(*before[:depth], *steps) for depth in places] or [(*before, *steps)]


def _styles(step: str) -> frozenset[str]:
    inside = step.strip("()")
    if inside.isdigit():
        return frozenset({"number"})
    if inside.isupper():
        return frozenset({"capital"})
    return frozenset({"letter", "roman"} if _ROMAN.fullmatch(inside) else {"letter"})
