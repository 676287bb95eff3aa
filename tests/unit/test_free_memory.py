"""What was freed goes back to the operating system where the C library can do that."""

import ctypes
import sys
from pathlib import Path

import pytest

from casewright.free_memory import give_back

PIECE = 32_768
"""Bytes: too few for a mapping of its own, so that it comes from the heap."""
PIECES = 1_500


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc alone gives back"
)
def test_pieces_that_are_free_between_others_go_back_to_the_system() -> None:
    pieces = [ctypes.create_string_buffer(PIECE) for _ in range(PIECES)]
    del pieces[::2]  # the heap cannot shrink below what still stands at its end
    before = resident_kb()
    give_back()
    assert before - resident_kb() > PIECE * PIECES / 2 / 1024 / 2
    assert len(pieces) == PIECES // 2


def resident_kb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4
