"""Any blocks become clauses with labels of their own and parents that are there, or are refused with a reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.canonical import sha256_text
from casewright.corpus.clauses import ParsedClause, clauses_of
from casewright.corpus.formats.blocks import Block
from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.labels import fold_label
from casewright.corpus.links import linked
from casewright.corpus.rows import search_text

LABELS = ("1.1", "§ 2.3(a)", "§ 2.3(a)(1)", "Comment 2(a)-1", "Appendix A", "Scope", "")
MARKERS = ("(a)", "(b)", "(i)", "(1)", "2.", "•", "-", "§", "")
WORDS = st.one_of(
    st.sampled_from(
        ["A fee means:", "1.2 Pay.", "(a) first;", "see § 2.3(a) and (b)[1]", "“Fee” means a sum.", "שלום"]
    ),
    st.text(min_size=1, max_size=40).map(lambda text: " ".join(text.split()) or "x"),
)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """One block of any kind, as a reader might give it."""
    kind = draw(st.sampled_from(["heading", "paragraph", "item", "row", "footnote"]))
    text = draw(WORDS)
    match kind:
        case "heading":
            return Block(kind=kind, text=text, place=1, level=draw(st.integers(1, 9)))
        case "paragraph":
            return Block(kind=kind, text=text, place=1, label=draw(st.sampled_from([*LABELS, None])))
        case "item":
            marker = draw(st.sampled_from(MARKERS))
            return Block(kind=kind, text=text, place=1, marker=marker, level=draw(st.integers(1, 4)))
        case "row":
            cells = draw(st.lists(st.one_of(WORDS, st.just("")), min_size=1, max_size=4))
            header = draw(st.lists(st.one_of(WORDS, st.just("")), min_size=len(cells), max_size=len(cells)))
            return Block(kind=kind, text="", place=1, cells=tuple(cells), header=tuple(header))
        case _:
            return Block(kind="footnote", text=text, place=1, marker=draw(st.sampled_from(["1", "2", "*"])))


def whole(found: tuple[ParsedClause, ...]) -> None:
    """What holds for the clauses of any document."""
    labels = [clause.label for clause in found]
    assert len({fold_label(label) for label in labels}) == len(labels) > 0
    assert [clause.position for clause in found] == list(range(len(found)))
    by_label = {clause.label: clause for clause in found}
    for clause in found:
        assert clause.sha256 == sha256_text(clause.text)
        assert all(parent in by_label and parent != clause.label for parent in clause.parents)
        texts = [by_label[parent].text for parent in clause.parents]
        assert tuple(texts[len(texts) - len(clause.lead_in) :]) == clause.lead_in
        assert clause.text in search_text(clause)


@pytest.mark.proves("A1")
@settings(deadline=None, max_examples=150)
@given(st.lists(blocks(), max_size=14))
def test_any_blocks_become_whole_clauses_or_are_refused_with_a_reason(given_blocks: list[Block]) -> None:
    try:
        found = clauses_of(given_blocks, title="Fees")
    except UnreadableDocumentError as error:
        assert str(error)
        return
    whole(found)
    joined = " ".join(clause.text for clause in found)
    for block in given_blocks:
        if block.kind == "row":
            assert all(cell in joined for cell in block.cells)
    with_links = linked(found)
    whole(with_links)
    known = {clause.label for clause in found}
    for clause in with_links:
        assert all(each.label in known for each in clause.links.terms)
        assert all(each.target in known for each in clause.links.references if each.target)
