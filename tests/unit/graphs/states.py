"""States of runs as tests write them."""

from typing import cast

from graphs.state import ReviewState, ReviewUpdate


def state(*updates: ReviewUpdate, **fields: object) -> ReviewState:
    """A state with what a run knows from the start, and the given fields."""
    known: dict[str, object] = {"run_id": "run-1", "case_id": "c-1", "tenant": "t-1", "subject": "rosa"}
    for update in updates:
        known |= update
    return cast(ReviewState, known | fields)
