"""The suite `golden-regulations`; see `evals.suites.answering`.

One index of the regulations costs more than all of its questions, so golden, dated and unanswerable ones share it; the
slice `kind` tells them apart.
"""

from dataclasses import dataclass

from evals.suites.answering import AnsweringSuite


@dataclass(frozen=True, kw_only=True)
class GoldenRegulations(AnsweringSuite):
    """Questions on the regulations, on their day."""

    name: str = "golden-regulations"
    title: str = "Questions on 21 versions of seven regulations are answered with the right clause, or not at all"
    file: str = "golden-regulations.jsonl"
    fast_cases: int = 24
    with_regulations: bool = True
