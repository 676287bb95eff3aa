"""Looks a text over for signs that it was written to steer a model, and says where and why.

Telemetry for people: it goes into the run's events and explanation. No permission, no budget and no outcome reads it,
and nothing is safer for its silence: what a model may cause is bounded by the servers.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.trust.readings import How, Reading, hidden, readings
from casewright.trust.signs import SIGNS, Reason

MOST_SUSPICIONS = 20
_LONGEST_CHARACTERS = 200_000


class Suspicion(Contract):
    """One place of an untrusted text that looks as if it were meant for a model; it quotes nothing of it."""

    path: str
    """Of the text in the case, such as `case/narrative`."""
    reason: Reason
    read_as: tuple[How, ...]
    """How it had to be read to see it; `plain`: as a person would."""
    start: Annotated[int, Field(ge=0)]
    """Characters from the beginning of the text."""
    end: int
    """Exclusive."""


def inspect(texts: Mapping[str, str]) -> tuple[Suspicion, ...]:
    """What is suspicious in texts by path: each reason once a text and reading, at most `MOST_SUSPICIONS`."""
    found = (one for path, text in texts.items() for one in _suspicions(path, text[:_LONGEST_CHARACTERS]))
    return tuple(dict.fromkeys(one for one, _ in zip(found, range(MOST_SUSPICIONS), strict=False)))


def _suspicions(path: str, text: str) -> Iterator[Suspicion]:
    for start, end in list(hidden(text))[:1]:
        yield Suspicion(path=path, reason="hides_text", read_as=("plain",), start=start, end=end)
    in_plain_sight: set[Reason] = set()
    for reading in readings(text):
        for reason, start, end in _seen(reading):
            if reading.how == ("plain",):
                in_plain_sight.add(reason)
            elif reading.how == ("rot13",) and reason in in_plain_sight:
                continue  # signs made of marks look the same when letters are turned
            yield Suspicion(path=path, reason=reason, read_as=reading.how, start=start, end=end)


def _seen(reading: Reading) -> Iterator[tuple[Reason, int, int]]:
    plain = reading.how == ("plain",)
    for sign in SIGNS:
        match = sign.form.search(reading.text) if plain or sign.in_disguise else None
        if match:
            yield sign.reason, *reading.span(match.start(), match.end())
