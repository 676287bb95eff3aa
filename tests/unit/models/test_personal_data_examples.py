"""How much of what is personal is found, and how much is taken for it that is not: on labelled texts."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from casewright.models.protection.known import KnownValue
from casewright.models.protection.placeholders import PLACEHOLDER, Placeholders

EXAMPLES = Path(__file__).parents[3] / "evals" / "personal_data" / "examples.txt"
MARK = re.compile(r"(?P<hard>\*?)«(?P<kind>[A-Z_]+):(?P<value>[^»]*)»")
PARTIES = (
    KnownValue(kind="PERSON", text="Marisol Ingram"),
    KnownValue(kind="PERSON", text="Everett Solis"),
    KnownValue(kind="PERSON", text="Grace Bill"),
    KnownValue(kind="PERSON", text="José Núñez-O'Neil"),
    KnownValue(kind="ORGANISATION", text="Cascade Electronics"),
)
LEAST_RECALL, LEAST_PRECISION = 0.90, 0.97
"""A fall below is a failure. What cannot be told from its form counts as missed."""


@dataclass(frozen=True)
class Outcome:
    found: Counter[str]
    missed: list[str]
    wrong: list[str]

    @property
    def recall(self) -> float:
        return self.found.total() / (self.found.total() + len(self.missed))

    @property
    def precision(self) -> float:
        return self.found.total() / (self.found.total() + len(self.wrong))


def lines() -> list[str]:
    content = EXAMPLES.read_text(encoding="utf-8").splitlines()
    return [line for line in content if line and not line.startswith("#")]


def measure() -> Outcome:
    """A value is found when all of it is taken out; what is taken out without being a part of one is wrong."""
    found, missed, wrong = Counter[str](), list[str](), list[str]()
    for line in lines():
        text = MARK.sub(lambda match: match["value"], line)
        placeholders = Placeholders(PARTIES)
        taken = [placeholders.restore(one) for one in PLACEHOLDER.findall(placeholders.redact(text))]
        values = [(match["kind"], match["value"]) for match in MARK.finditer(line)]
        for kind, value in values:
            if any(value in one for one in taken):
                found[kind] += 1
            else:
                missed.append(f"{kind}: {line}")
        strange = (one for one in taken if not any(value in one or one in value for _, value in values))
        wrong += [f"{one!r} of {line}" for one in strange if not PLACEHOLDER.fullmatch(one)]
    return Outcome(found=found, missed=missed, wrong=wrong)


@pytest.mark.proves("F7")
def test_what_is_personal_is_found_and_little_else_is_taken_for_it() -> None:
    outcome = measure()
    assert len(lines()) >= 150
    assert outcome.recall >= LEAST_RECALL, outcome.missed
    assert outcome.precision >= LEAST_PRECISION, outcome.wrong


@pytest.mark.proves("F7")
def test_dates_amounts_and_labels_of_clauses_stay() -> None:
    kept = Placeholders().redact(
        "§ 1005.11(c)(2)(i), 12 CFR 1005.6(b)(1), $412.60, 41260, 2026-03-02, February 28, 2026, HL-2026-0001"
    )
    assert PLACEHOLDER.search(kept) is None
