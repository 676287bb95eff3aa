"""What the comments above a rule say of it: its METADATA, or else the plain comment.

OPA reads METADATA as YAML in the comment block that ends on the line above a rule. Authors' tools
show title and description from here. It is deliberately *not* read at decision time.
"""

from dataclasses import dataclass
from typing import Any, cast

import yaml

_MARK = "METADATA"


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """Title and description of a rule; empty where nobody wrote one."""

    title: str = ""
    description: str = ""


def annotation_above(text: str, line: int) -> Annotation:
    """The annotation of what begins on `line` (from 1) of a Rego file. Malformed YAML is read as a comment."""
    block: list[str] = []
    for row in reversed(text.splitlines()[: line - 1]):
        if not row.startswith("#"):
            break
        block.insert(0, row.removeprefix("#").removeprefix(" "))
    if _MARK in block:
        return _of_yaml(block[block.index(_MARK) + 1 :])
    return Annotation(description=" ".join(block).strip())


def annotation_of(text: str, line: int, *, same_name: tuple[int, ...] = ()) -> Annotation:
    """The annotation of a rule, or the first titled one among the rules of its name in the same file."""
    own = annotation_above(text, line)
    if own.title:
        return own
    shared = next((found for at in same_name if (found := annotation_above(text, at)).title), Annotation())
    return Annotation(title=shared.title, description=own.description or shared.description)


def _of_yaml(block: list[str]) -> Annotation:
    try:
        value: Any = yaml.safe_load("\n".join(block))
    except yaml.YAMLError:
        return Annotation(description=" ".join(block).strip())
    if not isinstance(value, dict):
        return Annotation()
    entries = cast("dict[str, object]", value)
    return Annotation(title=_line(entries.get("title")), description=_line(entries.get("description")))


def _line(value: object) -> str:
    return " ".join(str(value).split()) if value is not None else ""
