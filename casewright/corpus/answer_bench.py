"""Measure answers: is the right clause found on its day, is what cannot be answered declined, is every quote true?

Questions come as JSON lines, see `LabelledQuestion`. Each is asked of our search, through the code that serves one,
and of the table's own full text and hybrid search, in one run over one temporary index. Abstaining is measured of
ours alone: the table's searches always return something.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from casewright.contracts.base import Contract
from casewright.contracts.clause import SearchFilters, SearchResult
from casewright.corpus.answering import select_answer
from casewright.corpus.bench import plain_words
from casewright.corpus.corpus import Corpus
from casewright.corpus.embedding import default_embedder
from casewright.corpus.manifest import Submission
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import read_state
from casewright.errors import InputError, StorageError

TENANT = "bench"
CUTOFF = 5
"""The right clause is to be among so many hits."""
_SUBMISSION = Submission(by="bench", at="2020-01-01T00:00:00Z", approved=True)
Place = tuple[str, str]
"""Document and label."""


class LabelledQuestion(Contract):
    """A question with the clauses any of which answers it on that day."""

    id: str
    voice: Literal["customer", "lawyer"]
    as_of: dt.date
    question: str
    answerable: bool
    document_id: str | None
    """The document of the labels; absent for what no rule answers."""
    labels: tuple[str, ...]
    turns_on_date: bool
    """Whether another day has another answer, or none."""
    note: str = ""
    """Why a label is among the right ones, where that is not plain."""


class SliceFigures(Contract):
    """How the questions of one kind went; shares are 0 to 1, and 0 where there are no such questions."""

    answerable: int
    found: float
    """The share with a right clause among the first five."""
    full_text_found: float
    hybrid_found: float
    unanswerable: int
    abstained: float
    """The share of the unanswerable that was declined."""
    wrongly_abstained: int
    """Answerable questions that were declined."""


class Miss(Contract):
    """A question that went wrong."""

    id: str
    problem: Literal["not among the first five", "answered", "declined"]
    question: str
    first: str
    """The first hit."""
    missing: str
    """What the search said was missing."""


class AnswerFigures(Contract):
    """Figures over one file of questions."""

    questions: int
    documents: int
    clauses: int
    slices: dict[str, SliceFigures]
    """By kind of question; `all` has every one."""
    abstaining_precision: float
    """Of those declined, the share that cannot be answered."""
    abstaining_recall: float
    """Of those that cannot be answered, the share declined."""
    reasons_named: float
    """Of those declined, the share whose reason names something."""
    citations: int
    unverified: int
    p50_ms: float
    p95_ms: float
    misses: tuple[Miss, ...]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One question with what each way of searching made of it."""

    question: LabelledQuestion
    result: SearchResult
    seconds: float
    full_text: frozenset[Place]
    hybrid: frozenset[Place]
    verified: tuple[bool, ...]
    """By citation of the answer, whether it was."""

    @property
    def right(self) -> frozenset[Place]:
        return frozenset((str(self.question.document_id), label) for label in self.question.labels)

    @property
    def found(self) -> bool:
        return any((hit.document_id, hit.label) in self.right for hit in self.result.hits[:CUTOFF])


def measure_answers(folder: Path, documents: Path, questions: Sequence[Path]) -> tuple[AnswerFigures, ...]:
    """Index the documents in `folder`, ask the questions of every file, and score what comes back.

    Raises:
        InputError: a file is missing or not in the format.
        NotFoundError: a label is not in force on its day.
    """
    files = [read_labelled(path) for path in questions]
    snapshot = index_documents(folder, documents)
    corpus = Corpus(folder)
    for asked in files:
        _check(corpus, asked)
    return tuple(_measured(corpus, snapshot, asked) for asked in files)


