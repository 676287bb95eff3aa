"""The retrieval suites: what counts as found, at which rank, and a ranker that puts the last first is seen."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from casewright.corpus.candidates import Candidates
from casewright.corpus.corpus import Corpus
from casewright.corpus.reranking import RankerRunner
from casewright.corpus.words import Question
from evals.planning import checked
from evals.scorers.retrieval import Beside, Listing, WantedPlaces, reciprocal_rank, scored
from evals.suite import Materials
from evals.suites.retrieval import Retrieval, RetrievalRegulations
from tests.evals.attempting import attempted, materials

RIGHT = WantedPlaces(document_id="d", labels=("1", "2"))
EXACT = WantedPlaces(document_id="d", labels=("1", "2"), exact=True)


class LastFirst:
    """A ranker that turns the fused order round."""

    name = "last first"
    blocking = False

    def scores(self, question: Question, candidates: Candidates) -> Sequence[float]:
        return [-score for score in candidates.fused]


def last_first(index: Path) -> Corpus:
    return Corpus(index, ranker=RankerRunner(LastFirst()))


def listing(*labels: str, exact: Sequence[str] = ()) -> Listing:
    return Listing(hits=tuple(("d", label) for label in labels), exact=frozenset(("d", label) for label in exact))


@pytest.mark.proves("A2")
def test_ranks_and_shares_are_those_of_the_first_right_hits() -> None:
    found = scored(RIGHT, listing("9", "2", "8", "1"), Beside(full_text=(("d", "1"),)))
    assert found.passed
    assert found.measures == {"reciprocal_rank": 0.5, "recall_10": 1.0, "map_10": 0.5, "full_text_map_10": 0.5}
    assert found.outcomes["found_5"] and found.outcomes["full_text_found_5"] and not found.outcomes["hybrid_found_5"]
    assert "reference_hit" not in found.outcomes


def test_what_comes_sixth_is_not_near_and_what_comes_eleventh_is_not_found() -> None:
    sixth = scored(RIGHT, listing(*"34567", "1"), Beside())
    assert (sixth.outcomes["found_5"], sixth.outcomes["found_10"], sixth.passed) == (False, True, True)
    eleventh = scored(RIGHT, listing(*(f"x{n}" for n in range(10)), "1"), Beside())
    assert (eleventh.passed, eleventh.measures["reciprocal_rank"], eleventh.measures["map_10"]) == (False, 0, 0)
    assert reciprocal_rank((("e", "1"),), frozenset({("d", "1")})) == 0
    nothing = scored(RIGHT, listing(), Beside())
    assert nothing.outcomes["no_result"] and not nothing.passed


@pytest.mark.proves("A2")
def test_a_reference_passes_only_if_all_that_it_names_are_hit_by_name() -> None:
    assert scored(EXACT, listing("1", "2", exact=("1", "2")), Beside()).passed
    assert not scored(EXACT, listing("1", "2", exact=("1",)), Beside()).passed
    assert not scored(EXACT, listing("1", exact=("1", "2")), Beside()).passed


@pytest.mark.proves("A2", "A9")
def test_there_are_as_many_searches_as_were_promised(tmp_path: Path, shared: Path) -> None:
    given = Materials(installation=tmp_path, work=tmp_path, shared=shared)
    own, more = checked(Retrieval(), given), checked(RetrievalRegulations(), given)
    assert len(own) + len(more) >= 120
    assert {case.slices["kind"] for case in own} == {"reference", "reference by title", "words", "question"}
    assert {case.slices["kind"] for case in more} == {"reference", "labelled", "held back"}


@pytest.mark.thorough
@pytest.mark.proves("A2")
async def test_a_ranker_that_puts_the_last_first_fails_what_the_shipped_one_finds(
    installation: Path, tmp_path: Path
) -> None:
    good = await attempted(
        Retrieval(), materials(installation, tmp_path / "a"), lambda case: case.slices["kind"] == "words"
    )
    bad = await attempted(
        Retrieval(opening=last_first), materials(installation, tmp_path / "b"), lambda case: case.id in good
    )
    assert sum(result.verdict == "passed" for result in good.values()) >= len(good) - 3
    assert sum(result.verdict == "passed" for result in bad.values()) <= len(bad) / 2
    lost = next(result for result in bad.values() if result.verdict == "failed")
    assert lost.stage == "retrieval" and lost.diagnosis and lost.trace.startswith("casewright --home")
