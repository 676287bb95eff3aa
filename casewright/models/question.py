"""The task `answer.question`: an answer made of quotes, or an abstention that says why."""

from typing import Annotated

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.contracts.clause import SearchResult
from casewright.models.excerpt import Quotation
from casewright.models.support import has_hidden_characters, unsupported
from casewright.models.task import Task


class AnswerInput(Contract):
    """A question and what the policy search found for it."""

    question: str
    result: SearchResult
    """What the policy search found; nothing outside it may be used."""


class AnswerOutput(Contract):
    """Quotes with an answer made from them, or an abstention."""

    citations: Annotated[tuple[Quotation, ...], Field(max_length=12)]
    sentences: Annotated[tuple[Annotated[str, StringConstraints(max_length=4_000)], ...], Field(max_length=20)]
    """The answer; every sentence is backed by the citations."""
    abstained: bool
    reason: Annotated[str, StringConstraints(max_length=1_000)]
    """Why it abstained; empty when it answered."""


def check_answer(value: AnswerInput, output: AnswerOutput) -> tuple[str, ...]:
    """An abstention is empty and says why; an answer quotes what was found, verbatim."""
    if output.abstained:
        return _abstention_problems(output)
    if not value.result.sufficient:
        return ("abstained: what was found does not answer the question, so you must abstain",)
    hits = {hit.clause_id: hit for hit in value.result.hits}
    problems: list[str] = []
    if not output.citations or not output.sentences:
        problems.append("an answer has at least one citation and one sentence; abstain when there is none")
    for number, citation in enumerate(output.citations):
        hit = hits.get(citation.clause_id)
        if hit is None:
            problems.append(f"citations.{number}: {citation.clause_id!r} is not among the clauses given")
        elif not citation.quote.strip() or citation.quote not in hit.text:
            problems.append(f"citations.{number}: the quote is not verbatim in {citation.clause_id!r}")
    quotes = tuple(citation.quote for citation in output.citations)
    for number, sentence in enumerate(output.sentences):
        loose = unsupported(sentence, quotes)
        if loose:
            problems.append(f"sentences.{number}: {', '.join(map(repr, loose))} is in none of the quotes")
        if has_hidden_characters(sentence):
            problems.append(f"sentences.{number}: leave out invisible characters")
    return tuple(problems)


def _abstention_problems(output: AnswerOutput) -> tuple[str, ...]:
    problems: list[str] = []
    if output.citations or output.sentences:
        problems.append("abstained: an abstention has no citations and no sentences")
    if not output.reason.strip():
        problems.append("reason: say what was missing")
    return tuple(problems)


ANSWER_QUESTION: Task[AnswerInput, AnswerOutput] = Task(
    name="answer.question",
    version=1,
    input=AnswerInput,
    output=AnswerOutput,
    prompt="answering.md",
    risk="medium",
    max_output_tokens=6_000,
    timeout_seconds=60.0,
    untrusted_fields=("question", "result"),
    check=check_answer,
    may_degrade=True,
    data_class=Classification.INTERNAL,
    holds_case=False,
    personal_data=True,
    deterministic=True,
    max_cost_micro=700_000,
    hidden={
        "result": {"hits": {"__all__": {"sha256", "position", "parents", "score", "rank", "exact_reference", "status"}}}
    },
)
