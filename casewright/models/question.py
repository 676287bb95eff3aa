"""The task `answer.question`: an answer made of quotes, or an abstention that says why."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.contracts.clause import SearchResult
from casewright.models.excerpt import Quotation
from casewright.models.support import has_hidden_characters, unsupported
from casewright.models.task import RankedEvidence, Task

MOST_CITATIONS = 12


@dataclass(frozen=True, kw_only=True)
class Quotable:
    """A text that an answer may quote, and where it stands."""

    document_id: str
    version: str
    label: str
    text: str


class AnswerInput(Contract):
    """A question and what the policy search found for it."""

    question: str
    result: SearchResult
    """What the policy search found; nothing outside it may be used."""


class AnswerSentence(Contract):
    """One sentence of an answer with the quotes it is made from, so that it can be verified by itself."""

    citations: Annotated[tuple[Quotation, ...], Field(max_length=6)]
    text: Annotated[str, StringConstraints(max_length=4_000)]


class AnswerOutput(Contract):
    """An answer, sentence by sentence, or an abstention."""

    sentences: Annotated[tuple[AnswerSentence, ...], Field(max_length=20)]
    abstained: bool
    reason: Annotated[str, StringConstraints(max_length=1_000)]
    """Why it abstained; empty when it answered."""

    @property
    def citations(self) -> tuple[Quotation, ...]:
        """Every quote of the answer, once, in order."""
        return tuple(dict.fromkeys(citation for sentence in self.sentences for citation in sentence.citations))


def quotable(found: SearchResult) -> dict[str, Quotable]:
    """What was found, by the ids of the clauses: each hit, and the clause that leads into it."""
    leading: dict[str, Quotable] = {}
    hits: dict[str, Quotable] = {}
    for hit in found.hits:
        place = {"document_id": hit.document_id, "version": hit.version}
        hits[hit.clause_id] = Quotable(**place, label=hit.label, text=hit.text)
        if hit.leads and hit.parents:
            clause_id = f"{hit.document_id}@{hit.version}#{hit.parents[-1]}"
            leading[clause_id] = Quotable(**place, label=hit.parents[-1], text=hit.leads[-1])
    return leading | hits


def check_answer(value: AnswerInput, output: AnswerOutput) -> tuple[str, ...]:
    """An abstention is empty and says why; each sentence of an answer quotes what was found, verbatim."""
    if output.abstained:
        return _abstention_problems(output)
    if not value.result.sufficient:
        return ("abstained: what was found does not answer the question, so you must abstain",)
    problems: list[str] = []
    if not output.sentences:
        problems.append("an answer has at least one sentence; abstain when there is none")
    if len(output.citations) > MOST_CITATIONS:
        problems.append(f"sentences: use at most {MOST_CITATIONS} quotes, the most decisive ones")
    for number, sentence in enumerate(output.sentences):
        problems += [f"sentences.{number}{problem}" for problem in sentence_problems(value.result, sentence)]
    return tuple(problems)


def sentence_problems(found: SearchResult, sentence: AnswerSentence) -> tuple[str, ...]:
    """What is wrong with one sentence by itself, each with its place in the sentence."""
    clauses = quotable(found)
    problems: list[str] = []
    if not sentence.citations:
        problems.append(".citations: quote what the sentence rests on")
    for number, citation in enumerate(sentence.citations):
        clause = clauses.get(citation.clause_id)
        if clause is None:
            problems.append(f".citations.{number}: {citation.clause_id!r} is not among the clauses given")
        elif not citation.quote.strip() or citation.quote not in clause.text:
            problems.append(f".citations.{number}: the quote is not verbatim in {citation.clause_id!r}")
    if not sentence.text.strip():
        problems.append(".text: the sentence is empty")
    if loose := unsupported(sentence.text, tuple(citation.quote for citation in sentence.citations)):
        problems.append(f".text: {', '.join(map(repr, loose))} is in none of its quotes")
    if has_hidden_characters(sentence.text):
        problems.append(".text: leave out invisible characters")
    return tuple(problems)


def _abstention_problems(output: AnswerOutput) -> tuple[str, ...]:
    problems: list[str] = []
    if output.sentences:
        problems.append("abstained: an abstention has no sentences")
    if not output.reason.strip():
        problems.append("reason: say what was missing")
    return tuple(problems)


def _first_hits(value: AnswerInput, count: int) -> AnswerInput:
    """With the first hits of the search, which ranks them."""
    return value.model_copy(update={"result": value.result.model_copy(update={"hits": value.result.hits[:count]})})


ANSWER_QUESTION: Task[AnswerInput, AnswerOutput] = Task(
    name="answer.question",
    version=2,
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
    evidence=RankedEvidence(count=lambda value: len(value.result.hits), best=_first_hits),
    hidden={
        "result": {"hits": {"__all__": {"sha256", "position", "parents", "score", "rank", "exact_reference", "status"}}}
    },
)
