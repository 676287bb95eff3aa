"""Full text in memory: the word stems of every clause, and BM25 over them.

Built from the `terms` column of the table when a state is opened and never changed. Term
statistics are those of the clauses in scope, so that no score depends on what its reader
may not see. It knows nothing of documents, rights or questions; `memory` holds one.

BM25: Robertson and Zaragoza 2009, with a fixed reference length instead of an average.
"""

import math
from dataclasses import dataclass
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
        """Invert the token sequences; `offsets` says where each row begins in `hashed`."""
        import numpy as np

        count = len(offsets) - 1
        hashes = np.unique(hashed)
        numbers = np.searchsorted(hashes, hashed)
        lengths = np.diff(offsets)
        pairs = numbers * max(count, 1) + np.repeat(np.arange(count), lengths)
        pairs, frequency = np.unique(pairs, return_counts=True)
        terms, rows = np.divmod(pairs, max(count, 1))
        norm = K1 * (1 - B + B * lengths / REFERENCE_LENGTH)
        return cls(
            hashes=hashes,
            starts=np.searchsorted(terms, np.arange(len(hashes) + 1)),
            rows=rows.astype(np.int32),
            saturation=(frequency * (K1 + 1) / (frequency + norm[rows])).astype(np.float32),
            tokens=numbers.astype(np.int32),
            offsets=offsets,
            distinct=np.bincount(rows, minlength=count).astype(np.int32),
        )

    def number(self, stem: str) -> int:
        """The term's number, or `UNKNOWN`."""
        wanted = term_hash(stem)
        place = int(self.hashes.searchsorted(wanted))
        return place if place < len(self.hashes) and int(self.hashes[place]) == wanted else UNKNOWN

    def postings(self, term: int, mask: "Flags", within: slice) -> "tuple[Integers, Floats]":
        """The rows in a range that have the term and that the mask lets through, with their saturation."""
        if term == UNKNOWN:
            return self.rows[:0], self.saturation[:0]
        start, end = int(self.starts[term]), int(self.starts[term + 1])
        rows = self.rows[start:end]
        first, last = int(rows.searchsorted(int(within.start))), int(rows.searchsorted(int(within.stop)))
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


def idf(found: int, visible: int) -> float:
    """Inverse document frequency of a term that `found` of the `visible` rows have."""
    return math.log(1 + (visible - found + 0.5) / (found + 0.5))
