"""Names the boundary at which an answer or a search went wrong: from the index, the run's records and the search.

The order is that of the way of a clause to an answer: indexed, in force, visible, among the candidates, before the
cut, sufficient, quoted, verified. It decides nothing; called by the suites for cases that failed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from casewright.contracts.clause import Clause, SearchFilters
from casewright.contracts.evaluation import Stage
from casewright.corpus.corpus import Corpus
from casewright.corpus.embedding import default_embedder
from casewright.corpus.reranking import default_ranker
from casewright.corpus.search import Searcher, candidates_of, find
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import read_state
from casewright.corpus.sufficiency import ENOUGH, Signs, measure, probability_of
from casewright.corpus.words import read_question
from casewright.errors import NotFoundError, StorageError
from evals.scorers.answers import AnswerCase, GivenAnswer, Score, WantedClause

_ACCESS = frozenset({"another tenant's rule", "label not held"})
_RETRIEVAL = frozenset({"not in force", "draft or withdrawn"})
_CITATION = frozenset({"unverified", "not word for word", "without a citation", "cites while it abstains"})


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Where it went wrong, and why one can tell."""

    stage: Stage
    because: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question under what its asker may see, with what the run was given."""

    question: str
    filters: SearchFilters
    limit: int
    """How many hits the asker's search was asked for."""
    received: Collection[str]
    """Ids of the clauses that the run's record says it was given."""


