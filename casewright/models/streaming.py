"""Reads the entries of a list while the JSON document that holds it is still being written.

It believes nothing: an entry is what a model wrote, parsed and no more. Who shows it to anybody verifies it first
(`agents.sentences`), and the whole document is validated by the gateway when it is there.
"""

import json
import re
from typing import Any

_LONGEST = 400_000
"""Characters of a document that are read along; what is longer is left to the validation of the whole."""
_PLAIN = re.compile(r'[^"\\]*')


class ListReader:
    """Gives the entries of one list of the outermost object, each as soon as its last character came.

    Anything before the first brace is skipped, such as the opening of a code fence. A document that is no JSON ends
    the reading without an error.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""
        self._at = 0
        self._open: list[str] = []
        """Brackets that are open, outermost first."""
        self._string_from = -1
        """Where the string began that is being read; -1: none is."""
        self._key = ""
        """The last string of the outermost object: a key, whenever a list opens behind it."""
        self._entry_from = -1
        self._in_list = False
        self.ended = False
        """True: the outermost object is closed, or nothing more can be read."""

    def feed(self, text: str) -> tuple[Any, ...]:
        """Take the next piece; the entries that it completed, oldest first."""
        if self.ended:
            return ()
        if len(self._text) + len(text) > _LONGEST:
            self.ended = True
            return ()
        self._text += text
        found: list[Any] = []
        try:
            while not self.ended and self._at < len(self._text) and not self._at_lone_escape():
                self._step(found)
        except ValueError:
            self.ended = True
        return tuple(found)

    def _at_lone_escape(self) -> bool:
        """Whether the text ends with a backslash in a string: what it escapes is still to come."""
        return self._string_from >= 0 and self._at + 1 == len(self._text) and self._text[self._at] == "\\"

    def _step(self, found: list[Any]) -> None:
        """Read on by one character, or by a whole string if it is there."""
        character = self._text[self._at]
        if self._string_from >= 0 or (character == '"' and self._open):
            self._read_string(found)
            return
        if character in "[{" and (self._open or character == "{"):
            self._opened(character)
        elif character in "]}" and self._open:
            self._closed(character, found)
        elif character == "," and self._in_list and len(self._open) == 2:
            self._completed(found)
        elif self._open and not character.isspace():
            self._begun()
        self._at += 1

    def _read_string(self, found: list[Any]) -> None:
        if self._string_from < 0:
            self._begun()
            self._string_from = self._at
            self._at += 1
        while True:
            self._at = _plain_to(self._text, self._at)
            if self._at == len(self._text) or self._at_lone_escape():
                return
            character = self._text[self._at]
            self._at += 2 if character == "\\" else 1
            if character == '"':
                self._string_ended(found)
                return

    def _string_ended(self, found: list[Any]) -> None:
        if len(self._open) == 1:
            self._key = json.loads(self._text[self._string_from : self._at], strict=False)
        self._string_from = -1
        if self._in_list and len(self._open) == 2:
            self._completed(found)

    def _opened(self, bracket: str) -> None:
        self._begun()
        self._open.append(bracket)
        self._in_list = self._in_list or (len(self._open) == 2 and bracket == "[" and self._key == self._name)

    def _closed(self, bracket: str, found: list[Any]) -> None:
        if {"[": "]", "{": "}"}[self._open[-1]] != bracket:
            raise ValueError("the brackets do not match")
        if self._in_list and len(self._open) == 2:
            self._completed(found)
            self._in_list, self._key = False, ""
        self._open.pop()
        self.ended = not self._open
        if self._in_list and len(self._open) == 2:
            self._entry_to(found, self._at + 1)

    def _begun(self) -> None:
        """Note that an entry begins here, if one can."""
        if self._in_list and len(self._open) == 2 and self._entry_from < 0:
            self._entry_from = self._at

    def _completed(self, found: list[Any]) -> None:
        self._entry_to(found, self._at)

    def _entry_to(self, found: list[Any], end: int) -> None:
        if self._entry_from >= 0:
            entry, self._entry_from = self._text[self._entry_from : end], -1
            found.append(json.loads(entry))


def _plain_to(text: str, at: int) -> int:
    """Where the next quote or backslash is; else the end."""
    found = _PLAIN.match(text, at)
    return found.end() if found else at
