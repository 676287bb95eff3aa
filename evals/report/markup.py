"""Writes HTML and SVG: whatever is not made by `element` is escaped, and hidden characters are shown.

It knows no report. `Markup` cannot be made from a text by accident: a text given as a child is always escaped.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from commands.visible import visible_text

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")


@dataclass(frozen=True)
class Markup:
    """What is HTML already."""

    html: str


Child = Markup | str
NOTHING = Markup("")


def element(name: str, *children: Child, **attributes: str) -> Markup:
    """An element; `class_` stands for `class`, and `aria_label` for `aria-label`."""
    written = "".join(f' {_attribute(key)}="{_escaped(value)}"' for key, value in attributes.items())
    return Markup(f"<{_checked(name)}{written}>{joined(children).html}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """One after the other."""
    return Markup("".join(child.html if isinstance(child, Markup) else _escaped(child) for child in children))


def listed(items: Iterable[Child], *, class_: str = "") -> Markup:
    """A list; nothing where there are no items."""
    lines = [element("li", item) for item in items]
    return element("ul", *lines, class_=class_) if lines else NOTHING


def text(words: str) -> Markup:
    """A text from a case or a record: kept apart from the text around it, whatever its direction."""
    return element("bdi", words, class_="text")


def code(words: str) -> Markup:
    """A rule, an id or a command, to be copied as it is."""
    return element("code", words)


def _attribute(key: str) -> str:
    return _checked(key.rstrip("_").replace("_", "-"))


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of an element or attribute; names come from the code alone")
    return name


def _escaped(words: str) -> str:
    return html.escape(visible_text(words), quote=True)
