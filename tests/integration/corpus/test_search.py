"""Search, read, compare, answer and abstain over real regulations."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casewright.contracts.clause import SearchResult
from casewright.contracts.recommendation import Citation
from casewright.corpus.answering import select_answer
from casewright.corpus.corpus import Corpus
from casewright.errors import InputError, NotFoundError
from tests.integration.corpus.indexed import filters

pytestmark = pytest.mark.timeout(240)
POINT_OF_SALE = (
    "The disputed purchase was made with a debit card at a store terminal. "
    "How long do we have to complete the investigation?"
)
DATASET = Path(__file__).resolve().parents[3] / "evals" / "datasets" / "sufficiency.jsonl"


@pytest.mark.proves("A2")
@pytest.mark.parametrize(
    ("question", "label", "document_id"),
    [
        ("1005.11(c)(2)", "§ 1005.11(c)(2)", "us-cfr-12-1005"),
        ("What does § 1005.11(c) require?", "§ 1005.11(c)", "us-cfr-12-1005"),
        ("Comment 6(b)(1)-2", "Comment 6(b)(1)-2", "us-cfr-12-1005"),
        ("12 CFR 1002.13 (a)(1)(i) please", "§ 1002.13(a)(1)(i)", "us-cfr-12-1002"),
    ],
)
def test_a_clause_named_in_the_question_comes_first(
    regulations: Corpus, question: str, label: str, document_id: str
) -> None:
    first = regulations.search(question, filters()).hits[0]
    assert (first.label, first.document_id, first.exact_reference) == (label, document_id, True)


@pytest.mark.proves("A2")
def test_a_document_named_with_the_label_chooses_among_equal_labels(regulations: Corpus) -> None:
    for document_id in ("hl-card-disputes", "hl-error-resolution"):
        result = regulations.search(f"{document_id} 2.1", filters("harborline", "2026-03-01"))
        assert (result.hits[0].document_id, result.hits[0].label) == (document_id, "2.1")
        assert result.sufficient


@pytest.mark.proves("A2")
def test_the_title_of_a_document_chooses_among_equal_labels_as_well(regulations: Corpus) -> None:
    asked = {"hl-evidence-standards": "Clause 4.2 of the Evidence Standards", "hl-record-retention": "record retention"}
    asked["hl-record-retention"] += " schedule, clause 3.2"
    for document_id, question in asked.items():
        hits = regulations.search(question, filters("harborline", "2026-03-01")).hits
        assert [hit.document_id for hit in hits if hit.exact_reference] == [document_id]


@pytest.mark.proves("A2")
def test_an_item_of_a_list_is_found_with_what_leads_into_it(regulations: Corpus) -> None:
    hits = {hit.label: hit for hit in regulations.search(POINT_OF_SALE, filters()).hits}
    item = hits["§ 1005.11(c)(3)(ii)(B)"]
    assert "90 days in place of 45" in item.lead_in
    assert "§ 1005.11(c)(3)(ii)" in hits


@pytest.mark.proves("A2")
def test_one_item_speaks_for_its_list_and_its_parent_stands_with_it(regulations: Corpus) -> None:
    question = "Advance written notice of a change in terms that increases fees or liability for the consumer"
    hits = regulations.search(question, filters()).hits
    items = [hit.rank for hit in hits if hit.lead_in and hit.parents[-1] == "§ 1005.8(a)(1)"]
    others = [hit.rank for hit in hits if not hit.lead_in]
    assert "§ 1005.8(a)(1)" in [hit.label for hit in hits[:3]]
    assert len(items) >= 2
    assert all(rank > max(others) for rank in items[1:])


@pytest.mark.proves("A2")
@pytest.mark.parametrize(
    "query",
    [
        "?!.,;:'\"()[]{}^~*\\/+-&|" * 50,
        "<b>credit</b> <script>alert(1)</script>",
        "a" * 100_000,
        'credit AND (debit OR NOT "card',
        "сколько дней на расследование",
        "調査の期限は何日ですか",
        "credit\x00\u202e\ud83d\ude00".encode("utf-8", "replace").decode(),
        "",
        " ",
        ("the notice of error must be investigated. " * 3_000),
    ],
)
def test_any_query_is_answered_without_an_error(regulations: Corpus, query: str) -> None:
    result = regulations.search(query, filters())
    assert len(result.hits) <= 10
    assert result.sufficient or result.missing


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_an_input_error(regulations: Corpus, limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        regulations.search("credit", filters(), limit=limit)


@pytest.mark.proves("A3")
def test_the_text_of_the_asked_day_is_returned(regulations: Corpus) -> None:
    found = {
        day: regulations.clause(filters(as_of=day), document_id="us-cfr-12-1002", label="1002.13(a)(1)(i)").clause
        for day in ("2017-06-01", "2019-06-01")
    }
    assert found["2017-06-01"].version == "2016-16301"
    assert found["2019-06-01"].text == "Ethnicity and race using either:"
    for day, clause in found.items():
        hits = regulations.search("Which ethnicity and race information must be collected?", filters(as_of=day)).hits
        assert {hit.version for hit in hits if hit.document_id == "us-cfr-12-1002"} == {clause.version}


@pytest.mark.proves("A8")
def test_a_clause_is_read_with_parents_children_and_neighbours(regulations: Corpus) -> None:
    found = regulations.clause(filters(), document_id="us-cfr-12-1005", label="1005.11 (c)(3)(ii)")
    assert [parent.label for parent in found.parents] == ["§ 1005.11(c)", "§ 1005.11(c)(3)"]
    assert [child.label[-3:] for child in found.children] == ["(A)", "(B)", "(C)"]
    assert found.previous is not None and found.previous.label == "§ 1005.11(c)(3)(i)"
    assert found.next is not None and found.next.label == "§ 1005.11(c)(3)(ii)(A)"
    assert found.index_version == regulations.index_version()


@pytest.mark.proves("A8")
def test_two_versions_of_a_clause_are_compared_word_by_word(regulations: Corpus) -> None:
    compared = regulations.compare(
        filters(),
        document_id="us-cfr-12-1002",
        label="1002.13(a)(1)(i)",
        from_version="2016-16301",
        to_version="2017-20417_20180101",
    )
    assert compared.label == "§ 1002.13(a)(1)(i)"
    assert any("Hispanic" in change.removed for change in compared.changes)
    with pytest.raises(NotFoundError, match="no version"):
        regulations.compare(
            filters(), document_id="us-cfr-12-1002", label="1002.13(a)", from_version="2016-16301", to_version="nope"
        )


@pytest.mark.proves("A6", "A7")
def test_the_answer_to_the_point_of_sale_question_is_ninety_days_with_its_condition(regulations: Corpus) -> None:
    citations = select_answer(POINT_OF_SALE, regulations.search(POINT_OF_SALE, filters()))
    assert citations[0].label == "§ 1005.11(c)(3)(ii)"
    assert "90 days in place of 45 days" in citations[0].quote
    assert "§ 1005.11(c)(3)(ii)(B)" in {citation.label for citation in citations}
    assert all(regulations.verify(citation, filters()).verified for citation in citations)


@pytest.mark.proves("A6")
def test_a_citation_of_a_version_not_in_force_is_refused(regulations: Corpus) -> None:
    old = regulations.clause(filters(), document_id="us-cfr-12-1002", label="1002.13(a)(1)(i)").clause
    citation = Citation(
        document_id=old.document_id, version=old.version, label=old.label, quote=old.text, sha256=old.sha256
    )
    assert regulations.verify(citation, filters()).verified
    later = regulations.verify(citation, filters(as_of="2019-06-01"))
    assert not later.verified
    assert "not the one in force" in later.problem
    assert not regulations.verify(citation, filters("harborline")).verified


@pytest.mark.proves("A7")
def test_abstaining_is_precise_and_complete_enough(regulations: Corpus) -> None:
    examples = [json.loads(line) for line in DATASET.read_text(encoding="utf-8").splitlines()]
    abstained = dict[str, bool]()
    for example in examples:
        given = filters(example["tenant"], example["as_of"])
        result = regulations.search(example["question"], given)
        abstained[example["id"]] = not result.sufficient
        citations = select_answer(example["question"], result)
        assert bool(citations) == result.sufficient
        assert all(regulations.verify(citation, given).verified for citation in citations)
    unanswerable = {example["id"] for example in examples if not example["answerable"]}
    right = sum(abstained[name] for name in unanswerable)
    assert len(unanswerable) >= 20 and len(examples) - len(unanswerable) >= 30
    assert right / sum(abstained.values()) >= 0.82, "abstains where it could answer"
    assert right / len(unanswerable) >= 0.9, "answers where it should abstain"


@pytest.mark.proves("A7")
@pytest.mark.parametrize("tenant", ["us", "harborline"])
def test_a_question_outside_the_rules_is_declined_with_what_is_missing(regulations: Corpus, tenant: str) -> None:
    result = regulations.search("What is the boiling point of mercury?", filters(tenant, "2026-03-01"))
    assert not result.sufficient
    assert "mercury" in result.missing
    assert select_answer("What is the boiling point of mercury?", result) == ()


@pytest.mark.proves("A2")
def test_many_threads_get_the_same_answers_as_one(regulations: Corpus) -> None:
    questions = [POINT_OF_SALE, "1005.11(c)(2)", "When is an adverse action notice due?"] * 4

    def ask(question: str) -> SearchResult:
        return regulations.search(question, filters())

    alone = [ask(question) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, questions, timeout=120)) == alone
