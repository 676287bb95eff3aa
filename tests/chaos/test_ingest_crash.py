"""kill -9 at any moment of an ingest: the state before goes on answering, and the next ingest ends the work."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from tests.integration.corpus.indexed import APPROVED, filters

CHECKOUT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("ingest_child.py")
TODAY = filters("harborline", "2026-01-01")
KILLS = 20
MOST_ROUNDS = 60
"""Some end before their kill; that so many do is not to be expected."""
DOCUMENTS = 12


def write(folder: Path, number: int, round_number: int) -> None:
    """One document whose every clause names the round it was written in."""
    clauses = "\n\n".join(
        f"**{number}.{clause}** The limit number {clause} of round {round_number} is kept." for clause in range(1, 41)
    )
    head = f"---\ntitle: Limits {number}\ndocument_id: hl-{number}\nversion: '1'\neffective_from: 2020-01-01\n"
    text = f"{head}status: published\n---\n\n# Limits {number}\n\n{clauses}\n"
    temporary = folder / f".{number}.tmp"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / f"hl-{number}.md")


def rounds_seen(corpus: Corpus) -> set[str]:
    """The rounds that the whole index speaks of: one, unless a state was half written."""
    found = set[str]()
    for number in range(DOCUMENTS):
        hits = corpus.search(f"{number}.7", TODAY, limit=50).hits
        exact = [hit for hit in hits if hit.label == f"{number}.7"]
        assert len(exact) == 1, number
        found.add(exact[0].text.split()[-3])
    return found


class Reader(threading.Thread):
    """Searches without pause, as a running server does, and keeps what went wrong."""

    def __init__(self, corpus: Corpus) -> None:
        super().__init__()
        self._corpus = corpus
        self.stopped = threading.Event()
        self.answers = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                if len(self._corpus.search("limit kept", TODAY).hits) != 10:
                    self.wrong.append("too few hits")
            except Exception as error:  # noqa: BLE001 whatever it is, it goes into the report
                self.wrong.append(repr(error))
            self.answers += 1


@pytest.mark.thorough
@pytest.mark.timeout(900)
@pytest.mark.proves("A1")
def test_an_ingest_killed_twenty_times_leaves_the_index_answering(tmp_path: Path) -> None:
    documents, index = tmp_path / "documents", tmp_path / "index"
    documents.mkdir()
    for number in range(DOCUMENTS):
        write(documents, number, 0)
    corpus = Corpus(index)
    corpus.ingest([documents], tenant="harborline", submission=APPROVED)
    duration = _undisturbed(documents, index)
    chosen = random.Random(20261121)
    reader = Reader(Corpus(index))
    reader.start()
    try:
        killed, round_number = 0, 1
        while killed < KILLS and round_number < MOST_ROUNDS:
            round_number += 1
            for number in range(DOCUMENTS):
                write(documents, number, round_number)
            was_killed, seconds = _killed(documents, index, after_seconds=chosen.uniform(0, duration))
            killed += was_killed
            duration = duration if was_killed else min(duration, seconds)  # the machine may have done more before
            assert len(rounds_seen(corpus)) == 1
        assert killed == KILLS, "too many ended before their kill; was the machine far quicker than before?"
    finally:
        reader.stopped.set()
        reader.join(60)
    assert reader.wrong == []
    assert reader.answers > KILLS
    corpus.ingest([documents], tenant="harborline", submission=APPROVED)
    assert rounds_seen(corpus) == {str(round_number)}


def _start(documents: Path, index: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(index), str(documents)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    return child


def _undisturbed(documents: Path, index: Path) -> float:
    """How long an ingest of everything takes when it is left alone."""
    for number in range(DOCUMENTS):
        write(documents, number, 1)
    child = _start(documents, index)
    started = time.monotonic()
    child.communicate(timeout=120)
    assert child.returncode == 0
    return time.monotonic() - started


def _killed(documents: Path, index: Path, *, after_seconds: float) -> tuple[bool, float]:
    """Whether the ingest was killed before it ended, and the seconds it took until then."""
    child = _start(documents, index)
    started = time.monotonic()
    try:
        child.wait(timeout=after_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
    child.communicate(timeout=60)
    return child.returncode == -signal.SIGKILL, time.monotonic() - started
