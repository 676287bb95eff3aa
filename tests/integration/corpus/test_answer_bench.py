"""Figures over labelled questions: what counts as found, as declined and as a miss, on documents one can check."""

import json
from pathlib import Path

import pytest

from casewright.corpus.answer_bench import AnswerFigures, measure_answers, read_labelled
from casewright.errors import InputError, NotFoundError
from tests.integration.corpus.indexed import WriteDocument

Line = dict[str, str | int | list[str] | None]
QUESTION: Line = {
    "id": "q1",
    "voice": "lawyer",
    "as_of": "2020-06-01",
    "question": "Daily limit of a payment card",
    "answerable": True,
    "document_id": "hl-limits",
    "labels": ["1.1"],
    "turns_on_date": True,
}
MERCURY: Line = QUESTION | {
    "id": "q2",
    "voice": "customer",
    "question": "What is the boiling point of mercury?",
    "answerable": False,
    "document_id": None,
    "labels": [],
    "turns_on_date": False,
}


def written(folder: Path, *questions: Line) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
    return path


@pytest.fixture
def documents(write_document: WriteDocument) -> Path:
    write_document(
        "**1.1** The daily limit of a payment card is 50 USD.\n\n**1.2** A lost payment card is blocked at once."
    )
    return write_document(
        "**1.1** Fees are listed in the tariff.\n\n**1.3** The daily limit of a payment card is 80 USD.",
        version="'2'",
        effective_from="2022-01-01",
    ).parent


def measured(tmp_path: Path, documents: Path, *questions: Line) -> AnswerFigures:
    (figures,) = measure_answers(tmp_path / "index", documents, [written(tmp_path, *questions)])
    return figures


@pytest.mark.thorough
@pytest.mark.proves("A7", "A9")
def test_what_is_found_and_what_is_declined_is_counted_by_kind_beside_plain_searches(
    tmp_path: Path, documents: Path
) -> None:
    later: Line = QUESTION | {"id": "q3", "as_of": "2023-01-01", "labels": ["1.3"]}
    figures = measured(tmp_path, documents, QUESTION, MERCURY, later)
    everything = figures.slices["all"]
    assert (everything.answerable, everything.found, everything.full_text_found, everything.hybrid_found) == (
        2,
        1,
        1,
        1,
    )
    assert (everything.unanswerable, everything.abstained) == (1, 1)
    assert (figures.slices["customer"].answerable, figures.slices["customer"].unanswerable) == (0, 1)
    assert figures.slices["turns_on_date"].answerable == 2
    assert (figures.abstaining_recall, figures.reasons_named, figures.unverified) == (1, 1, 0)
    assert (figures.questions, figures.documents, figures.clauses) == (3, 2, 4)


@pytest.mark.thorough
@pytest.mark.proves("A7")
def test_a_question_that_goes_wrong_is_named_with_what_came_first(tmp_path: Path, documents: Path) -> None:
    elsewhere: Line = QUESTION | {"id": "q4", "question": "1.1", "labels": ["1.2"]}
    wrongly: Line = MERCURY | {"id": "q5", "question": "What does 1.1 say?"}
    figures = measured(tmp_path, documents, elsewhere, wrongly, MERCURY)
    assert [(miss.id, miss.problem, miss.first) for miss in figures.misses] == [("q5", "answered", "hl-limits 1.1")]
    assert figures.slices["all"].abstained == 0.5
    assert figures.citations >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": []},
        {"answerable": False},
        {"voice": "judge"},
        {"extra": 1},
        {"as_of": "soon"},
    ],
)
def test_a_line_that_contradicts_itself_or_the_format_is_an_input_error(tmp_path: Path, wrong: Line) -> None:
    with pytest.raises(InputError, match=r"questions\.jsonl"):
        read_labelled(written(tmp_path, QUESTION | wrong))


@pytest.mark.parametrize("content", ["", "\n\n", "{"])
def test_a_file_without_questions_is_an_input_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"questions\.jsonl"):
        read_labelled(path)


@pytest.mark.thorough
def test_a_label_that_is_not_in_force_on_its_day_ends_the_measurement(tmp_path: Path, documents: Path) -> None:
    with pytest.raises(NotFoundError, match=r"1\.3"):
        measured(tmp_path, documents, QUESTION | {"labels": ["1.3"]})
