"""Automatic numbers of Word paragraphs, counted as Word prints them.

A paragraph names a list and a level, itself or through its style; the numbering part says how the
level is written. Called by `docx` alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casewright.corpus.formats.ordinals import ordinal

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES: Mapping[str, str] = {
    "lowerLetter": "a",
    "upperLetter": "A",
    "lowerRoman": "i",
    "upperRoman": "I",
    "decimal": "1",
    "decimalZero": "1",
}


@dataclass(frozen=True)
class Mark:
    """The printed mark of a paragraph, and its depth from 1."""

    text: str
    depth: int


@dataclass(frozen=True)
class _Level:
    style: str
    """Of `ordinal`; "" for a bullet."""
    text: str
    """Such as `%1.%2`."""
    start: int


class DocxNumbering:
    """The lists of one document and how far each has counted."""

    def __init__(self, document: Any) -> None:
        root = _numbering_root(document)
        self._abstract: dict[str, Mapping[int, _Level]] = {}
        self._lists: dict[str, str] = {}
        self._restarts: dict[str, Mapping[int, int]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        if root is None:
            return
        for each in root.iterchildren(f"{_W}abstractNum"):
            self._abstract[_value(each, "abstractNumId")] = dict(_levels(each))
        for each in root.iterchildren(f"{_W}num"):
            number = _value(each, "numId")
            link = each.find(f"{_W}abstractNumId")
            self._lists[number] = "" if link is None else _value(link, "val")
            self._restarts[number] = dict(_overrides(each))

    def mark(self, paragraph: Any, style: Any) -> Mark | None:
        """The mark of the next paragraph in order; None where it is not numbered."""
        number, level = _list_of(paragraph, style)
        levels = self._abstract.get(self._lists.get(number, ""), {})
        if level not in levels:
            return None
        counts = self._count(number, level, levels)
        if not levels[level].style:
            return Mark("•", level + 1)
        text = levels[level].text
        for index in range(level + 1):
            if index in levels:
                text = text.replace(
                    f"%{index + 1}", ordinal(counts.get(index, levels[index].start), levels[index].style)
                )
        return Mark(text.strip(), level + 1) if text.strip() else None

    def _count(self, number: str, level: int, levels: Mapping[int, _Level]) -> Mapping[int, int]:
        """Count one on; lists of one design share their count until one says it starts anew."""
        design = self._lists[number]
        counts = self._counts.setdefault(design, {})
        restart = self._restarts.pop(number, {})
        if level in restart:
            counts[level] = restart[level]
        else:
            counts[level] = counts[level] + 1 if level in counts else levels[level].start
        for deeper in [each for each in counts if each > level]:
            del counts[deeper]
        return counts


def _numbering_root(document: Any) -> Any:
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/numbering") and not relation.is_external:
            return relation.target_part.element
    return None


def _levels(abstract: Any) -> Iterator[tuple[int, _Level]]:
    for each in abstract.iterchildren(f"{_W}lvl"):
        kind, text, start = (each.find(f"{_W}{name}") for name in ("numFmt", "lvlText", "start"))
        style = _STYLES.get("decimal" if kind is None else _value(kind, "val"), "")
        yield (
            _number(_value(each, "ilvl"), 0),
            _Level(
                style=style,
                text="" if text is None else _value(text, "val"),
                start=1 if start is None else _number(_value(start, "val"), 1),
            ),
        )


def _overrides(number: Any) -> Iterator[tuple[int, int]]:
    for each in number.iterchildren(f"{_W}lvlOverride"):
        start = each.find(f"{_W}startOverride")
        if start is not None:
            yield _number(_value(each, "ilvl"), 0), _number(_value(start, "val"), 1)


def _list_of(paragraph: Any, style: Any) -> tuple[str, int]:
    """The list and level a paragraph names, or its style, or what that is based on; ("", 0) for none."""
    places = [paragraph.find(f"{_W}pPr/{_W}numPr")]
    for _ in range(20):
        if style is None:
            break
        places.append(style.element.find(f"{_W}pPr/{_W}numPr"))
        style = getattr(style, "base_style", None)
    for place in places:
        if place is None:
            continue
        number, level = place.find(f"{_W}numId"), place.find(f"{_W}ilvl")
        depth = 0 if level is None else _number(_value(level, "val"), 0)
        if number is not None:
            return ("" if _value(number, "val") == "0" else _value(number, "val")), depth
    return "", 0


def _value(element: Any, name: str) -> str:
    return element.get(f"{_W}{name}") or ""


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else default
