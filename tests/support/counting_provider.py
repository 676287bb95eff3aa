"""A scripted provider that can also be asked how many tokens a request is, from a list of answers to that."""

from collections.abc import Sequence
from dataclasses import replace

from casewright.models.provider import ModelReply, ModelRequest, NoReply
from tests.support.scripted_provider import REMOTE, ScriptedProvider


class ScriptedModel(ScriptedProvider):
    """Replies in order; one count more than `counts` has fails the test."""

    def __init__(
        self,
        *script: ModelReply | NoReply,
        model: str = "m-1",
        leaves_process: bool = True,
        counts: Sequence[int | None] = (),
    ) -> None:
        can = replace(REMOTE, leaves_process=leaves_process, token_counting=bool(counts))
        super().__init__(*script, model=model, capabilities=can)
        self._counts = list(counts)

    async def count(self, request: ModelRequest) -> int | None:
        assert self._counts, "one count more than the script has"
        return self._counts.pop(0)

    @property
    def done(self) -> bool:
        """Whether everything that was scripted was asked for."""
        return self.spent and not self._counts
