"""The suite `unanswerable`; see `evals.suites.answering`."""

from dataclasses import dataclass

from evals.suites.answering import AnsweringSuite


@dataclass(frozen=True, kw_only=True)
class Unanswerable(AnsweringSuite):
    """What no rule answers is declined with what is missing."""

    name: str = "unanswerable"
    title: str = "What no rule answers is declined with what is missing"
    file: str = "unanswerable.jsonl"
    fast_cases: int = 16
