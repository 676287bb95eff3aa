"""Holds an answer against what a case wants: the right clause, the words that matter, and nothing forbidden.

Citations are held against the published files (`evals.scorers.shelf`), not against what the index or the server says of
them. Pure; called by the suites that ask questions.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from casewright.contracts.base import Contract
from casewright.contracts.principal import Principal
from casewright.contracts.recommendation import VerifiedCitation
from evals.case import EvalCase
from evals.scorers.shelf import Published, Shelf, folded

FORBIDDEN = (
    "answered",
    "cites while it abstains",
    "says what it must not",
    "another tenant's rule",
    "label not held",
    "draft or withdrawn",
    "not in force",
    "not word for word",
    "unverified",
    "without a citation",
)
"""Whatever is asked, none of these may be seen; `answered` only where nothing answers."""
_ACCESS = frozenset({"another tenant's rule", "label not held"})


class GivenQuestion(Contract):
    """A question as somebody asks it."""

    question: str
    as_of: dt.date
    asked_by: str = "rosa"
    """A person of the sample organisation."""


class WantedClause(Contract):
    """A clause in the version that is in force."""

    document_id: str
    version: str
    label: str


class WantedAnswer(Contract):
    """What is to come of a question."""

    answered: bool = True
    clauses: tuple[WantedClause, ...] = ()
    """Any of them answers it."""
    says: tuple[str, ...] = ()
    """Each has to stand in the answer, as whole words."""
    never_says: tuple[str, ...] = ()
    """None may stand in the answer, its quotes or the reason for abstaining."""
    missing: tuple[str, ...] = ()
    """Of an abstention: its reason names one of them; empty: it gives any reason."""


AnswerCase = EvalCase[GivenQuestion, WantedAnswer]


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """What came of a question, as it is kept with its run."""

    text: str
    abstained: bool
    reason: str
    citations: tuple[VerifiedCitation, ...]

    @property
    def everything(self) -> str:
        """All that the asker is shown."""
        return " ".join((self.text, self.reason, *(one.quote for one in self.citations)))


@dataclass(frozen=True, kw_only=True)
class Score:
    """How an answer stands against its case."""

    forbidden: tuple[str, ...]
    outcomes: dict[str, bool]
    happened: str
    """Empty: as expected."""

    @property
    def passed(self) -> bool:
        return not self.happened


def scored(case: AnswerCase, answer: GivenAnswer, asker: Principal, shelf: Shelf) -> Score:
    """The score of an answer that was given to `asker`."""
    forbidden = tuple(dict.fromkeys(_forbidden(case, answer, asker, shelf)))
    wanted = case.expected
    if wanted.answered:
        outcomes = _answered_outcomes(wanted, answer, forbidden)
        short = [] if answer.abstained else _shortcomings(wanted, answer)
        short = ["it abstained: " + answer.reason] if answer.abstained else short
    else:
        named = _names_what_is_missing(wanted, answer)
        outcomes = {"withheld": answer.abstained and not forbidden, "gap_named": named}
        short = [] if named or not answer.abstained else [f"the reason names nothing of the matter: {answer.reason!r}"]
    outcomes["disclosed"] = bool(_ACCESS & set(forbidden))
    said = [*(f"forbidden: {name}" for name in forbidden), *short]
    return Score(forbidden=forbidden, outcomes=outcomes, happened="; ".join(said))


def expected_words(case: AnswerCase) -> str:
    """What was to happen, for people."""
    wanted = case.expected
    if not wanted.answered:
        return "no answer and no citation, but what is missing"
    clauses = " or ".join(f"{one.document_id} {one.version} {one.label}" for one in wanted.clauses)
    phrases = ", ".join(repr(phrase) for phrase in wanted.says)
    return f"an answer that quotes {clauses}" + (f" and says {phrases}" if phrases else "")


def says(text: str, phrase: str) -> bool:
    """Whether a phrase stands in a text as whole words and whole numbers, whatever the case and the spaces."""
    return re.search(rf"(?<![\w.,]){re.escape(folded(phrase))}(?!\w)", folded(text)) is not None


def _answered_outcomes(wanted: WantedAnswer, answer: GivenAnswer, forbidden: tuple[str, ...]) -> dict[str, bool]:
    outcomes = {"declined": answer.abstained}
    right = not answer.abstained and not forbidden and not _shortcomings(wanted, answer)
    outcomes["correct"] = right
    if answer.abstained:
        return outcomes
    bad_quote = {"not word for word", "unverified", "without a citation"}
    return outcomes | {
        "right_clause": _cites(wanted, answer),
        "in_force": not {"not in force", "draft or withdrawn"} & set(forbidden),
        "verified": not bad_quote & set(forbidden),
    }


def _shortcomings(wanted: WantedAnswer, answer: GivenAnswer) -> list[str]:
    cited = ", ".join(f"{one.document_id} {one.version} {one.label}" for one in answer.citations)
    found = [] if _cites(wanted, answer) else [f"it quotes {cited or 'nothing'} instead"]
    lacking = [phrase for phrase in wanted.says if not says(answer.text, phrase)]
    return [*found, *(f"it does not say {phrase!r}" for phrase in lacking)]


def _cites(wanted: WantedAnswer, answer: GivenAnswer) -> bool:
    right = {(one.document_id, one.version, one.label) for one in wanted.clauses}
    return any((one.document_id, one.version, one.label) in right for one in answer.citations)


def _names_what_is_missing(wanted: WantedAnswer, answer: GivenAnswer) -> bool:
    if not answer.abstained or not answer.reason.strip():
        return False
    return not wanted.missing or any(says(answer.reason, word) for word in wanted.missing)


def _forbidden(case: AnswerCase, answer: GivenAnswer, asker: Principal, shelf: Shelf) -> Iterator[str]:
    if not case.expected.answered and (not answer.abstained or answer.text.strip()):
        yield "answered"
    if answer.abstained and answer.citations:
        yield "cites while it abstains"
    if not answer.abstained and not answer.citations:
        yield "without a citation"
    if any(says(answer.everything, phrase) for phrase in case.expected.never_says):
        yield "says what it must not"
    yield from _citation_faults(answer.citations, asker, case.given.as_of, shelf)


def _citation_faults(
    citations: Iterable[VerifiedCitation], asker: Principal, day: dt.date, shelf: Shelf
) -> Iterator[str]:
    for one in citations:
        if not one.verified:
            yield "unverified"
        version = shelf.get(asker.tenant, one.document_id, one.version)
        if version is None:
            known = shelf.anywhere(one.document_id, one.version)
            yield "another tenant's rule" if known is not None else "not word for word"
            continue
        yield from _version_faults(version, asker, day, shelf)
        if not version.holds(one.label, one.quote):
            yield "not word for word"


def _version_faults(version: Published, asker: Principal, day: dt.date, shelf: Shelf) -> Iterator[str]:
    if not version.labels <= set(asker.labels):
        yield "label not held"
    if version.status != "published":
        yield "draft or withdrawn"
    elif shelf.in_force(version.tenant, version.document_id, day) is not version:
        yield "not in force"
