"""The attempts of one call, kept as they happen, so that what was spent is known however the call ends.

An attempt is written down before it is made: one that is cut off in the middle, by the loss of a race or by whoever
called, has to be paid for all the same. See `casewright.models.accounting` for what becomes of it.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager

from casewright.models.accounting import Attempt
from casewright.models.provider import ModelReply, NoReply, Provider, Usage

CUT_OFF = NoReply(reason="it was given up before it replied; nobody says what it used", retryable=False)


class Making:
    """One attempt under way; whoever makes it says how it ended."""

    outcome: ModelReply | NoReply | None = None


class AttemptLog:
    """Every attempt of one call, in the order in which they began, and how many corrections were asked for."""

    def __init__(self) -> None:
        self._attempts: list[Attempt] = []
        self.repairs = 0
        self.left_out = 0
        """Pieces of evidence that were not sent to the provider that had least of them."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts)

    @property
    def usage(self) -> Usage:
        return sum((one.usage for one in self._attempts), Usage())

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self._attempts)

    @property
    def request_ids(self) -> tuple[str, ...]:
        return tuple(one.request_id for one in self._attempts if one.request_id)

    @contextmanager
    def making(self, provider: Provider) -> Generator[Making]:
        """Keep an attempt: as its outcome says in the end, or as cut off."""
        number, started_ns, made = len(self._attempts), time.monotonic_ns(), Making()
        self._attempts.append(_attempt(provider, CUT_OFF, 0))
        try:
            yield made
        finally:
            duration_ms = (time.monotonic_ns() - started_ns) // 1_000_000
            self._attempts[number] = _attempt(provider, made.outcome or CUT_OFF, duration_ms)

    def did_not_hold(self, reply: ModelReply, reason: str) -> None:
        """Say of the attempt that brought `reply` that it is not valid; `reason` holds no text of it."""
        for number, one in reversed(list(enumerate(self._attempts))):
            if one.outcome == "answered" and (one.model, one.request_id) == (reply.model, reply.request_id):
                self._attempts[number] = one.model_copy(update={"outcome": "invalid", "reason": reason})
                return


def _attempt(provider: Provider, outcome: ModelReply | NoReply, duration_ms: int) -> Attempt:
    replied = isinstance(outcome, ModelReply)
    return Attempt(
        provider=provider.name,
        model=outcome.model if replied else provider.model,
        outcome="answered" if replied else "failed" if outcome.calls else "refused",
        reason="" if replied else outcome.reason,
        request_id=outcome.request_id,
        input_tokens=outcome.usage.input_tokens,
        output_tokens=outcome.usage.output_tokens,
        cache_read_tokens=outcome.usage.cache_read_tokens,
        cache_write_tokens=outcome.usage.cache_write_tokens,
        calls=outcome.calls,
        duration_ms=duration_ms,
    )
