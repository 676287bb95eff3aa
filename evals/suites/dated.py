"""The suite `dated`; see `evals.suites.answering`."""

from dataclasses import dataclass

from evals.suites.answering import AnsweringSuite


@dataclass(frozen=True, kw_only=True)
class Dated(AnsweringSuite):
    """The rule of the day answers, and no other."""

    name: str = "dated"
    title: str = "The rule of the day answers, and no other"
    file: str = "dated.jsonl"
    fast_cases: int = 20
