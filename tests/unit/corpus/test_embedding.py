"""The static embedding: a mean of word pieces, the same whether they were remembered or cut anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.embedding import MODEL_FOLDER, StaticEmbedder, default_embedder

WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["§ 1005.11(c)(2)", "naïve", "“unless”", "re-\u0301enter", "支払 期限", "ΟΔΟΣ", "a\tb\r\nc"]),
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)


def cut_whole(embedder: StaticEmbedder, text: str) -> list[int]:
    """The pieces of the text by the tokenizer itself, at once."""
    (encoding,) = embedder._tokenizer.encode_batch_fast([text], add_special_tokens=False)  # pyright: ignore[reportPrivateUsage]
    return [piece for piece in encoding.ids if piece != embedder._unknown]  # pyright: ignore[reportPrivateUsage]


@pytest.mark.proves("A2")
@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=4))
def test_remembered_words_have_the_pieces_of_the_whole_text(texts: list[str]) -> None:
    embedder = default_embedder()
    assert isinstance(embedder, StaticEmbedder)
    assert list(embedder._pieces(texts)) == [cut_whole(embedder, text) for text in texts]  # pyright: ignore[reportPrivateUsage]


def test_vectors_are_the_same_before_and_after_their_words_are_known() -> None:
    embedder = StaticEmbedder(MODEL_FOLDER)
    texts = ["Provisional credit within 10 business days.", "", "zzqqxx", "Notice\u2003of an error"]
    first = embedder.embed(texts)
    assert np.array_equal(first, embedder.embed(texts))
    assert np.allclose(np.linalg.norm(first[[0, 3]], axis=1), 1.0, atol=1e-5)
    assert not first[1].any()
