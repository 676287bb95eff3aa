"""References and defined terms: what leads from a clause to others, and that no text makes it fail."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.clauses import ParsedClause
from casewright.corpus.crossreferences import Followed, Places, printed_references, references_of
from casewright.corpus.definitions import MAX_USED, Glossary, Source
from casewright.corpus.documents import parse_document
from casewright.corpus.elsewhere import Elsewhere
from casewright.corpus.grammar import parse_label
from casewright.corpus.links import ClauseLinks, UsedTerm, linked
from tests.unit.corpus.formats.rendering import FORMATS, Sample
from tests.unit.corpus.formats.test_same_clauses import FIELDS, block, parsed

LABELS = (
    "§ 1005.2(b)(1)",
    "§ 1005.2(b)(2)",
    "§ 1005.2(b)(3)",
    "§ 1005.6(b)(1)",
    "§ 1005.6(b)(2)",
    "§ 1005.7(a)",
    "§ 1005.8",
    "§ 1005.10(b)",
    "§ 1005.10(d)",
    "§ 1005.10(e)",
    "Appendix A to Part 1005 p1",
    "Comment 6(b)(1)-2",
    "3.1",
    "3.2(a)",
    "5.1",
)
PLACES = Places.of(LABELS)
steps = st.from_regex(r"\((?:[a-h]|[0-9]{1,2})\)", fullmatch=True)


def followed(text: str, label: str = "§ 1005.2(a)") -> list[tuple[str, str]]:
    return [(each.text, each.target) for each in references_of(text, label, PLACES)]


@pytest.mark.proves("A1")
@pytest.mark.parametrize(
    ("text", "label", "found"),
    [
        ("as in § 1005.6(b)(1).", "3.1", [("§ 1005.6(b)(1)", "§ 1005.6(b)(1)")]),
        ("under §§ 1005.7 and 1005.8, or", "3.1", [("§ 1005.7", "§ 1005.7(a)"), ("§ 1005.8", "§ 1005.8")]),
        (
            "see § 1005.2(b)(1), (2), and (3) first",
            "3.1",
            [(f"§ 1005.2(b)({n})", f"§ 1005.2(b)({n})") for n in (1, 2, 3)],
        ),
        (
            "§ 1005.10(b), (d), and (e)",
            "3.1",
            [(f"§ 1005.10({n})", f"§ 1005.10({n})") for n in ("b", "d", "e")],
        ),
        (
            "paragraphs (b)(1) and (2) of this section",
            "§ 1005.6(a)",
            [("§ 1005.6(b)(1)", "§ 1005.6(b)(1)"), ("§ 1005.6(b)(2)", "§ 1005.6(b)(2)")],
        ),
        ("under paragraph (b)(1)", "Comment 6(b)(1)-3", [("§ 1005.6(b)(1)", "§ 1005.6(b)(1)")]),
        ("See comment 6(b)(1)-2.", "§ 1005.8", [("Comment 6(b)(1)-2", "Comment 6(b)(1)-2")]),
        ("set forth in appendix A of this part", "§ 1005.8", [("Appendix A", "Appendix A to Part 1005 p1")]),
        ("under clause 3.1, 10 business days", "5.1", [("3.1", "3.1")]),
        ("clauses 3.1 and 3.2(a) apply", "5.1", [("3.1", "3.1"), ("3.2(a)", "3.2(a)")]),
        ("deny it under section 3 or", "5.1", [("3", "3.1")]),
        ("12 CFR 1026.12(a) applies", "5.1", [("§ 1026.12(a)", "")]),
        ("section 910 of the Consumer Protection Act", "5.1", []),
        ("FDCPA section 805(c)", "5.1", []),
        ("the limit is 3.1 percent in 10 days (see above)", "5.1", []),
        ("clause 5.1 itself", "5.1", []),
    ],
)
def test_a_printed_reference_leads_to_its_clause(text: str, label: str, found: list[tuple[str, str]]) -> None:
    assert followed(text, label) == found


@pytest.mark.proves("A1")
def test_a_label_of_another_document_is_never_taken_for_one_of_its_own() -> None:
    (found,) = references_of("escalated under clause 3.1 of the Evidence Standards.", "5.1", PLACES)
    assert (found.text, found.target, found.document) == ("3.1", "", "Evidence Standards")
    rows = [
        {
            "document_id": "hl-evidence",
            "title": "Evidence Standards",
            "label": "3.1",
            "reference": "3.1",
            "position": 4,
        },
        {"document_id": "hl-fees", "title": "Fees", "label": "3.1", "reference": "3.1", "position": 1},
    ]
    chosen = Elsewhere(rows).find(found)
    assert chosen is not None
    assert chosen["document_id"] == "hl-evidence"
    assert Elsewhere(rows).find(Followed(text="3.1", target="")) is None
    both = [row | {"reference": "1026.13", "document_id": name} for row, name in zip(rows, "ab", strict=True)]
    assert Elsewhere(both[:1]).find(Followed(text="§ 1026.13", target="")) == both[0]
    assert Elsewhere(both).find(Followed(text="§ 1026.13", target="")) is None


@settings(deadline=None)
@given(st.lists(steps, min_size=1, max_size=4))
def test_every_label_of_a_document_is_found_again_where_it_is_printed(given_steps: list[str]) -> None:
    label = "§ 1005.9" + "".join(given_steps)
    places = Places.of([label])
    for text in (f"as {label} says", f"12 CFR {label[2:]},", f"section {label[2:]} applies"):
        assert [each.target for each in references_of(text, "x", places)] == [label]


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(
                ["§ ", "§§ ", "1005.6", "(b)", "(i)", " and ", ", ", "clause ", "section ", "-2", "3", " of the Act"]
            ),
            max_size=24,
        ).map("".join),
    )
)
def test_no_text_makes_the_search_of_references_fail_and_each_one_is_a_label(text: str) -> None:
    for printed in printed_references(text, ("§ 1005.2",)):
        assert all(parse_label(each) is not None for each in printed.readings)
    for each in references_of(text, "§ 1005.2(a)", PLACES):
        assert each.target == "" or each.target in LABELS


def glossary(*clauses: tuple[str, str]) -> tuple[Glossary, list[Source]]:
    sources = [Source(label=label, position=place, text=text) for place, (label, text) in enumerate(clauses)]
    return Glossary.of(sources), sources


def used(found: Glossary, label: str, text: str, position: int = 99) -> list[tuple[str, str]]:
    return [(each.term, each.label) for each in found.used_in(Source(label=label, position=position, text=text))]


@pytest.mark.proves("A1")
@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("“Business day” means any day on which the offices are open.", ["Business day"]),
        (
            "General definition. “Remittance transfer provider” or “provider” means any person.",
            ["Remittance transfer provider", "provider"],
        ),
        ('For purposes of this section, the term "account" means a card.', ["account"]),
        ("The term “error” means:", ["error"]),
        ("Good faith estimate or GFE means an estimate of charges.", ["Good faith estimate", "GFE"]),
        ("Servicing means receiving any scheduled payment.", ["Servicing"]),
        ("An error, for this policy, is any of the following:", ["error"]),
        ("This means an error.", []),
        ("By other means a customer may write.", []),
        ("A consumer may use any reasonable means.", []),
        ("“Provide” it at once.", []),
    ],
)
def test_a_definition_is_known_by_its_words(text: str, terms: list[str]) -> None:
    found, _ = glossary(("1.1", text))
    assert [each.term for places in found.by_words.values() for each in places] == terms


@pytest.mark.proves("A1")
def test_a_clause_carries_the_definitions_that_hold_for_it() -> None:
    found, sources = glossary(
        ("§ 1005.2(b)", "“Account” means a demand deposit."),
        ("§ 1005.2(d)", "“Business day” means any day on which the offices are open."),
        ("§ 1005.2(m)", "“Electronic fund transfer” means a transfer."),
        ("§ 1005.6(b)", "The consumer must act within two business days."),
        ("§ 1005.15(a)", "For purposes of this section, the term “account” means an account of an agency."),
        ("§ 1005.30(b)", "“Business day” means any day on which a provider is open."),
        ("Comment 2(d)-1", "The term “business day” includes a whole day."),
    )
    business_days = "within two business days"
    assert used(found, "§ 1005.6(b)", business_days, 3) == [("Business day", "§ 1005.2(d)")]
    assert used(found, "§ 1005.31(b)", business_days, 7) == [("Business day", "§ 1005.30(b)")]
    assert used(found, "Comment 6(b)-1", business_days, 8) == [("Business day", "§ 1005.2(d)")]
    assert used(found, "§ 1005.15(c)", "the account's holder", 4) == [("account", "§ 1005.15(a)")]
    assert used(found, "§ 1005.6(b)", "the account's holder", 3) == [("Account", "§ 1005.2(b)")]
    assert used(found, "§ 1005.6(b)", "electronic fund transfers", 3) == [("Electronic fund transfer", "§ 1005.2(m)")]
    assert used(found, "§ 1005.6(b)", "accountants and accounting", 3) == []
    assert found.used_in(sources[0]) == ()


@pytest.mark.proves("A1")
def test_a_clause_that_uses_everything_carries_the_first_terms_only() -> None:
    words = [f"word{chr(97 + number)}" for number in range(20)]
    found, _ = glossary(*((f"1.{place}", f"“{word}” means a thing.") for place, word in enumerate(words)))
    assert [term for term, _ in used(found, "9.1", " ".join(words))] == words[:MAX_USED]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.text(max_size=60), st.text('“” "means or the Aab.:', max_size=60)), max_size=6))
def test_no_text_makes_the_glossary_fail(texts: list[str]) -> None:
    found, sources = glossary(*((f"1.{place}", text) for place, text in enumerate(texts)))
    labels = {source.label for source in sources}
    for source in sources:
        assert all(each.label in labels - {source.label} for each in found.used_in(source))


@given(
    st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=4),
    st.lists(st.tuples(st.text(), st.text()), max_size=4),
)
def test_links_are_stored_and_read_back_the_same(
    references: list[tuple[str, str, str]], terms: list[tuple[str, str]]
) -> None:
    links = ClauseLinks(
        references=tuple(Followed(text=text, target=target, document=name) for text, target, name in references),
        terms=tuple(UsedTerm(term=term, label=label) for term, label in terms),
    )
    assert ClauseLinks.from_text(links.to_text()) == links


@pytest.mark.proves("A1")
@pytest.mark.parametrize("ending", FORMATS)
def test_references_and_terms_are_the_same_in_every_format(ending: str) -> None:
    given_blocks = Sample(
        fields=FIELDS,
        blocks=(
            block("heading", "Fee Refund Policy", level=1),
            block("heading", "1 Scope", level=2),
            block("paragraph", "“Business day” means a day on which the branches of the bank are open.", label="1.1"),
            block("heading", "2 Time", level=2),
            block("paragraph", "A refund is paid within five business days, unless clause 2.2 applies.", label="2.1"),
            block("paragraph", "A refund of a fee under section 1 may take longer.", label="2.2"),
        ),
    )
    found = {
        clause.label: clause.links for clause in parsed(FORMATS[ending](given_blocks), ending, given_blocks).clauses
    }
    assert found["2.1"].terms == (UsedTerm(term="Business day", label="1.1"),)
    assert found["2.1"].references == (Followed(text="2.2", target="2.2"),)
    assert found["2.2"].references == (Followed(text="1", target="1.1"),)


@pytest.mark.proves("A1")
def test_nearly_all_references_of_a_real_regulation_lead_somewhere(shared: Path) -> None:
    content = (shared / "corpora" / "us-consumer-finance" / "reg-1005-2016-24506.md").read_bytes()
    clauses = parse_document(content, tenant="us").clauses
    by_label: dict[str, ParsedClause] = {clause.label: clause for clause in clauses}
    references = [each for clause in clauses for each in clause.links.references]
    assert len(references) > 900
    within = [each for each in references if each.text.startswith("§ 1005")]
    assert sum(bool(each.target) for each in within) / len(within) > 0.98
    assert sum(bool(each.target) for each in references) / len(references) > 0.94
    assert {each.target for each in references if each.target} <= set(by_label)
    determined = by_label["§ 1005.11(c)(1)"].links
    assert UsedTerm(term="Business day", label="§ 1005.2(d)") in determined.terms
    assert UsedTerm(term="error", label="§ 1005.11(a)(1)") in determined.terms
    assert linked(clauses) == clauses
