"""Feedback as JSON Lines, one example of an evaluation per line; see `docs/feedback.md`.

Who said it is left out. Whoever exports decides before which of it may be read.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from casewright.clock import iso
from casewright.contracts.feedback import Feedback, FeedbackExample
from casewright.errors import StorageError


def example(given: Feedback) -> FeedbackExample:
    """What is worth keeping of one feedback for an evaluation."""
    return FeedbackExample(
        id=given.feedback_id,
        at=iso(given.at_ns),
        kind=given.kind,
        tenant=given.tenant,
        answered=given.about,
        wrong=given.text,
        wrong_citation=given.citation,
    )


def write_examples(path: Path, given: Iterable[Feedback]) -> int:
    """Write the examples; how many. The file appears whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    count = 0
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as lines:
            for item in given:
                lines.write(example(item).model_dump_json() + "\n")
                count += 1
            lines.flush()
            os.fsync(lines.fileno())
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"the export {str(path)!r} cannot be written: {error}; name another file") from error
    finally:
        partial.unlink(missing_ok=True)
    return count
