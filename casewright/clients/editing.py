"""Changes one member of a JSON text and leaves every other byte: comments, order, indentation, line ends.

Each function takes a document and gives the new text; the caller reads it again for the next
change. It is deliberately *not* a formatter: what it adds follows the indentation around it.
"""

import json
import re
from typing import Any

from casewright.clients.reading import Document, Element, Node

_INDENT = re.compile(r"\n([ \t]+)[\"}\]{/]")
NARROW = "  "


def put_member(document: Document, owner: Node, name: str, value: Any) -> str:
    """The text with this member of `owner`: replaced in its place, or added as the last."""
    member = owner.member(name)
    if member is None:
        return _append(document, owner, json.dumps(name, ensure_ascii=False) + ": ", value)
    if member.node.value == value and _same_kinds(member.node.value, value):
        return document.text
    return _replace(document, member.node, value)


def put_item(document: Document, owner: Node, position: int, value: Any) -> str:
    """The text with this item of an array: replaced, or added where `position` is its length."""
    if position == len(owner.elements):
        return _append(document, owner, "", value)
    return _replace(document, owner.elements[position].node, value)


def drop(document: Document, owner: Node, position: int) -> str:
    """The text without this element of an object or array; comments around it stay."""
    text, element = document.text, owner.elements[position]
    end = element.comma + 1 if element.comma >= 0 else element.node.end
    start = _line_start(text, element.start) if _fills_lines(text, element.start, end) else element.start
    before = text[:start]
    if element.comma < 0 and position > 0:
        comma = owner.elements[position - 1].comma
        before = text[:comma] + text[comma + 1 : start]
    return before + text[end:]


def _replace(document: Document, node: Node, value: Any) -> str:
    written = _written(document, value, _indentation(document.text, node.start))
    return document.text[: node.start] + written + document.text[node.end :]


def _append(document: Document, owner: Node, prefix: str, value: Any) -> str:
    text = document.text
    last = owner.elements[-1] if owner.elements else None
    if last is not None and "\n" not in text[owner.start : last.start]:
        return _append_inline(text, last, owner, prefix + json.dumps(value, ensure_ascii=False))
    inner = _indentation(text, last.start if last else owner.start) + ("" if last else _unit(text))
    added = prefix + _written(document, value, inner)
    if last is None and owner.content_end == owner.start + 1:
        outer = _indentation(text, owner.start)
        newline = _newline(text)
        return text[: owner.start + 1] + newline + inner + added + newline + outer + text[owner.end - 1 :]
    comma = "," if last is not None and last.comma < 0 else ""
    split = last.node.end if last is not None else owner.content_end
    kept = text[split : owner.content_end]
    return text[:split] + comma + kept + _newline(text) + inner + added + _tail(text, owner)


def _tail(text: str, owner: Node) -> str:
    """What follows the content; the closing bracket stands on a line of its own."""
    rest = text[owner.content_end :]
    if "\n" in text[owner.content_end : owner.end - 1]:
        return rest
    return _newline(text) + _indentation(text, owner.start) + text[owner.end - 1 :]


def _append_inline(text: str, last: Element, owner: Node, added: str) -> str:
    comma = "" if last.comma >= 0 else ","
    at = owner.content_end
    if text[last.node.end : at].strip(", \t"):  # a comment stands there: a line of its own keeps it out of the way
        return text[: last.node.end] + comma + text[last.node.end : at] + _newline(text) + added + text[at:]
    return text[:at] + comma + " " + added + text[at:]


def _written(document: Document, value: Any, indent: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=_unit(document.text)).split("\n")
    return (_newline(document.text) + indent).join(lines)


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return found.group(1) if found else NARROW


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indentation(text: str, position: int) -> str:
    """The blanks at the beginning of the line of this place."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _fills_lines(text: str, start: int, end: int) -> bool:
    before = text[text.rfind("\n", 0, start) + 1 : start]
    after = text[end:].partition("\n")[0]
    return not before.strip() and not after.strip()


def _line_start(text: str, position: int) -> int:
    """Where the line before ends, so that no blank line is left."""
    start = text.rfind("\n", 0, position)
    return start - 1 if start > 0 and text[start - 1] == "\r" else max(start, 0)


def _same_kinds(one: Any, other: Any) -> bool:
    """Whether equal values are written alike: `1`, `1.0` and `true` are equal in Python."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
