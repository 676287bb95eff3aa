"""The suites `retrieval` and `retrieval-regulations`: which clauses a search lists, and at which rank.

The search is the corpus's own, under the filters that the asker's permission would give; what of it is quoted is the
matter of `evals.suites.answering`. Each question is asked of the table's own full-text and hybrid search in the same
run, as a measure to compare with.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from casewright.contracts.base import Contract
from casewright.corpus.answer_bench import LabelledQuestion, index_documents, read_labelled
from casewright.errors import InputError
from casewright.identity.local import load_identities
from evals.datasets import read_lines
from evals.scorers.answers import AnswerCase
from evals.scorers.retrieval import RetrievalCase, SearchedQuestion, WantedPlaces
from evals.suite import DATASETS, Attempt, Case, Materials
from evals.suites.answering import REGULATIONS
from evals.suites.searching import Searches
from evals.world import POLICIES, copied

if TYPE_CHECKING:
    from casewright.corpus.corpus import Corpus

TUNED, HELD_BACK = "clauses.jsonl", "clauses-held-back.jsonl"
_WHY = {
    TUNED: "The ranker has learned from it: a fall here is a defect of the code, a rise may be learned by heart.",
    HELD_BACK: "Nothing is tuned on it, so it says how the search does with what it has never seen.",
}
Opening = Callable[[Path], "Corpus"]
"""How an index is searched; the suites' tests plant their defects with it."""


def as_the_product(index: Path) -> "Corpus":
    """The corpus with the ranker and the embedder that ship."""
    from casewright.corpus.corpus import Corpus

    return Corpus(index)


@dataclass(frozen=True, kw_only=True)
class _Searching:
    """What is alike in both: one process, which opens its index once, and nothing to take away for a control."""

    shards: int = 1
    case_seconds: float = 20.0
    has_control: bool = False
    opening: "Opening" = field(default=as_the_product)


@dataclass(frozen=True, kw_only=True)
class Retrieval(_Searching):
    """Searches in the sample organisation's rules, by its people."""

    name: str = "retrieval"
    title: str = "The right clause of the sample's rules is among the first hits"
    fast_cases: int = 40

    @property
    def files(self) -> Mapping[str, type[Contract]]:
        return {"retrieval.jsonl": RetrievalCase, "golden.jsonl": AnswerCase}

    def cases(self, materials: Materials) -> Sequence[Case]:
        """The searches of its own file, and the golden questions that a clause answers: their rank before any cut."""
        golden = read_lines("golden.jsonl", AnswerCase)
        asked = [_of_golden(case) for case in golden if case.expected.answered]
        return [*read_lines("retrieval.jsonl", RetrievalCase), *asked]

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        return _sample(self, materials, enforced=enforced)


@dataclass(frozen=True, kw_only=True)
class RetrievalRegulations(_Searching):
    """Searches in the regulations: labelled questions, those held back, and references as people write them."""

    name: str = "retrieval-regulations"
    title: str = "The right clause of 21 versions of seven regulations is among the first hits"
    fast_cases: int = 60

    @property
    def files(self) -> Mapping[str, type[Contract]]:
        own: dict[str, type[Contract]] = {"retrieval-regulations.jsonl": RetrievalCase}
        return own | {TUNED: LabelledQuestion, HELD_BACK: LabelledQuestion}

    def cases(self, materials: Materials) -> Sequence[Case]:
        materials.corpora()
        own: list[Case] = list(read_lines("retrieval-regulations.jsonl", RetrievalCase))
        labelled = [(name, one) for name in (TUNED, HELD_BACK) for one in read_labelled(DATASETS / name)]
        return [*own, *(_of_labelled(name, one) for name, one in labelled if one.answerable)]

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        return _regulations(self, materials, enforced=enforced)


def _of_golden(case: AnswerCase) -> RetrievalCase:
    first = case.expected.clauses[0].document_id
    return RetrievalCase(
        id=f"golden/{case.id}",
        why=case.why,
        given=SearchedQuestion(question=case.given.question, as_of=case.given.as_of, asked_by=case.given.asked_by),
        expected=WantedPlaces(
            document_id=first,
            labels=tuple(one.label for one in case.expected.clauses if one.document_id == first),
        ),
        slices={"kind": "question", "voice": case.slices["voice"], "corpus": "sample"},
    )


def _of_labelled(name: str, one: LabelledQuestion) -> RetrievalCase:
    return RetrievalCase(
        id=f"{name.removesuffix('.jsonl')}/{one.id}",
        why=f"{_WHY[name]} {one.note}".strip(),
        given=SearchedQuestion(question=one.question, as_of=one.as_of),
        expected=WantedPlaces(document_id=str(one.document_id), labels=one.labels),
        slices={
            "kind": "held back" if name == HELD_BACK else "labelled",
            "voice": one.voice,
            "corpus": "regulations",
        },
    )


@asynccontextmanager
async def _sample(suite: Retrieval, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt]:
    from casewright.config import Settings

    _refuse_control(suite.name, enforced=enforced)
    settings = Settings(home=copied(materials.installation, materials.work / "home"), policies=POLICIES)
    people = load_identities(settings.identities)
    yield Searches(index=settings.index, corpus=suite.opening(settings.index), people=people).attempt


@asynccontextmanager
async def _regulations(suite: RetrievalRegulations, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt]:
    _refuse_control(suite.name, enforced=enforced)
    index = materials.work / "index"
    index_documents(index, materials.corpora() / REGULATIONS)
    yield Searches(index=index, corpus=suite.opening(index), people=None).attempt


def _refuse_control(name: str, *, enforced: bool) -> None:
    if not enforced:
        raise InputError(f"the suite {name!r} has no control; leave it out of that run")
