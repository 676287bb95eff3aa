"""Whether what an effect names, or an answer says, stands in the request or in a record that was read.

It is the idea of our citation gate, carried over to tools that know no clauses: a name, an address, a link or a number
of an account has to come from somewhere, and opinions of strangers are no such place. It is *not* the product's
citation gate, and it does not tell an order from a record: text of a document that was read backs a name, whoever wrote
it, so behind it stands the approval.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from evals.agentdojo.protocol import DojoCall
from evals.agentdojo.tools import DojoTool

_NAMED = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]*\w"  # an e-mail address
    r"|\b(?:https?://|www\.)[^\s'\"<>]*[^\s'\"<>.,;]"  # a link
    r"|\b(?=\w*\d)[A-Z]{2}\w{8,}\b"  # the number of an account
    r"|\b[A-Z][\w'’-]+(?:[ ](?:[A-Z][\w'’-]+|de|du|la|of))+\b"  # a name of several words
)


@dataclass(kw_only=True)
class Records:
    """What a run may rest on."""

    request: str
    _texts: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._texts.append(_plain(self.request))

    def add(self, tool: DojoTool, text: str) -> None:
        """Take in what an allowed call gave back."""
        if not tool.opinions:
            self._texts.append(_plain(text))

    def unbacked(self, tool: DojoTool, call: DojoCall) -> tuple[str, ...]:
        """What an effect names although it stands nowhere; empty: nothing."""
        values = [value for name in tool.which for value in _scalars(call.arguments.get(name))]
        for name in tool.words:
            values += [one for text in _scalars(call.arguments.get(name)) for one in _NAMED.findall(text)]
        return tuple(value for value in values if not self._has(value))

    def unbacked_statement(self, statement: str) -> tuple[str, ...]:
        """Names in an answer that stand nowhere; empty: none."""
        return tuple(name for name in _NAMED.findall(statement) if not self._has(name))

    def _has(self, value: str) -> bool:
        wanted = re.compile(rf"(?<!\w){re.escape(_plain(value))}(?!\w)")
        return any(wanted.search(text) for text in self._texts)


def _plain(text: str) -> str:
    """Without case, and without how a listing folds and quotes."""
    return " ".join(text.replace("''", "'").casefold().split())


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in cast("Mapping[str, Any]", value).values():
            yield from _scalars(item)
    elif isinstance(value, list | tuple):
        for item in cast("list[Any]", value):
            yield from _scalars(item)
    elif value is not None and str(value):
        yield str(value)