class Examiner:
    """Looks into one index folder."""

    def __init__(self, folder: Path) -> None:
        """Open the active state.

        Raises:
            StorageError: there is none.
        """
        state = read_state(folder)
        if state is None:
            raise StorageError(f"there is no index in {str(folder)!r}; ingest documents first")
        self._corpus = Corpus(folder)
        self._snapshot = Snapshot.open(folder, state)
        self._searcher = Searcher(
            snapshot=self._snapshot,
            embedder=default_embedder(),
            ranker=default_ranker(in_memory=self._snapshot.in_memory),
        )

    def of_answer(self, case: AnswerCase, answer: GivenAnswer, score: Score, asked: Asked) -> Diagnosis:
        """Why an answer failed its case."""
        seen = set(score.forbidden)
        if seen & _ACCESS:
            return Diagnosis(stage="access", because=f"the answer quotes {_cited(answer)}: {', '.join(seen & _ACCESS)}")
        if seen & _RETRIEVAL:
            return Diagnosis(stage="retrieval", because=self._ranges(answer, asked))
        if seen & _CITATION:
            problems = "; ".join(one.problem for one in answer.citations if one.problem) or ", ".join(seen & _CITATION)
            return Diagnosis(stage="citation", because=f"{_cited(answer)}: {problems}")
        if not case.expected.answered:
            return Diagnosis(stage="sufficiency", because=self._signs(asked))
        lost = self.lost(case.expected.clauses, asked)
        if lost is not None:
            return lost
        if answer.abstained:
            return self._withheld(answer, asked)
        return Diagnosis(stage="drafting", because=f"{self._places(case, asked)}; quoted were {_cited(answer)}")

    def lost(self, wanted: Sequence[WantedClause], asked: Asked) -> Diagnosis | None:
        """Where the wanted clauses were lost on their way to the run; None: it was given one of them."""
        if any(_clause_id(one) in asked.received for one in wanted):
            return None
        found = [self._before_search(one, asked) for one in wanted]
        searched = [one for one, early in zip(wanted, found, strict=True) if early is None]
        if not searched:
            return next(early for early in found if early is not None)
        return Diagnosis(stage="retrieval", because="; ".join(self._rank(one, asked) for one in searched))

    def _before_search(self, wanted: WantedClause, asked: Asked) -> Diagnosis | None:
        name = f"{wanted.document_id} {wanted.version} {wanted.label}"
        everybody = {"labels": tuple(self._labels(asked.filters.tenant))}
        named = {"include": "named_version", "version": wanted.version}
        clause = self._clause(wanted, asked.filters.model_copy(update=everybody | named))
        if clause is None:
            return Diagnosis(stage="ingest", because=f"{name} is not in the index {self.index_version}")
        if self._clause(wanted, asked.filters.model_copy(update=everybody)) is None:
            span = f"{clause.effective_from} to {clause.effective_to or 'further notice'}"
            because = f"the index has {name} in force from {span}, and the question is of {asked.filters.as_of}"
            return Diagnosis(stage="ingest", because=because)
        if self._clause(wanted, asked.filters) is None:
            held = ", ".join(asked.filters.labels) or "none"
            return Diagnosis(stage="access", because=f"the asker, with the labels {held}, may not see {name}")
        return None

    def _clause(self, wanted: WantedClause, filters: SearchFilters) -> Clause | None:
        try:
            found = self._corpus.clause(filters, document_id=wanted.document_id, label=wanted.label)
        except NotFoundError:
            return None
        return found.clause if found.clause.version == wanted.version else None

    def _labels(self, tenant: str) -> set[str]:
        return {label for one in self._snapshot.catalogue.of_tenant(tenant) for label in one.contract().labels}

    def _rank(self, wanted: WantedClause, asked: Asked) -> str:
        order = self._order(asked)
        name = (wanted.document_id, wanted.label)
        if name not in order:
            return f"{' '.join(name)} is none of the {len(order)} candidates of full text and vectors"
        return f"{' '.join(name)} was at rank {order.index(name) + 1} of {len(order)} and cut at {asked.limit}"

    def _order(self, asked: Asked) -> list[tuple[str, str]]:
        """All candidates in the ranker's order, as documents and labels."""
        scope = self._snapshot.scope(asked.filters)
        question = read_question(asked.question, self._searcher.embedder)
        ranking = self._searcher.ranker.rank(question, candidates_of(self._searcher, question, scope))
        ids = [row_id for row_id, _ in ranking.order]
        rows = self._snapshot.source.rows(ids, scope)
        return [(str(rows[row_id]["document_id"]), str(rows[row_id]["label"])) for row_id in ids]

    def _withheld(self, answer: GivenAnswer, asked: Asked) -> Diagnosis:
        if "not a whole sentence" in answer.reason or "the quote" in answer.reason:
            return Diagnosis(stage="citation", because=answer.reason)
        return Diagnosis(stage="sufficiency", because=f"{self._signs(asked)}; it said: {answer.reason}")

    def _signs(self, asked: Asked) -> str:
        found = find(self._searcher, asked.question, asked.filters, limit=asked.limit)
        if not found.hits:
            return "the search found nothing at all"
        if any(hit.exact_reference for hit in found.hits):
            return "the question names a clause, which always suffices"
        first = f"the first hit was {found.hits[0].document_id} {found.hits[0].label}"
        signs = measure(found.question, found.hits, found.similarity)
        return f"{probability_of(signs):.2f} that it suffices, with {ENOUGH:g} as enough ({_named(signs)}); {first}"

    def _places(self, case: AnswerCase, asked: Asked) -> str:
        return "; ".join(
            self._rank(one, asked).replace("and cut at", "of which the run had")
            for one in case.expected.clauses
            if _clause_id(one) in asked.received
        )

    def _ranges(self, answer: GivenAnswer, asked: Asked) -> str:
        known = {
            (one.document_id, one.version): one.contract()
            for one in self._snapshot.catalogue.of_tenant(asked.filters.tenant)
        }
        said = [
            f"{one.document_id} {one.version} ({range_.status}, from {range_.effective_from} to {range_.effective_to})"
            for one in answer.citations
            if (range_ := known.get((one.document_id, one.version))) is not None
        ]
        return f"asked for {asked.filters.as_of}, the search gave {', '.join(said)}"

    @property
    def index_version(self) -> str:
        """Of the state that it looks into."""
        return self._snapshot.state.index_version


def _clause_id(wanted: WantedClause) -> str:
    return f"{wanted.document_id}@{wanted.version}#{wanted.label}"


def _cited(answer: GivenAnswer) -> str:
    return ", ".join(f"{one.document_id} {one.version} {one.label}" for one in answer.citations) or "nothing"


def _named(signs: Signs) -> str:
    return (
        f"best hit covers {signs.single:.2f}, all {signs.together:.2f}, nearest {signs.similarity:.2f}, "
        f"words {signs.telling:.2f}"
    )
