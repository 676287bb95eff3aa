"""Reads JSON, with or without comments, and remembers where everything stands.

`casewright.clients.editing` changes a file by these places, so that all other bytes stay as they
are. It accepts exactly JSON (RFC 8259), or with `comments` also `//`, `/* */` and a comma after
the last element, which is what VS Code and Cursor accept. A name that stands twice in one object
is refused: which of the two a client takes is not known.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

DEEPEST = 64
"""Levels of nesting that are read."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,999})(?:\.[0-9]{1,999})?(?:[eE][+-]?[0-9]{1,9})?(?![0-9.eE])")
_DECODER = json.JSONDecoder()
_WORDS = (("true", True), ("false", False), ("null", None))


class MalformedError(ValueError):
    """The text is no such JSON; `line` and `column` count from 1."""

    def __init__(self, what: str, text: str, position: int) -> None:
        super().__init__(what)
        self.what = what
        self.line = text.count("\n", 0, position) + 1
        self.column = position - (text.rfind("\n", 0, position) + 1) + 1


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element of an array, or one member of an object with its name."""

    name: str
    """Empty in an array."""
    start: int
    node: "Node"
    comma: int = -1
    """Where the comma after it stands; -1: there is none."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One value and its place: `text[start:end]`."""

    kind: Literal["object", "array", "plain"]
    start: int
    end: int
    value: Any
    elements: tuple[Element, ...] = ()
    content_end: int = -1
    """In an object or array: after the last comma, element or comment before the bracket that closes it."""

    def member(self, name: str) -> "Element | None":
        """The member of this name, if there is one."""
        return next((element for element in self.elements if element.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole text that was read."""

    text: str
    root: Node
    is_plain: bool
    """Whether it is JSON as it stands: no comment, no comma after a last element."""


def read_document(text: str, *, comments: bool) -> Document:
    """Read a whole text.

    Raises:
        MalformedError: it is not what `comments` allows.
    """
    reader = _Reader(text, comments=comments)
    root = reader.whole()
    return Document(text=text, root=root, is_plain=reader.is_plain)


class _Reader:
    def __init__(self, text: str, *, comments: bool) -> None:
        self._text = text
        self._comments = comments
        self._at = 0
        self._content_end = 0
        self.is_plain = True

    def whole(self) -> Node:
        self._skip()
        root = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("the document ends before this")
        return root

    def _value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self._wrong(f"it is nested more than {DEEPEST} levels deep")
        match self._text[self._at : self._at + 1]:
            case "{":
                return self._object(depth)
            case "[":
                return self._array(depth)
            case '"':
                start = self._at
                return Node(kind="plain", start=start, value=self._string(), end=self._at)
            case _:
                return self._word()

    def _word(self) -> Node:
        start = self._at
        for word, value in _WORDS:
            if self._text.startswith(word, start):
                self._at += len(word)
                return Node(kind="plain", start=start, end=self._at, value=value)
        found = _NUMBER.match(self._text, start)
        if found is None:
            raise self._wrong("a value is expected")
        self._at = found.end()
        return Node(kind="plain", start=start, end=self._at, value=json.loads(found.group()))

    def _string(self) -> str:
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            raise MalformedError(error.msg[:1].lower() + error.msg[1:], self._text, error.pos) from error
        return str(value)

    def _object(self, depth: int) -> Node:
        start, elements = self._at, list[Element]()
        names = set[str]()
        self._open()
        while not self._closes("}"):
            place = self._at
            if self._text[place : place + 1] != '"':
                raise self._wrong("a name in quotes or '}' is expected")
            name = self._string()
            if name in names:
                raise MalformedError(f"{name!r} stands twice in one object", self._text, place)
            names.add(name)
            self._skip()
            if self._text[self._at : self._at + 1] != ":":
                raise self._wrong("':' is expected")
            self._at += 1
            self._skip()
            elements.append(self._element(name, place, depth, "}"))
        value = {element.name: element.node.value for element in elements}
        return self._closed("object", start, value, elements)

    def _array(self, depth: int) -> Node:
        start, elements = self._at, list[Element]()
        self._open()
        while not self._closes("]"):
            elements.append(self._element("", self._at, depth, "]"))
        return self._closed("array", start, [element.node.value for element in elements], elements)

    def _open(self) -> None:
        self._at += 1
        self._content_end = self._at
        self._skip()

    def _element(self, name: str, place: int, depth: int, closing: str) -> Element:
        node = self._value(depth + 1)
        self._content_end = self._at
        self._skip()
        comma = -1
        if self._text[self._at : self._at + 1] == ",":
            comma = self._at
            self._at += 1
            self._content_end = self._at
            self._skip()
            if self._text[self._at : self._at + 1] == closing:
                self._tolerate("a comma after the last element")
        elif self._text[self._at : self._at + 1] != closing:
            raise self._wrong(f"',' or {closing!r} is expected")
        return Element(name=name, start=place, node=node, comma=comma)

    def _closes(self, closing: str) -> bool:
        if self._at >= len(self._text):
            raise self._wrong(f"the document ends, and {closing!r} is missing")
        return self._text[self._at] == closing

    def _closed(self, kind: Literal["object", "array"], start: int, value: Any, elements: list[Element]) -> Node:
        content_end = self._content_end
        self._at += 1
        return Node(
            kind=kind, start=start, end=self._at, value=value, elements=tuple(elements), content_end=content_end
        )

    def _skip(self) -> None:
        text = self._text
        while self._at < len(text):
            if text[self._at] in " \t\r\n":
                self._at += 1
            elif text.startswith("//", self._at):
                self._comment(text.find("\n", self._at))
            elif text.startswith("/*", self._at):
                closing = text.find("*/", self._at + 2)
                if closing < 0:
                    raise self._wrong("this comment does not end")
                self._comment(closing + 2)
            else:
                return

    def _comment(self, end: int) -> None:
        self._tolerate("a comment")
        self._at = len(self._text) if end < 0 else end
        self._content_end = self._at
        if self._text[self._at - 1] == "\r":
            self._content_end -= 1

    def _tolerate(self, what: str) -> None:
        if not self._comments:
            raise self._wrong(f"{what} is not JSON, and this client would not read it")
        self.is_plain = False

    def _wrong(self, what: str) -> MalformedError:
        return MalformedError(what, self._text, self._at)
