"""What a model is told of its own last reply when it has to correct it: what it wrote, and nothing put in since.

Its reply was restored before it was checked. Sent back as it was restored, a model could have its placeholders read to
it: `x[PERSON_1]x` holds a name that nobody recognises by its form. So the reply goes back as it was written, and what
is said to be wrong with it is told without the values.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from casewright.models.protection.placeholders import PLACEHOLDER, Placeholders
from casewright.models.provider import Turn

WITHHELD = "[withheld]"
_PROBLEMS = re.compile(
    r"\[\[(?P<marker>[0-9a-f]{24}) problems\]\]\n(?P<problems>.*)\n\[\[(?P=marker) end\]\]", re.DOTALL
)
_WORD = re.compile(r"\w{3,}")
_FEWEST_DIGITS = 3
_FEWEST_LETTERS = 4
"""Characters of a value that no word may hold: joined to others or cut off, a value is not found as a whole."""


@dataclass(frozen=True, kw_only=True)
class LastReply:
    """One reply, before and after values were put back."""

    written: str = ""
    restored: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    """By placeholder, what was put into it."""

    @classmethod
    def of(cls, written: str, placeholders: Placeholders) -> "LastReply":
        """A reply in which the placeholders were read as they are now."""
        made = {one: placeholders.restore(one) for one in PLACEHOLDER.findall(written)}
        values = {one: value for one, value in made.items() if value != one}
        return cls(written=written, restored=placeholders.restore_json(written), values=values)

    def again(self, turns: tuple[Turn, ...], placeholders: Placeholders) -> tuple[Turn, ...]:
        """The turns of a request as they may leave; those behind this reply are about it."""
        at = next((place for place, one in enumerate(turns) if self._is(one)), len(turns))
        sent = [_redacted(one, placeholders) for one in turns[:at]]
        if at < len(turns):
            sent.append(Turn(role="assistant", text=self.written.strip()))
        sent += [self._told(one, placeholders) for one in turns[at + 1 :]]
        return tuple(sent)

    def _is(self, turn: Turn) -> bool:
        return turn.role == "assistant" and turn.text == self.restored.strip()

    def _told(self, turn: Turn, placeholders: Placeholders) -> Turn:
        """A text about the reply; the problems it lists are told without what was put into the reply."""
        text = _redacted(turn, placeholders).text
        listed = _PROBLEMS.search(text)
        start, end = listed.span("problems") if listed else (0, len(text))
        return Turn(role=turn.role, text=f"{text[:start]}{self._bare(text[start:end])}{text[end:]}")

    def _bare(self, text: str) -> str:
        values = sorted(((value, one) for one, value in self.values.items()), key=lambda pair: -len(pair[0]))
        if not values:
            return text
        known = frozenset(_WORD.findall(self.written.casefold()))
        pieces = {piece for value, _ in values for word in _WORD.findall(value.casefold()) for piece in _pieces(word)}

        def shown(word: re.Match[str]) -> str:
            small = word[0].casefold()
            return WITHHELD if small not in known and any(piece in small for piece in pieces) else word[0]

        for value, one in values:
            text = _outside(text, lambda part, value=value, one=one: part.replace(value, one))
        return _outside(text, lambda part: _WORD.sub(shown, part))


def _redacted(turn: Turn, placeholders: Placeholders) -> Turn:
    """Only the user's turns hold delimiters of our own, in which nothing is looked for."""
    text = placeholders.redact_blocks(turn.text) if turn.role == "user" else placeholders.redact(turn.text)
    return Turn(role=turn.role, text=text)


def _pieces(word: str) -> set[str]:
    size = _FEWEST_DIGITS if word.isdigit() else _FEWEST_LETTERS
    return {word[at : at + size] for at in range(max(1, len(word) - size + 1))}


def _outside(text: str, change: Callable[[str], str]) -> str:
    """`text` changed everywhere but in its placeholders."""
    pieces: list[str] = []
    at = 0
    for match in PLACEHOLDER.finditer(text):
        pieces += (change(text[at : match.start()]), match[0])
        at = match.end()
    return "".join((*pieces, change(text[at:])))
