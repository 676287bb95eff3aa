"""Text to vectors: the seam, and the static table that ships with the package.

A static embedding is the mean of one stored vector per word piece (Model2Vec; the table
already carries SIF weights), so it needs no download, no accelerator and no network.
Safe to share among threads: what is remembered of words is only ever added to.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from casewright.errors import StorageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

MODEL_FOLDER = Path(__file__).parent / "models" / "static-minilm-256"
_BATCH = 2_048
_KNOWN_WORDS = 50_000
"""At about so many remembered words, some ten megabytes, remembering begins anew."""
_MAX_CHARACTERS = 20_000
"""Beyond this a text adds nothing to its mean."""
_LINES = str.maketrans("\t\n\r", "   ")
"""White space that the tokenizer takes for spaces."""


class Embedder(Protocol):
    """Turns texts into unit vectors and says how much a word tells."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """One row of unit length per text; a text without known words is a zero row."""
        ...

    def weight(self, word: str) -> float:
        """How much the word tells: near 0 for `the`, 1 or more for rare words."""
        ...


class StaticEmbedder:
    """The int8 table in `folder`, dequantized once."""

    def __init__(self, folder: Path) -> None:
        """Load the table and its tokenizer.

        Raises:
            StorageError: the model files are missing or damaged.
        """
        import numpy as np

        self.name = folder.name
        self._tokenizer, table = _load(folder)
        self._table: Vectors = table.astype(np.float32)
        self.dimensions = int(self._table.shape[1])
        norms = np.linalg.norm(self._table, axis=1)
        self._norms: Vectors = (norms / float(np.percentile(norms[norms > 0], 75))).astype(np.float32)
        self._unknown: int = self._tokenizer.token_to_id("[UNK]")
        self._known: dict[str, tuple[int, ...]] = {}

    def embed(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            for offset, ids in enumerate(self._pieces(batch)):
                if ids:
                    rows[start + offset] = np.add.reduce(self._table.take(ids, axis=0), axis=0) / np.float32(len(ids))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths > 0, lengths, np.float32(1.0)).astype(np.float32)

    def weight(self, word: str) -> float:
        pieces = next(iter(self._pieces((word,))))
        return max((float(self._norms[piece]) for piece in pieces), default=1.0)

    def _pieces(self, texts: Sequence[str]) -> Iterable[list[int]]:
        """The word pieces of each text, but unknown ones.

        What stands between two spaces has the same pieces wherever it stands, and most of it is seen again and again,
        so it is remembered. Text with other white space or hidden characters is cut as a whole.
        """
        shortened = [text[:_MAX_CHARACTERS].translate(_LINES) for text in texts]
        split = [text.split(" ") if text.isprintable() else [] for text in shortened]
        known = self._known if len(self._known) < _KNOWN_WORDS else {}
        new = list({word for words in split for word in words if word not in known})
        known |= zip(new, self._cut(new), strict=True)
        self._known = known
        for text, words in zip(shortened, split, strict=True):
            yield [piece for word in words for piece in known[word]] if words else list(self._cut([text])[0])

    def _cut(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        found = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [tuple(piece for piece in encoding.ids if piece != self._unknown) for encoding in found]


def _load(folder: Path) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]
    from tokenizers import Tokenizer

    try:
        source = (folder / "tokenizer.json").read_text(encoding="utf-8")
        json.loads(source)
        table = load_file(folder / "model.safetensors")["embeddings"]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise StorageError(
            f"the embedding model in {str(folder)!r} cannot be read ({error}); install the package again"
        ) from error
    tokenizer = Tokenizer.from_str(source)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, table


@lru_cache(maxsize=1)
def default_embedder() -> StaticEmbedder:
    """The table that ships with the package, loaded on first use and kept."""
    return StaticEmbedder(MODEL_FOLDER)
