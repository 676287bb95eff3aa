"""Count the word pieces of a text, as the shipped embedder sees them.

Loads the tokenizer alone, without the table of vectors. Called by `clauses` for long texts.
"""

from functools import lru_cache
from typing import Any

from casewright.errors import StorageError


def token_count(text: str) -> int:
    """The number of word pieces.

    Raises:
        StorageError: the tokenizer that ships with the package is missing or damaged.
    """
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    from casewright.corpus.embedding import MODEL_FOLDER

    path = MODEL_FOLDER / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise StorageError(
            f"the tokenizer {path.name!r} cannot be loaded ({error}); install Casewright again"
        ) from error
    tokenizer.no_truncation()
    return tokenizer
