"""A model provider for tests that replies from a list; being asked once more than that fails the test."""

import asyncio

from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage

GOOD = ModelReply(
    text='{"clause_ids": ["x"], "why": "y"}',
    model="m-1",
    usage=Usage(input_tokens=10, output_tokens=2),
    request_id="req",
)
"""Valid for the task `research.select` with `tests.support.model_requests.VALUE`."""
BUSY = NoReply(reason="HTTP 529", retryable=True)
FINAL = NoReply(reason="the model refused", retryable=False, usage=Usage(input_tokens=5))
REMOTE = Capabilities(structured_output=True, leaves_process=True, region="us")


class ScriptedProvider:
    """Gives the replies of its script, one for each request."""

    def __init__(
        self,
        *script: ModelReply | NoReply,
        name: str = "scripted",
        model: str = "m-1",
        capabilities: Capabilities = REMOTE,
    ) -> None:
        self._script = list(script)
        self._name = name
        self._model = model
        self._capabilities = capabilities
        self.requests: list[ModelRequest] = []
        self.closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.requests.append(request)
        assert self._script, f"{self._name} was sent one request more than its script has"
        return self._script.pop(0)

    async def aclose(self) -> None:
        self.closed = True

    @property
    def spent(self) -> bool:
        """Whether every reply was asked for."""
        return not self._script


class SilentProvider(ScriptedProvider):
    """Never replies; `asked` is set by a request, and `given_up` by its end."""

    def __init__(self, *, name: str = "silent") -> None:
        super().__init__(name=name)
        self.asked = asyncio.Event()
        self.given_up = asyncio.Event()

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.requests.append(request)
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()
        return FINAL


async def no_pause(seconds: float) -> None:
    """A pause between attempts that takes no time."""
