"""Decision inputs by the thousand: whole ones, and ones with something dropped, retyped, added or at a boundary.

Deterministic: a seed gives the same documents on every machine.
"""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, cast

Document = dict[str, Any]
Place = tuple[Any, Any]
"""A container and the key or index in it."""

RETYPED: tuple[object, ...] = (
    *(None, True, False, 0, 1, -1, "", "*"),
    *([], ["*"], [1], [None], [[""]]),
    *({}, {"*": 1}, {"": ""}),
)
BOUNDARIES = (0, 1, -1, 2**31, 2**32, 2**53, -(2**53), 2**53 - 1, 10**6, 5_000_00, 5_000_01)
TEXTS = (
    "é",
    "\u00e9\u0301",
    "ﬁ",
    "ＡＤＭＩＮ",
    "\u202egnp.exe",
    "ro\u200bsa",
    "\U0001f600",
    "\u2028",
    "\x00",
    "\x7f",
    'a"b\\c',
    "ß",
    "İ",
    "x" * 399,
    "x" * 5_000,
    " rosa",
    "rosa\n",
)


def generated(bases: Callable[[random.Random], Document], *, count: int, seed: int) -> Iterator[tuple[str, Document]]:
    """What was done, and the document: every fourth one whole, the others mutated once to three times."""
    source = random.Random(seed)
    for index in range(count):
        document = copy.deepcopy(bases(source))
        if index % 4 == 0:
            yield "whole", document
            continue
        done: list[str] = []
        for _ in range(source.choice((1, 1, 1, 2, 3))):
            mutation = source.choice(MUTATIONS)
            done.append(f"{mutation.__name__} {mutation(document, source)}")
        yield ", ".join(done), document


def places(value: Any) -> Iterator[Place]:
    """Every place in a document, of containers and leaves alike."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        entries = list(enumerate(cast("list[Any]", value)))
    for key, child in entries:
        yield value, key
        yield from places(child)


def _any(document: Document, source: random.Random, kind: type | None = None) -> Place:
    found = [place for place in places(document) if kind is None or type(place[0][place[1]]) is kind]
    if not found:
        document["empty"] = kind() if kind else None
        return document, "empty"
    return source.choice(found)


def dropped(document: Document, source: random.Random) -> str:
    container, key = _any(document, source)
    del container[key]
    return str(key)


def retyped(document: Document, source: random.Random) -> str:
    container, key = _any(document, source)
    container[key] = copy.deepcopy(source.choice(RETYPED))
    return f"{key}: {container[key]!r}"


def added(document: Document, source: random.Random) -> str:
    container, key = _any(document, source, dict)
    name = source.choice(("extra", "allow", "roles", "", "tenant", "é", "__proto__", "0"))
    target: Any = source.choice((container[key], document)) if isinstance(container[key], dict) else document
    target[name] = copy.deepcopy(source.choice((*RETYPED, *BOUNDARIES)))
    return f"{name!r} in {key}"


def bounded(document: Document, source: random.Random) -> str:
    container, key = _any(document, source, int)
    container[key] = 2**63 - 1 if key == "now_ns" else source.choice(BOUNDARIES)
    return f"{key}: {container[key]}"


def reworded(document: Document, source: random.Random) -> str:
    container, key = _any(document, source, str)
    given = str(container[key])
    container[key] = source.choice((*TEXTS, given.upper(), given.title(), given + " ", given[:-1], given + "\u0301"))
    return f"{key}: {container[key][:20]!r}"


def relisted(document: Document, source: random.Random) -> str:
    container, key = _any(document, source, list)
    given: list[Any] = container[key]
    container[key] = source.choice(([], given * 2, given[::-1], [*given, *given[:1]], [*given, "*"], [given]))
    return str(key)


MUTATIONS: tuple[Callable[[Document, random.Random], str], ...] = (dropped, retyped, added, bounded, reworded, relisted)
