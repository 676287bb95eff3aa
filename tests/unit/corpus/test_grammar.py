"""Labels as documents print them: told from ordinary text, taken apart and put together, numbered and split."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.clauses import clauses_of
from casewright.corpus.formats.blocks import Block
from casewright.corpus.grammar import (
    begins_paragraph,
    heading_label,
    is_label,
    leading_label,
    leading_marker,
    parse_label,
)
from casewright.corpus.labels import ancestors
from casewright.corpus.numbering import Numbering
from casewright.corpus.splitting import MAX_CLAUSE_TOKENS, split_long
from casewright.corpus.tokens import token_count

LABELS = {
    "§ 1005.11(c)(2)(i)": ("§ 1005.11", ("(c)", "(2)", "(i)")),
    "Comment 6(b)(1)-2": ("Comment 6", ("(b)", "(1)", "-2")),
    "4.2.1(b)": ("4.2.1", ("(b)",)),
    "Appendix A": ("Appendix A", ()),
    "Appendix C to Part 1024 II-h1-p3": ("Appendix C to Part 1024", (" II", "-h1", "-p3")),
    "3.2 part 2": ("3.2", (" part 2",)),
    "A-1": ("A", ("-1",)),
}
steps = st.one_of(
    st.from_regex(r"\((?:[a-z]{1,3}|[A-Z]|[0-9]{1,3})\)", fullmatch=True),
    st.from_regex(r"-[a-z]?[0-9]{1,2}", fullmatch=True),
)
bases = st.one_of(
    st.from_regex(r"§ [0-9]{1,4}\.[0-9]{1,3}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}", fullmatch=True),
    st.from_regex(r"(?:Comment|Appendix|Annex|Article) [0-9]{1,3}", fullmatch=True),
)


@pytest.mark.proves("A1")
@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_taken_apart_and_put_together(label: str) -> None:
    parts = parse_label(label)
    assert parts is not None
    assert (parts.base, parts.steps) == LABELS[label]
    assert parts.text == label


@pytest.mark.proves("A1")
@given(bases, st.lists(steps, max_size=6))
def test_every_label_of_the_grammar_goes_round_and_has_its_parents(base: str, given_steps: list[str]) -> None:
    label = base + "".join(given_steps)
    parts = parse_label(label)
    assert parts is not None
    assert parts.text == label
    shorter = ["".join((parts.base, *parts.steps[:count])) for count in range(len(parts.steps))]
    assert set(ancestors(label, set(shorter))) == set(shorter)


@given(st.text(max_size=200))
def test_no_text_makes_the_grammar_fail(text: str) -> None:
    parts = parse_label(text)
    assert parts is None or parts.text == parse_label(parts.text).text  # pyright: ignore[reportOptionalMemberAccess]
    for begun in (leading_label(text), leading_marker(text)):
        assert begun is None or text.endswith(begun.rest)
    assert begins_paragraph(text, text) in (True, False)
    assert heading_label([text, text])
    assert is_label(text) in (True, False)


@pytest.mark.parametrize(
    "text", ["30 days", "Important", "Purpose", "Section heading", "Part time", "Note 1", "", "(a)", "2.5 percent"]
)
def test_ordinary_bold_text_is_no_label(text: str) -> None:
    assert not is_label(text)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("3.2(a) a transfer", "3.2(a)"),
        ("§ 1005.2(b)(1) “Account” means", "§ 1005.2(b)(1)"),
        ("Comment 6(b)(1)-2. Notice.", "Comment 6(b)(1)-2"),
        ("Appendix A-1 The list", "Appendix A-1"),
        ("60 days after the notice", None),
        ("2.5 percent of closed cases", None),
        ("1005.60 USD are due", None),
        ("Appendix A applies", None),
    ],
)
def test_a_label_is_found_where_a_paragraph_begins_with_one(text: str, label: str | None) -> None:
    begun = leading_label(text)
    assert (begun.mark if begun else None) == label


@pytest.mark.parametrize(
    ("markers", "expected"),
    [
        (["(a)", "(b)", "(i)", "(ii)", "(c)"], ["(a)", "(b)", "(b)(i)", "(b)(ii)", "(c)"]),
        (["(h)", "(i)", "(j)"], ["(h)", "(i)", "(j)"]),
        (["1.", "2.", "a)", "b)", "3."], ["(1)", "(2)", "(2)(a)", "(2)(b)", "(3)"]),
        (["•", "•", "•"], ["-b1", "-b2", "-b3"]),
        (["(i)", "(ii)", "(A)", "(B)", "(iii)"], ["(i)", "(ii)", "(ii)(A)", "(ii)(B)", "(iii)"]),
        (["(a)", "(c)"], ["(a)", "(c)"]),
    ],
)
def test_markers_are_read_by_what_came_before(markers: list[str], expected: list[str]) -> None:
    numbering = Numbering()
    assert [numbering.place(marker) for marker in markers] == expected


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 4)), max_size=20))
def test_no_run_of_markers_makes_numbering_fail(markers: list[tuple[str, int]]) -> None:
    numbering = Numbering()
    assert all(numbering.place(marker, depth) for marker, depth in markers)


@pytest.mark.proves("A1")
def test_a_long_text_is_cut_at_sentences_into_parts_with_labels_of_their_own() -> None:
    text = " ".join(f"The bank must answer question number {number} within ten days." for number in range(400))
    assert token_count(text) > MAX_CLAUSE_TOKENS
    paragraph = Block(kind="paragraph", text=text, place=1, label="3.2")
    found = clauses_of([paragraph], title="Rule")
    assert [clause.label for clause in found] == ["3.2", *(f"3.2 part {n}" for n in range(2, len(found) + 1))]
    assert len(found) > 1
    assert " ".join(clause.text for clause in found) == text
    assert all(token_count(clause.text) <= MAX_CLAUSE_TOKENS for clause in found)
    assert all(clause.text.endswith("days.") for clause in found)
    assert {clause.parents for clause in found[1:]} == {("3.2",)}


@settings(deadline=None)
@given(st.lists(st.sampled_from(["word", "End.", "Next", "(a)", "ü"]), min_size=1, max_size=60), st.integers(1, 12))
def test_parts_put_together_are_the_text(words: list[str], limit: int) -> None:
    text = " ".join(words)
    assert " ".join(split_long(text, limit=limit)) == text
