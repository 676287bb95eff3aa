"""The grammar of citation labels as documents print them.

    § 1005.11(c)(2)(i)    Comment 6(b)(1)-2    4.2.1(b)    Appendix A    Appendix C to Part 1024 II-h1-p3

A label is a base and steps below it. Readers use it to tell a label from ordinary bold text and to
find the label that begins a paragraph; where none is printed, the path of the headings lends one.
Total: no text makes it fail. It is deliberately *not* the folding or lookup of labels (`labels`).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from casewright.corpus.labels import MAX_LABEL_CHARACTERS

_KINDS = (
    r"(?:Comment|Appendix|Annex|Schedule|Supplement|Exhibit|Attachment|Article|Section|Clause|Chapter|Part|Rule|"
    r"Regulation|Paragraph|Form|Table)"
)
_NUMBER = r"\d{1,6}(?:\.\w{1,12})*"
_BASE = re.compile(
    rf"§+\s*{_NUMBER}"
    rf"|{_KINDS}\s+(?:§+\s*)?(?:[A-Z]{{1,5}}|[A-Z]?\d\w{{0,11}})(?:\.\w{{1,12}})*(?:\s+to\s+Part\s+\d+)?(?![^\s().-])"
    rf"|[A-Z]{{1,6}}(?=[-.]?\d)"
    rf"|{_NUMBER}"
)
_STEP = re.compile(
    r"\((?:[^()\s]|\([^()\s]*\)){1,80}\)|[-.] ?\w{1,60}|\d{1,6}| [A-Za-z]{0,3}\d{1,6}[a-z]?\b| [A-Z]{1,5}\b| [a-z]\b"
    r"| (?:part|introduction|repeat) \d{1,4}\b| > [^>]{1,100}"
)
_ALONE = re.compile(r"\d{1,3}")
_PRINTED = re.compile(
    rf"(?P<label>§+\s*{_NUMBER}(?:\([^()\s]{{1,40}}\))*(?:-\w{{1,8}})*"
    r"|Comment\s+\d+(?:\.\d+)*(?:\([^()\s]{1,40}\))*(?:-\d+(?:\.[ivxlc]+)?)?"
    r"|(?:Appendix|Annex|Schedule|Exhibit)\s+[A-Z0-9]{1,3}[-.]\d{1,4}"
    r"|\d{1,4}(?:\.\d{1,3})+(?:\([A-Za-z0-9]{1,5}\))*"
    r"|\d{1,4}(?:\([A-Za-z0-9]{1,5}\))+)[.:]?\s+(?=\S)"
)
_UNIT = re.compile(r"(?:percent|per cent|%|million|billion|thousand|hours?|days?|weeks?|months?|years?|[A-Z]{3}\b)")
_MARKER = re.compile(
    r"(?P<marker>\((?:[a-z]{1,2}|[ivxlc]{1,6}|[A-Z]{1,2}|[IVXLC]{1,6}|\d{1,3})\)|(?:[a-z]|[ivxlc]{1,6}|\d{1,3})\)"
    r"|(?:\d{1,3}|[a-z]|[ivxlc]{2,6})\.|[•‣◦▪●○–*-])\s+(?=\S)"
)
_HEADING = re.compile(
    r"(?P<label>§+\s*\d+(?:\.\d+)*|\d{1,4}(?:\.\d{1,3})*(?=[.:]?(?:\s|$))"
    r"|(?:Appendix|Annex|Schedule|Supplement)\s+[A-Z0-9]{1,4}\b(?:\s+to\s+Part\s+\d+)?)"
)


@dataclass(frozen=True, kw_only=True)
class LabelParts:
    """A label taken apart; `text` puts it together again."""

    base: str
    steps: tuple[str, ...]
    """With their brackets, dots and dashes: `(c)`, `-2`, ` II`."""

    @property
    def text(self) -> str:
        return self.base + "".join(self.steps)


@lru_cache(maxsize=8_192)
def parse_label(text: str) -> LabelParts | None:
    """The parts of a label; None where the text is none. Spaces are taken as one."""
    label = " ".join(unicodedata.normalize("NFC", text).split())
    if not label or len(label) > MAX_LABEL_CHARACTERS:
        return None
    match = _BASE.match(label)
    if match is None:
        return None
    end, steps = match.end(), list[str]()
    while step := _STEP.match(label, end):
        steps.append(step.group())
        end = step.end()
    return LabelParts(base=match.group(), steps=tuple(steps)) if end == len(label) else None


def is_label(text: str) -> bool:
    """Whether the text, set apart by the document, is a label and not emphasis."""
    return parse_label(text.rstrip(".:") if len(text) > 1 else text) is not None


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What a paragraph begins with, and the rest."""

    mark: str
    rest: str


def leading_label(text: str) -> Begun | None:
    """The complete label that is printed at the beginning of a paragraph, by its shape alone.

    A lone number and an amount ("2.5 percent of …") are not labels.
    """
    match = _PRINTED.match(text)
    if match is None:
        return None
    rest = text[match.end() :]
    label = " ".join(match.group("label").split())
    plain = label[0].isdigit() and "(" not in label
    return None if plain and _UNIT.match(rest) else Begun(mark=label, rest=rest)


def leading_marker(text: str) -> Begun | None:
    """The list marker a paragraph begins with: `(a)`, `b)`, `3.`, `iv.`, a bullet."""
    match = _MARKER.match(text)
    return None if match is None else Begun(mark=match.group("marker"), rest=text[match.end() :])


def begins_paragraph(text: str, before: str) -> bool:
    """Whether a printed line begins a paragraph by its label or marker, given the line before.

    "… of clauses 3.1," goes on with "3.2 and 3.3": after a comma a bare number before a small letter is none.
    """
    before = before.rstrip()
    if not before.endswith((".", ";", ":", ",", "?", "!", " or", " and")):
        return False
    label = leading_label(text)
    if label is None:
        return leading_marker(text) is not None
    return "(" in label.mark or not (before.endswith((",", " or", " and")) and label.rest[:1].islower())


def heading_label(headings: Sequence[str]) -> str:
    """The label that headings lend, outermost first, the document's title left out.

    The reference of the nearest numbered heading with the headings below it, or else the whole path.
    """
    path: list[str] = []
    for heading in reversed(headings):
        if match := _HEADING.match(heading):
            path.append(" ".join(match.group("label").split()))
            break
        path.append(heading)
    return " > ".join(reversed(path))[: MAX_LABEL_CHARACTERS - 20].strip() or "Introduction"


def is_unit(text: str) -> bool:
    """Whether the text begins with a unit, so that a number before it is an amount and no label."""
    return _UNIT.match(text) is not None


def is_bare_number(text: str) -> bool:
    """Whether the text is only a small number, as page numbers are."""
    return _ALONE.fullmatch(text.strip()) is not None
