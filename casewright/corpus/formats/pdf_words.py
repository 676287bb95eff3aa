"""Words from printed lines: spaces, hyphens at line ends, raised footnote marks. Pure."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from casewright.corpus.formats.pdf_page import Letter, Line

_RAISED = 0.15
"""Of the line's size: a mark's lower edge stands at least so much above the line's."""
_MARK_SIZE = 0.85


def joined(lines: Sequence[Line], vocabulary: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The text of the lines as one, in pieces that are bold or not."""
    for number, line in enumerate(lines):
        pieces = list(_pieces(line))
        following = lines[number + 1].text.strip() if number + 1 < len(lines) else ""
        if pieces and following:
            text, bold = pieces[-1]
            pieces[-1] = (_ended(text.rstrip(), following, vocabulary), bold)
        yield from pieces


def _ended(text: str, following: str, vocabulary: Collection[str]) -> str:
    """The end of a line before the next: without its hyphen where the whole word is known from elsewhere."""
    if not text.endswith("-") or not text[-2:-1].isalpha() or not following[:1].islower():
        return f"{text} "
    head = text.split()[-1].lstrip("(“\"'")[:-1]
    tail = following.split()[0].rstrip(".,;:)”\"'")
    return text[:-1] if (head + tail).casefold() in vocabulary else text


def _pieces(line: Line) -> Iterator[tuple[str, bool]]:
    size = line.size
    base = min((letter.base for letter in line.letters if round(letter.size, 1) == size), default=line.bottom)
    for mark, letters in groupby(line.letters, key=lambda letter: _is_mark(letter, size, base)):
        if mark:
            yield f"[{''.join(letter.text for letter in letters).strip()}]", False
            continue
        for bold, run in groupby(letters, key=lambda letter: letter.bold):
            yield "".join(letter.text for letter in run), bold


def _is_mark(letter: Letter, size: float, base: float) -> bool:
    return letter.text.isdigit() and letter.size < size * _MARK_SIZE and letter.base > base + size * _RAISED
