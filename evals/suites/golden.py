"""The suite `golden`; see `evals.suites.answering`."""

from dataclasses import dataclass

from evals.suites.answering import AnsweringSuite


@dataclass(frozen=True, kw_only=True)
class Golden(AnsweringSuite):
    """Questions on the sample organisation's rules are answered with the right clause, or not at all."""

    name: str = "golden"
    title: str = "Questions on the sample organisation's rules are answered with the right clause, or not at all"
    file: str = "golden.jsonl"
    fast_cases: int = 24
