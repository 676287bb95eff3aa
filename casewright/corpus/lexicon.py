"""Full text in memory: the word stems of every clause, and BM25 over them.

Built from the `terms` column of the table when a state is opened and never changed. Term
statistics are those of the clauses in scope, so that no score depends on what its reader
may not see. It knows nothing of documents, rights or questions; `memory` holds one.

BM25: Robertson and Zaragoza 2009, with a fixed reference length instead of an average.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

from casewright.corpus.words import stem_sequence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]

K1 = 1.2
B = 0.6
REFERENCE_LENGTH = 40.0
"""Stems of a clause of ordinary length."""
UNKNOWN = -1
"""The number of a term that no clause has."""
_SIGNED = 2**31
_ROWS_AT_ONCE = 8_192
_TOKENS_AT_ONCE = 1_000_000


@lru_cache(maxsize=65_536)
def term_hash(stem: str) -> int:
    """A stem as a signed 32-bit number, equal in every process."""
    return crc32(stem.encode("utf-8", "surrogatepass")) - _SIGNED


def term_hashes(text: str) -> list[int]:
    """The stems of a text in order, stop words left out, as numbers."""
    return [term_hash(stem) for stem in stem_sequence(text)]


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Postings and token sequences of rows 0 to n-1; read only."""

    hashes: "Integers"
    """Distinct term hashes, ascending; a term's number is its place here."""
    starts: "npt.NDArray[np.int64]"
    """Where the postings of each term begin; one more entry than there are terms."""
    rows: "Integers"
    """Postings: the rows that have the term, ascending within a term."""
    saturation: "Floats"
    """Postings: the term-frequency part of BM25."""
    tokens: "Integers"
    """Term numbers of all rows, one row after the other, in reading order."""
    offsets: "npt.NDArray[np.int64]"
    """Where the tokens of each row begin; one more entry than there are rows."""
    distinct: "Integers"
    """How many different terms each row has."""

    @classmethod
    def build(cls, hashed: "Integers", offsets: "npt.NDArray[np.int64]") -> "Lexicon":
        """Invert the token sequences; `offsets` says where each row begins in `hashed`.

        Rows are taken some thousands at a time, so that a million of them need little more room than the result.
        """
        import numpy as np

        hashes = np.unique(hashed)
        tokens = np.empty(len(hashed), dtype=np.int32)
        for start in range(0, len(hashed), _TOKENS_AT_ONCE):
            part = slice(start, start + _TOKENS_AT_ONCE)
            tokens[part] = np.searchsorted(hashes, hashed[part])
        having = np.zeros(len(hashes), dtype=np.int64)
        for terms, _, _ in _occurrences(tokens, offsets):
            having += np.bincount(terms, minlength=len(hashes))
        starts = np.concatenate(([0], np.cumsum(having)))
        rows = np.empty(int(starts[-1]), dtype=np.int32)
        saturation = np.empty(len(rows), dtype=np.float32)
        distinct = np.zeros(len(offsets) - 1, dtype=np.int32)
        norm = K1 * (1 - B + B * np.diff(offsets) / REFERENCE_LENGTH)
        free = starts[:-1].copy()
        for terms, mine, frequency in _occurrences(tokens, offsets):
            first = np.flatnonzero(np.diff(terms, prepend=-1))
            runs = np.diff(first, append=len(terms))
            places = free[terms] + np.arange(len(terms)) - np.repeat(first, runs)
            free[terms[first]] += runs
            rows[places] = mine
            saturation[places] = frequency * (K1 + 1) / (frequency + norm[mine])
            np.add.at(distinct, mine, 1)
        return cls(
            hashes=hashes,
            starts=starts,
            rows=rows,
            saturation=saturation,
            tokens=tokens,
            offsets=offsets,
            distinct=distinct,
        )

    def number(self, stem: str) -> int:
        """The term's number, or `UNKNOWN`."""
        wanted = term_hash(stem)
        place = int(self.hashes.searchsorted(self.hashes.dtype.type(wanted)))  # of its own type, or all are converted
        return place if place < len(self.hashes) and int(self.hashes[place]) == wanted else UNKNOWN

    def postings(self, term: int, mask: "Flags", within: slice) -> "tuple[Integers, Floats]":
        """The rows in a range that have the term and that the mask lets through, with their saturation."""
        import numpy as np

        if term == UNKNOWN:
            return self.rows[:0], self.saturation[:0]
        start, end = int(self.starts[term]), int(self.starts[term + 1])
        rows = self.rows[start:end]
        # Places of the array's own type: any other would have the whole array converted first.
        first, last = rows.searchsorted(np.array((within.start, within.stop), dtype=rows.dtype)).tolist()
        rows = rows[first:last]
        seen = mask[rows]
        return rows[seen], self.saturation[start + first : start + last][seen]

    def has(self, term: int, rows: "npt.NDArray[Any]") -> "Flags":
        """Which of the rows have the term."""
        import numpy as np

        if term == UNKNOWN:
            return np.zeros(len(rows), dtype=np.bool_)
        postings = self.rows[int(self.starts[term]) : int(self.starts[term + 1])]
        places = np.minimum(postings.searchsorted(rows), len(postings) - 1)
        return postings[places] == rows

    def token_lists(self, rows: "npt.NDArray[Any]") -> "tuple[Integers, Integers]":
        """The tokens of the rows one after the other, and for each the index of its row in `rows`."""
        import numpy as np

        spans = [self.tokens[start:end] for start, end in zip(self.offsets[rows], self.offsets[rows + 1], strict=True)]
        owners = np.repeat(np.arange(len(rows), dtype=np.int32), [len(span) for span in spans])
        return (np.concatenate(spans) if spans else self.tokens[:0]), owners

    def lengths(self, rows: "npt.NDArray[Any]") -> "npt.NDArray[np.int64]":
        """How many tokens each of the rows has."""
        return self.offsets[rows + 1] - self.offsets[rows]


def _occurrences(
    tokens: "Integers", offsets: "npt.NDArray[np.int64]"
) -> "Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]]":
    """Terms, rows and how often the term is in the row, sorted by term and row, for some rows after the others."""
    import numpy as np

    count = len(offsets) - 1
    for start in range(0, count, _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, count)
        mine = np.repeat(np.arange(end - start), np.diff(offsets[start : end + 1]))
        pairs = tokens[offsets[start] : offsets[end]].astype(np.int64) * _ROWS_AT_ONCE + mine
        pairs, frequency = np.unique(pairs, return_counts=True)
        terms, rows = np.divmod(pairs, _ROWS_AT_ONCE)
        if len(terms):
            yield terms, rows + start, frequency


def idf(found: int, visible: int) -> float:
    """Inverse document frequency of a term that `found` of the `visible` rows have."""
    return math.log(1 + (visible - found + 0.5) / (found + 0.5))
