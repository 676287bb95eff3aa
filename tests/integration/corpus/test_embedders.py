"""Another embedder behind the same search: chosen by name, remembered by the index, never mixed with another."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lancedb.embeddings import TextEmbeddingFunction, register  # pyright: ignore[reportUnknownVariableType]

from casewright.corpus.corpus import Corpus
from casewright.corpus.embedders import ModelEmbedder, embedder_named
from casewright.corpus.embedding import MODEL_FOLDER, default_embedder
from casewright.corpus.state import read_state
from casewright.corpus.words import words
from casewright.errors import InputError, StorageError
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")
REGISTERED = "lancedb:casewright-test-hashed-words"
DIMENSIONS = 48
TEXT = "**1.1** A lobster dinner is reimbursed within ten days.\n\n**1.2** The daily limit for cards is 50 USD."


def hashed(text: str) -> "np.ndarray[Any, Any]":
    """A vector that counts words by their hash: a model small enough to stand here."""
    row = np.zeros(DIMENSIONS, dtype=np.float32)
    for word in words(text.casefold()):
        row[hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 3.0
    return row


@register("casewright-test-hashed-words")
class HashedWords(TextEmbeddingFunction):
    """A function as people write them for LanceDB's registry."""

    name: str = "plain"

    def ndims(self) -> int:
        return DIMENSIONS

    def generate_embeddings(self, texts: Any, *args: Any, **kwargs: Any) -> list[Any]:
        assert self.name in ("plain", "other")
        return [hashed(text) for text in texts]


@pytest.mark.proves("A2")
def test_any_function_of_the_registry_embeds_the_index_and_its_questions(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index", embedder=REGISTERED)
    report = corpus.ingest([write_document(TEXT)], tenant="harborline", submission=APPROVED)
    assert report.ingested == 1
    state = read_state(tmp_path / "index")
    assert state is not None
    assert state.embedder == REGISTERED
    assert corpus.search("When is a lobster dinner reimbursed?", TODAY).hits[0].label == "1.1"
    again = Corpus(tmp_path / "index", embedder=REGISTERED)
    assert again.search("daily limit for cards", TODAY).hits[0].label == "1.2"


@pytest.mark.proves("A2")
def test_an_index_is_never_searched_or_extended_with_another_embedder(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    folder = tmp_path / "index"
    document = write_document(TEXT)
    Corpus(folder, embedder=REGISTERED).ingest([document], tenant="harborline", submission=APPROVED)
    before = read_state(folder)
    for other in ("", f"{REGISTERED}:other"):
        wrong = Corpus(folder, embedder=other)
        for call in (
            lambda corpus=wrong: corpus.search("lobster", TODAY),
            lambda corpus=wrong: corpus.ingest([document], tenant="harborline", submission=APPROVED),
        ):
            with pytest.raises(StorageError, match=rf"set CASEWRIGHT_EMBEDDER={REGISTERED}, or move the index folder"):
                call()
    assert read_state(folder) == before
    assert Corpus(folder).clause(TODAY, document_id="hl-limits", label="1.1").clause.label == "1.1"
    shipped = Corpus(tmp_path / "shipped", embedder=MODEL_FOLDER.name)
    shipped.ingest([document], tenant="harborline", submission=APPROVED)
    assert Corpus(tmp_path / "shipped", embedder="static").search("lobster dinner", TODAY).hits[0].label == "1.1"
    with pytest.raises(StorageError, match=rf"set CASEWRIGHT_EMBEDDER={MODEL_FOLDER.name}"):
        Corpus(tmp_path / "shipped", embedder=REGISTERED).search("lobster", TODAY)


@pytest.mark.parametrize("name", ["fastembed", "fastembed:", "openai:x", ":x", "lancedb:", "STATIC"])
def test_a_name_that_is_no_embedder_says_which_there_are(name: str) -> None:
    with pytest.raises(InputError, match="'static', 'fastembed:MODEL'"):
        embedder_named(name)


def test_a_function_that_is_not_registered_and_a_library_that_is_not_there_are_named() -> None:
    with pytest.raises(StorageError, match=r"cannot be loaded .*no-such-function"):
        embedder_named("lancedb:no-such-function")
    with pytest.raises(InputError, match=r"fastembed:x' needs a library that is not installed.*install it"):
        embedder_named("fastembed:x")


class StrictLibrary(ModuleType):
    """The part of an embedding library that we call, as its documentation has it; any other use fails."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        library = self

        class TextEmbedding:
            def __init__(self, *, model_name: str) -> None:
                library.asked.append((model_name, {}))

            def embed(self, documents: list[str]) -> Iterator[Any]:
                yield from (hashed(text) for text in documents)

        class SentenceTransformer:
            def __init__(self, model_name_or_path: str, *, trust_remote_code: bool) -> None:
                library.asked.append((model_name_or_path, {"trust_remote_code": trust_remote_code}))

            def encode(self, sentences: list[str], *, convert_to_numpy: bool, show_progress_bar: bool) -> Any:
                assert (convert_to_numpy, show_progress_bar) == (True, False)
                return np.stack([hashed(text) for text in sentences])

        if name == "fastembed":
            self.TextEmbedding = TextEmbedding
        else:
            self.SentenceTransformer = SentenceTransformer


@pytest.mark.parametrize(
    ("library", "kind", "options"),
    [("fastembed", "fastembed", {}), ("sentence_transformers", "sentence-transformers", {"trust_remote_code": False})],
)
def test_local_models_are_loaded_by_name_without_running_code_of_theirs(
    monkeypatch: pytest.MonkeyPatch, library: str, kind: str, options: dict[str, Any]
) -> None:
    double = StrictLibrary(library)
    monkeypatch.setitem(sys.modules, library, double)
    embedder_named.cache_clear()
    embedder = embedder_named(f"{kind}:maker/model-1")
    embedder_named.cache_clear()
    assert double.asked == [("maker/model-1", options)]
    assert (embedder.name, embedder.dimensions) == (f"{kind}:maker/model-1", DIMENSIONS)
    rows = embedder.embed(["lobster dinner", "", "daily limit", *(["filler"] * 600)])
    assert rows.shape == (603, DIMENSIONS)
    assert np.allclose(np.linalg.norm(rows, axis=1), [1.0, 0.0, *([1.0] * 601)], atol=1e-6)
    assert embedder.weight("lobster") == default_embedder().weight("lobster")


ODD: dict[str, Callable[[Sequence[str]], Any]] = {
    "nothing": lambda texts: [],
    "too many": lambda texts: [hashed(text) for text in (*texts, "one more")],
    "not numbers": lambda texts: [float("nan") * hashed(text) for text in texts],
    "empty": lambda texts: [hashed(text)[:0] for text in texts],
    "other dimensions": lambda texts: [hashed(text)[: 3 + len(texts)] for text in texts],
    "words": lambda texts: ["words" for _ in texts],
    "flat": lambda texts: [1.0 for _ in texts],
}


@pytest.mark.parametrize("given", ODD)
def test_what_a_model_gives_is_checked_before_it_is_believed(given: str) -> None:
    with pytest.raises(StorageError, match="embedder 'odd'"):
        ModelEmbedder("odd", ODD[given]).embed(["one text", "another text"])