def _measured(corpus: Corpus, snapshot: Snapshot, asked: Sequence[LabelledQuestion]) -> AnswerFigures:
    corpus.search(asked[0].question, filters_of(asked[0]))
    answers = [_ask(corpus, snapshot, question) for question in asked]
    seconds = sorted(answer.seconds for answer in answers)
    declined = [answer for answer in answers if not answer.result.sufficient]
    rightly = [answer for answer in declined if not answer.question.answerable]
    verified = [verdict for answer in answers for verdict in answer.verified]
    stats = corpus.stats()
    return AnswerFigures(
        questions=len(answers),
        documents=stats.versions,
        clauses=stats.clauses,
        slices={name: _slice([each for each in answers if of(each.question)]) for name, of in _SLICES.items()},
        abstaining_precision=_share(len(rightly), len(declined)),
        abstaining_recall=_share(len(rightly), sum(not each.question.answerable for each in answers)),
        reasons_named=_share(sum(bool(each.result.missing) for each in declined), len(declined)),
        citations=len(verified),
        unverified=verified.count(False),
        p50_ms=round(1000 * seconds[len(seconds) // 2], 2),
        p95_ms=round(1000 * seconds[int(len(seconds) * 0.95)], 2),
        misses=tuple(miss for answer in answers if (miss := _miss(answer)) is not None),
    )


def read_labelled(path: Path) -> tuple[LabelledQuestion, ...]:
    """The questions of a file.

    Raises:
        InputError: it is missing, empty or not in the format.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = tuple(LabelledQuestion.model_validate_json(line) for line in lines if line.strip())
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise InputError(f"{str(path)!r} cannot be read as labelled questions ({error}); mend it") from error
    if not found or any(question.answerable != bool(question.labels) for question in found):
        raise InputError(f"{str(path)!r} needs questions, with labels exactly for those that can be answered")
    return found


def index_documents(folder: Path, documents: Path) -> Snapshot:
    """A new index of a folder of documents, open.

    Raises:
        InputError: there are no documents.
        StorageError: the index cannot be written.
    """
    Corpus(folder).ingest([documents], tenant=TENANT, submission=_SUBMISSION)
    state = read_state(folder)
    if state is None:
        raise StorageError(f"no index was made of {str(documents)!r}; name a folder of documents that can be read")
    return Snapshot.open(folder, state)


def filters_of(question: LabelledQuestion) -> SearchFilters:
    """What the question may see: everything in force on its day."""
    return SearchFilters(tenant=TENANT, labels=(), as_of=question.as_of)


def _check(corpus: Corpus, asked: Sequence[LabelledQuestion]) -> None:
    """A label that is not there would count against every search."""
    for question in asked:
        for label in question.labels:
            corpus.clause(filters_of(question), document_id=str(question.document_id), label=label)


def _ask(corpus: Corpus, snapshot: Snapshot, question: LabelledQuestion) -> _Asked:
    filters = filters_of(question)
    started = time.perf_counter()
    result = corpus.search(question.question, filters)
    seconds = time.perf_counter() - started
    where = snapshot.predicate(filters)
    text = plain_words(question.question)
    vector = default_embedder().embed([question.question])[0]
    return _Asked(
        question=question,
        result=result,
        seconds=seconds,
        full_text=_places(snapshot, snapshot.table.full_text([(text, 1.0)], where, limit=CUTOFF)),
        hybrid=_places(snapshot, snapshot.table.hybrid(text, vector, where, limit=CUTOFF)),
        verified=tuple(
            corpus.verify(citation, filters).verified for citation in select_answer(question.question, result)
        ),
    )


def _places(snapshot: Snapshot, row_ids: Sequence[int]) -> frozenset[Place]:
    rows = snapshot.table.take(row_ids, ["document_id", "label"])
    return frozenset((str(row["document_id"]), str(row["label"])) for row in rows)


def _slice(answers: Sequence[_Asked]) -> SliceFigures:
    answerable = [answer for answer in answers if answer.question.answerable]
    unanswerable = [answer for answer in answers if not answer.question.answerable]
    return SliceFigures(
        answerable=len(answerable),
        found=_share(sum(answer.found for answer in answerable), len(answerable)),
        full_text_found=_share(sum(bool(each.full_text & each.right) for each in answerable), len(answerable)),
        hybrid_found=_share(sum(bool(each.hybrid & each.right) for each in answerable), len(answerable)),
        unanswerable=len(unanswerable),
        abstained=_share(sum(not answer.result.sufficient for answer in unanswerable), len(unanswerable)),
        wrongly_abstained=sum(not answer.result.sufficient for answer in answerable),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _miss(answer: _Asked) -> Miss | None:
    question, result = answer.question, answer.result
    problem: Literal["not among the first five", "answered", "declined"]
    if question.answerable and not answer.found:
        problem = "not among the first five"
    elif question.answerable == result.sufficient:
        return None
    else:
        problem = "answered" if result.sufficient else "declined"
    first = f"{result.hits[0].document_id} {result.hits[0].label}" if result.hits else ""
    return Miss(id=question.id, problem=problem, question=question.question, first=first, missing=result.missing)


_SLICES: dict[str, Callable[[LabelledQuestion], bool]] = {
    "all": lambda _: True,
    "customer": lambda question: question.voice == "customer",
    "lawyer": lambda question: question.voice == "lawyer",
    "turns_on_date": lambda question: question.turns_on_date,
}
