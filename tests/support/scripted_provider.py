"""A model for tests whose subject is what stands around it: it answers from a list, and one request more fails."""

from collections.abc import Sequence

from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply


class ScriptedModel:
    """Replies in order; `counts` are the answers to being asked how many tokens a request is."""

    def __init__(
        self,
        *script: ModelReply | NoReply,
        model: str = "m-1",
        leaves_process: bool = True,
        counts: Sequence[int | None] = (),
    ) -> None:
        self._script = list(script)
        self._counts = list(counts)
        self._model = model
        self._capabilities = Capabilities(
            structured_output=True, leaves_process=leaves_process, token_counting=bool(counts)
        )
        self.requests: list[ModelRequest] = []

    @property
    def name(self) -> str:
        return "scripted"

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.requests.append(request)
        assert self._script, "one request more than the script has"
        return self._script.pop(0)

    async def count(self, request: ModelRequest) -> int | None:
        assert self._counts, "one count more than the script has"
        return self._counts.pop(0)

    async def aclose(self) -> None:
        return None

    @property
    def done(self) -> bool:
        """Whether everything that was scripted was asked for."""
        return not self._script and not self._counts
