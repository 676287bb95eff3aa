"""Other embedders than the one that ships, by name: `CASEWRIGHT_EMBEDDER` chooses, the index remembers.

    static                                      the table that ships; the default
    fastembed:BAAI/bge-small-en-v1.5            ONNX models on this machine
    sentence-transformers:MODEL-OR-FOLDER       PyTorch models on this machine
    lancedb:openai:text-embedding-3-small       any function of LanceDB's registry, its own ones and yours

The libraries are not installed with Casewright and are imported when an embedder is first used. What a model
gives is checked and brought to unit length here. How much a word tells always comes from the shipped table, since no
other model says. The ranker's weights were fitted with that table too: measure before you change the embedder.
Called by `corpus.Corpus`; the index is never searched with another embedder than it was made with.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from casewright.corpus.embedding import MODEL_FOLDER, Embedder, default_embedder
from casewright.errors import InputError, StorageError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Vectors

STATIC = "static"
VARIABLE = "CASEWRIGHT_EMBEDDER"
_BATCH = 256
_MAX_DIMENSIONS = 8_192
Encode = Callable[[Sequence[str]], Iterable[Any]]


class ModelEmbedder:
    """A model of another library behind our Protocol."""

    def __init__(self, name: str, encode: Encode) -> None:
        """Ask the model for one vector, which tells its dimensions.

        Raises:
            StorageError: what it gives are no vectors.
        """
        self.name = name
        self._encode = encode
        self.dimensions = 0
        self.dimensions = int(self._checked(["dimensions"]).shape[1])

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """One row of unit length per text; an empty text, or one without words for the model, is a zero row."""
        import numpy as np

        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        wanted = [place for place, text in enumerate(texts) if text.strip()]
        for start in range(0, len(wanted), _BATCH):
            places = wanted[start : start + _BATCH]
            rows[places] = self._checked([texts[place] for place in places])
        return rows

    def weight(self, word: str) -> float:
        """How much the word tells, by the table that ships."""
        return default_embedder().weight(word)

    def _checked(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        try:
            rows = np.asarray(list(self._encode(texts)), dtype=np.float32)
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise StorageError(
                f"the embedder {self.name!r} failed ({str(error)[:200]}); see that its model and its service are there"
            ) from error
        fits = rows.ndim == 2 and len(rows) == len(texts) and 0 < rows.shape[1] <= _MAX_DIMENSIONS
        if not fits or (self.dimensions and rows.shape[1] != self.dimensions) or not np.isfinite(rows).all():
            raise StorageError(
                f"the embedder {self.name!r} gave an array of shape {rows.shape!r} for {len(texts)} texts, or numbers "
                f"that are none; set {VARIABLE} to a model that gives one vector per text"
            )
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths > 0, lengths, np.float32(1.0)).astype(np.float32)


@lru_cache(maxsize=4)
def embedder_named(name: str) -> Embedder:
    """The embedder of this name, loaded on first use and kept.

    Raises:
        InputError: there is no such kind of embedder, or its library is not installed.
        StorageError: its model cannot be loaded.
    """
    if name in ("", STATIC, MODEL_FOLDER.name):
        return default_embedder()
    kind, _, model = name.partition(":")
    loader = _LOADERS.get(kind)
    if loader is None or not model:
        raise InputError(
            f"{VARIABLE}={name!r} is no embedder; write 'static', 'fastembed:MODEL', 'sentence-transformers:MODEL' or "
            "'lancedb:FUNCTION' or 'lancedb:FUNCTION:MODEL'"
        )
    try:
        encode = loader(model)
    except ImportError as error:
        raise InputError(
            f"{VARIABLE}={name!r} needs a library that is not installed ({error}); install it beside Casewright, or "
            "choose 'static'"
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise StorageError(
            f"the model of {VARIABLE}={name!r} cannot be loaded ({str(error)[:200]}); check its name and that it is "
            "on this machine or can be fetched"
        ) from error
    return ModelEmbedder(name, encode)


def refuse_other(made_with: str, embedder: Embedder) -> None:
    """Refuse an index that another embedder made: vectors of two models mean nothing to each other.

    Raises:
        StorageError: with both ways out.
    """
    if made_with != embedder.name:
        raise StorageError(
            f"the index was made with the embedder {made_with!r}, not {embedder.name!r}; set {VARIABLE}={made_with}, "
            "or move the index folder away and run `casewright corpus ingest`"
        )


def _fastembed(model: str) -> Encode:
    loaded = _optional("fastembed").TextEmbedding(model_name=model)
    return lambda texts: loaded.embed(list(texts))


def _sentence_transformers(model: str) -> Encode:
    loaded = _optional("sentence_transformers").SentenceTransformer(model, trust_remote_code=False)
    return lambda texts: loaded.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)


def _lancedb(named: str) -> Encode:
    function, _, model = named.partition(":")
    registry = import_module("lancedb.embeddings").get_registry()
    kind = registry.get(function)
    loaded = kind.create(name=model) if model else kind.create()
    return lambda texts: loaded.compute_source_embeddings(list(texts))


def _optional(library: str) -> Any:
    """A library that whoever wants it installs; Casewright does not depend on it."""
    return import_module(library)


_LOADERS: dict[str, Callable[[str], Encode]] = {
    "fastembed": _fastembed,
    "sentence-transformers": _sentence_transformers,
    "lancedb": _lancedb,
}
