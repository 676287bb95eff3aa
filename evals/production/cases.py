"""A case from production and the scorer of it: what was asked or reviewed, and what a person says is right.

Whatever a person says in words is kept for people; what is checked are the fields beside it. It makes no case out of a
run (`commands.eval_add` does) and tries none (`evals.suites.production`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from casewright.contracts.base import Contract
from casewright.contracts.case import CaseFile
from casewright.contracts.evaluation import Stage
from casewright.errors import InputError
from evals.case import EvalCase

DATA = "from-production.jsonl"
Origin = Literal["run", "feedback", "incident"]


class ProductionGiven(Contract):
    """A question, or a case to review; never both."""

    origin: Origin
    question: str = ""
    as_of: str = ""
    """The day of a question, YYYY-MM-DD."""
    case: CaseFile | None = None
    """Without what points to a person; see `evals.production.pseudonyms`."""
    versions: dict[str, str] = Field(default_factory=dict[str, str])
    """What the run was pinned to."""

    @model_validator(mode="after")
    def _one(self) -> "ProductionGiven":
        if bool(self.question) == (self.case is not None):
            raise ValueError("give a question or a case, and not both")
        return self


class ProductionExpected(Contract):
    """What is right; an empty field is not checked, and one of them at least is there."""

    said: str = ""
    """In the person's words, without personal data; for people."""
    action: str = ""
    amount_minor: int | None = None
    answered: bool | None = None
    """Of a question: whether it is to be answered or abstained from."""
    cites: tuple[str, ...] = ()
    """`document label`, each of which has to be among the citations."""
    cites_not: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    """Words that the answer has to hold, in any case of letters."""

    @property
    def checkable(self) -> bool:
        """Whether there is anything that a machine can hold an answer against."""
        fields = (self.action, self.cites, self.cites_not, self.says)
        return any(fields) or self.amount_minor is not None or self.answered is not None


ProductionCase = EvalCase[ProductionGiven, ProductionExpected]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What came of a case."""

    text: str = ""
    abstained: bool = False
    action: str = ""
    amount_minor: int | None = None
    cited: tuple[str, ...] = ()
    """`document label`, in order."""
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """How it holds against what is right."""

    wrong: tuple[str, ...]
    """Forbidden outcomes that were seen, by name."""
    happened: str
    stage: Stage


def scored(expected: ProductionExpected, seen: Observed) -> Scored:
    """Hold what came of a case against what is right.

    Raises:
        InputError: nothing of it can be checked.
    """
    if not expected.checkable:
        raise InputError("the case says nothing that can be checked; give it an action, an answer or a citation")
    found = [check for check in _checks(expected, seen) if check[1]]
    return Scored(
        wrong=tuple(name for name, _, _ in found),
        happened="; ".join(told for _, told, _ in found),
        stage=found[0][2] if found else "",
    )


def expected_words(expected: ProductionExpected) -> str:
    """What is right, in one sentence."""
    parts = [
        f"the action is {expected.action}" if expected.action else "",
        f"the amount is {expected.amount_minor}" if expected.amount_minor is not None else "",
        {True: "it is answered", False: "it is abstained from", None: ""}[expected.answered],
        f"it cites {', '.join(expected.cites)}" if expected.cites else "",
        f"it does not cite {', '.join(expected.cites_not)}" if expected.cites_not else "",
        f"it says {', '.join(map(repr, expected.says))}" if expected.says else "",
    ]
    return "; ".join(filter(None, parts))


def _checks(expected: ProductionExpected, seen: Observed) -> Sequence[tuple[str, str, Stage]]:
    missing = [one for one in expected.cites if one not in seen.cited]
    wrong = [one for one in expected.cites_not if one in seen.cited]
    unsaid = [one for one in expected.says if one.casefold() not in seen.text.casefold()]
    other_action = bool(expected.action) and expected.action != seen.action
    other_amount = expected.amount_minor is not None and expected.amount_minor != seen.amount_minor
    why = f" ({seen.because})" if seen.because else ""
    return (
        (
            "abstained",
            f"it was abstained from{why}" if expected.answered is True and seen.abstained else "",
            "sufficiency",
        ),
        ("answered", "it was answered" if expected.answered is False and not seen.abstained else "", "sufficiency"),
        ("wrong_action", f"the action was {seen.action or 'none'}{why}" if other_action else "", "facts"),
        ("wrong_amount", f"the amount was {seen.amount_minor}" if other_amount else "", "facts"),
        ("not_cited", f"it did not cite {', '.join(missing)}" if missing else "", "retrieval"),
        ("wrongly_cited", f"it cited {', '.join(wrong)}" if wrong else "", "citation"),
        ("not_said", f"it did not say {', '.join(map(repr, unsaid))}" if unsaid else "", "drafting"),
    )


FORBIDDEN = ("abstained", "answered", "wrong_action", "wrong_amount", "not_cited", "wrongly_cited", "not_said")


def plain(case: ProductionCase) -> dict[str, Any]:
    """A case as the JSON of its line."""
    return case.model_dump(mode="json", exclude_defaults=True)
