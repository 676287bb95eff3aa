"""Made corpora: as large as asked, all different, the same for the same seed."""

from collections import Counter
from pathlib import Path

import pytest

from casewright.corpus.documents import ParsedDocument, parse_document
from casewright.corpus.labels import references
from casewright.corpus.scale import AS_OF, TENANTS, Material, Scaling, questions
from casewright.errors import InputError

SAMPLE = Path(__file__).resolve().parents[3] / "casewright" / "sample"
CLAUSES = 900


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.read([SAMPLE / tenant / "documents" for tenant in TENANTS])


@pytest.fixture(scope="module")
def made(material: Material, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[ParsedDocument]]:
    """The documents by tenant, read as ingest reads them."""
    scaled = Scaling(material=material, seed=7).write(tmp_path_factory.mktemp("scaled"), clauses=CLAUSES)
    assert scaled.clauses == CLAUSES
    return {
        tenant: [parse_document(path.read_bytes(), tenant=tenant) for path in sorted(folder.iterdir())]
        for tenant, folder in scaled.folders.items()
    }


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.md")}


@pytest.mark.proves("A9")
def test_exactly_so_many_clauses_are_made_and_no_text_twice(made: dict[str, list[ParsedDocument]]) -> None:
    texts = Counter(clause.text for each in made.values() for document in each for clause in document.clauses)
    assert sum(texts.values()) == CLAUSES
    assert max(texts.values()) == 1


@pytest.mark.proves("A9")
def test_every_prefilter_lets_some_of_it_through_and_stops_some(made: dict[str, list[ParsedDocument]]) -> None:
    assert all(len(documents) > 2 for documents in made.values())
    matters = [document.matter for documents in made.values() for document in documents]
    assert len({matter.labels for matter in matters}) > 1
    assert {matter.effective_from <= AS_OF for matter in matters} == {True, False}
    versions = Counter(matter.document_id for matter in matters)
    assert {1, 2} <= set(versions.values())


@pytest.mark.proves("A9")
def test_labels_keep_their_structure_so_that_clauses_have_parents(made: dict[str, list[ParsedDocument]]) -> None:
    clauses = [clause for each in made.values() for document in each for clause in document.clauses]
    assert sum(bool(clause.parents) for clause in clauses) > CLAUSES / 20


def test_a_seed_makes_the_same_documents_again_and_another_seed_others(material: Material, tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        Scaling(material=material, seed=seed).write(tmp_path / name, clauses=120)
    assert content(tmp_path / "one") == content(tmp_path / "again")
    assert content(tmp_path / "one").values() != content(tmp_path / "other").values()


def test_questions_are_of_different_words_and_every_tenth_names_a_clause(material: Material) -> None:
    asked = questions(material, ["§ 1001.3(b)(2)"], amount=50, seed=3)
    assert asked == questions(material, ["§ 1001.3(b)(2)"], amount=50, seed=3)
    assert len(set(asked)) > 35
    naming = [bool(references(question.split())) and "1001.3" in question for question in asked]
    assert naming == [number % 10 == 9 for number in range(50)]


def test_documents_without_numbered_labels_are_no_material(tmp_path: Path) -> None:
    document = (
        "---\ntitle: T\ndocument_id: d\nversion: '1'\neffective_from: 2020-01-01\nstatus: published\n---\n\nWords.\n"
    )
    (tmp_path / "d.md").write_text(document, encoding="utf-8")
    with pytest.raises(InputError, match="no clauses with numbered labels"):
        Material.read([tmp_path])
