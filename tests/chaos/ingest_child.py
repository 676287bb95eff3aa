"""Ingests a folder into an index, over and over until it is killed; prints a line when each ingest has begun."""

import sys
from pathlib import Path

from casewright.corpus.corpus import Corpus
from tests.integration.corpus.indexed import APPROVED


def main(index: str, documents: str) -> None:
    """Ingest once, saying when the reading begins."""
    print("begun", flush=True)  # noqa: T201 the signal to the test that the clock of the kill runs
    Corpus(Path(index)).ingest([Path(documents)], tenant="harborline", submission=APPROVED)


if __name__ == "__main__":
    main(*sys.argv[1:])
