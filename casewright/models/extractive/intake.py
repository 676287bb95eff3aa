"""Answers `intake.classify` from a table of subjects; queries come from the table alone."""

import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from casewright.contracts.case import CaseType
from casewright.models.classification import MAXIMUM_CANDIDATES, MAXIMUM_QUERIES, ClassifyInput, ClassifyOutput, Topic
from casewright.models.extractive.language import language_of
from casewright.models.extractive.matching import stem, terms

_BY_CASE_TYPE = {
    CaseType.UNAUTHORIZED_TRANSFER: (
        Topic.UNAUTHORIZED_TRANSFER,
        Topic.ERROR_RESOLUTION,
        Topic.PROVISIONAL_CREDIT,
        Topic.LIABILITY_LIMITS,
    ),
    CaseType.TRANSFER_ERROR: (Topic.TRANSFER_ERROR, Topic.ERROR_RESOLUTION, Topic.PROVISIONAL_CREDIT),
    CaseType.CARD_DISPUTE: (Topic.CARD_DISPUTE, Topic.ERROR_RESOLUTION, Topic.EVIDENCE, Topic.PROVISIONAL_CREDIT),
    CaseType.ADVERSE_ACTION: (Topic.ADVERSE_ACTION, Topic.CREDIT_REPORTING),
    CaseType.COMPLAINT: (Topic.COMPLAINT_HANDLING,),
}
_MOVES_MONEY = frozenset({CaseType.UNAUTHORIZED_TRANSFER, CaseType.TRANSFER_ERROR, CaseType.CARD_DISPUTE})
_LEAST_HITS = 2
"""Mentions before a subject counts that the case type does not bring."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One row of the table of subjects."""

    topic: Topic
    words: frozenset[str]
    """Stems."""
    query: str


def classify(value: ClassifyInput) -> ClassifyOutput:
    """Subjects of the case type first, then those the text speaks of most."""
    table = subjects()
    given = _BY_CASE_TYPE[value.case_type]
    spoken = terms(f"{value.title} {value.issue} {value.product} {value.transactions} {value.narrative}")
    hits = {topic: _hits(subject, spoken) for topic, subject in table.items() if topic not in given}
    added = sorted((topic for topic in hits if hits[topic] >= _LEAST_HITS), key=lambda topic: -hits[topic])
    settled = () if value.clarified is None else (value.clarified,)
    topics = tuple(dict.fromkeys((*settled, *given, *added)))[:MAXIMUM_QUERIES]
    unclear = "" if settled else _unclear(value)
    return ClassifyOutput(
        topics=topics,
        queries=tuple(table[topic].query for topic in topics),
        language=language_of(value.narrative),
        needs_clarification=bool(unclear),
        candidates=_candidates(topics) if unclear else (),
        why=unclear or "Subjects of the case type, then those that the case speaks of.",
    )


@cache
def subjects() -> dict[Topic, Subject]:
    """The table of subjects, in its order."""
    text = files("casewright.models.extractive").joinpath("topics.toml").read_text(encoding="utf-8")
    return {
        Topic(name): Subject(
            topic=Topic(name), words=frozenset(stem(word) for word in entry["words"]), query=entry["query"]
        )
        for name, entry in tomllib.loads(text).items()
    }


def _hits(subject: Subject, spoken: Counter[str]) -> int:
    return sum(spoken[word] for word in subject.words)


def _candidates(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    """What to let a person choose from: the likeliest, and that it is something else."""
    likely = [topic for topic in topics if topic is not Topic.OTHER]
    return (*likely[: MAXIMUM_CANDIDATES - 1], Topic.OTHER)


def _unclear(value: ClassifyInput) -> str:
    if not (value.narrative.strip() or value.issue.strip() or value.transactions.strip()):
        return "There is no narrative, no issue and no transaction to tell what happened."
    if value.case_type in _MOVES_MONEY and not (value.transactions.strip() or value.known_facts):
        return "The case is about a transfer, but it names no transaction."
    return ""
