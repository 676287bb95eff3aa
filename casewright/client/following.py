"""Where a reader of a run's events stands, and what a broken connection means for it. It sends nothing itself."""

import httpx2

from casewright.client.calls import wait_seconds
from casewright.client.errors import ApiAnswerError, ApiUnreachableError, Problem
from casewright.client.models import RunEvent

END = "end"
_UNNAMED = "message"


class Following:
    """One reader of one run; a new connection goes on after the last event that came."""

    def __init__(self, path: str, after: int, attempts: int) -> None:
        self.path = path
        self.over = False
        """True: the run has ended, and everything was read."""
        self._last = after
        self._attempts = attempts
        self._failed = 0
        self._retry_seconds = 1.0

    @property
    def headers(self) -> dict[str, str]:
        """Of the next connection."""
        return {"accept": "text/event-stream", "last-event-id": str(self._last)}

    def take(self, event: httpx2.ServerSentEvent) -> RunEvent | None:
        """The run's event that came; None: it is none, or it is known already.

        Raises:
            ApiAnswerError: what came is no event of a run.
        """
        self._failed = 0  # the connection lives
        if event.retry is not None:
            self._retry_seconds = min(event.retry / 1_000, 60.0)
        if event.event == END:
            self.over = True
            return None
        if not event.data or event.event == _UNNAMED:
            return None
        try:
            found = RunEvent.model_validate_json(event.data)
        except ValueError as error:
            problem = Problem(status=200, name="", detail="what came is no event of a run", request_id="")
            raise ApiAnswerError(problem) from error
        if found.seq <= self._last:
            return None
        self._last = found.seq
        return found

    def broke_off(self) -> None:
        """The server ended the stream before the run had ended: its time was over.

        Raises:
            httpx2.ReadError: always, unless the run has ended; it is read on after a pause.
        """
        if not self.over:
            raise httpx2.ReadError("the stream ended before the run did")

    def broken(self, problem: Problem) -> float:
        """How many seconds to wait before the next connection.

        Raises:
            ApiUnreachableError: it broke several times in a row before anything came.
        """
        self._failed += 1
        if self._failed >= self._attempts * 3:
            raise ApiUnreachableError(problem)
        return wait_seconds(min(self._failed, 4), problem) if self._failed > 1 else self._retry_seconds
