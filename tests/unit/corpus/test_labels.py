"""Labels: folding, parents, references in questions."""

import time

import pytest

from casewright.corpus.labels import ancestors, fold_label, references


@pytest.mark.proves("A8")
@pytest.mark.parametrize(
    ("label", "known", "parents"),
    [
        ("§ 1005.11(c)(3)(ii)(B)", {"§ 1005.11(c)", "§ 1005.11(c)(3)", "§ 1005.11(c)(3)(ii)"}, 3),
        ("Comment 6(b)(1)-2.i.A", {"Comment 6(b)(1)", "Comment 6(b)(1)-2", "Comment 6(b)(1)-2.i", "Comment 6"}, 4),
        ("Appendix C to Part 1024 II-h1-p3", {"Appendix C to Part 1024 II-h1", "Appendix C to Part 1024 I"}, 1),
        ("Appendix A-1", {"Appendix A", "Appendix"}, 2),
        ("3.2", {"3.1"}, 0),
    ],
)
def test_parents_follow_from_the_label_outermost_first(label: str, known: set[str], parents: int) -> None:
    found = ancestors(label, known)
    assert len(found) == parents
    assert list(found) == sorted(found, key=len)


@pytest.mark.proves("A2")
@pytest.mark.parametrize(
    ("question", "folded"),
    [
        ("1005.11(c)(2)", "1005.11(c)(2)"),
        ("What does § 1005.11 (c) (2) say?", "1005.11(c)(2)"),
        ("see Comment 6(b)(1)-2.", "comment6(b)(1)-2"),
        ("hl-disputes 3.2(a)", "3.2(a)"),
        ("in Appendix C to Part 1024 II-p3, please", "appendixctopart1024ii-p3"),
        ("(see § 1030.8(a)(2))", "1030.8(a)(2)"),
        ("as the rule says (hl-disputes 3.2).", "3.2"),
        ("((1005.6(b)(1)))", "1005.6(b)(1)"),
        ("(Comment 6(b)-2)", "comment6(b)-2"),
        ("(c)(2)", "(c)(2)"),
    ],
)
def test_references_are_found_inside_questions(question: str, folded: str) -> None:
    assert folded in {reference.folded for reference in references(question.split())}


def test_plain_words_hold_no_reference() -> None:
    assert references(["how", "long", "do", "we", "have"]) == ()


def test_a_flood_of_references_is_bounded() -> None:
    assert len(references(["1.1(a)"] * 50_000)) <= 200


def test_brackets_without_end_cost_nothing() -> None:
    began = time.process_time()
    assert references([f"{'(' * 200_000}1.1", f"1.1{')' * 200_000}"]) == ()
    assert time.process_time() - began < 1


def test_section_signs_and_spaces_do_not_matter() -> None:
    assert fold_label("§ 1005.11 (c)") == fold_label("1005.11(c)")
