"""The order in which the layers stand around a call, from the outside in."""

from pathlib import Path

import pytest

from casewright.config import Settings, app_root
from casewright.models.accounting import MemoryRecorder
from casewright.models.assembly import Layers, from_settings
from casewright.models.breaker import BreakerPolicy, Breakers
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import AskedTask, CallContext, ProviderAround
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider
from casewright.models.retry import RetryPolicy
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_requests import VALUE
from tests.support.scripted_provider import BUSY, GOOD, ScriptedProvider, no_pause

PROMPTS = app_root() / "agents" / "prompts"
CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")


class Noting:
    """A layer that notes when a request passes it."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self._name = name
        self._notes = notes

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return _Noted(provider, self._name, self._notes)


class _Noted(ProviderAround):
    def __init__(self, provider: Provider, layer: str, notes: list[str]) -> None:
        super().__init__(provider)
        self._layer = layer
        self._notes = notes

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self._notes.append(self._layer)
        return await self.inner.complete(request)


class NotingBreakers(Breakers):
    """Notes requests before the breaker sees them."""

    notes: list[str]

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return _Noted(super().around(provider, context), "breaker", self.notes)


class NotingPermission:
    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def check(self, context: CallContext, model: str) -> None:
        self._notes.append("permission")


class NotingAnswers:
    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def find(self, asked: AskedTask) -> str | None:
        self._notes.append("find")

    async def keep(self, asked: AskedTask, output: str) -> None:
        self._notes.append("keep")


def noted_layers(notes: list[str]) -> Layers:
    return Layers(
        cassette=Noting("cassette", notes),
        egress=Noting("egress", notes),
        redaction=Noting("redaction", notes),
        budget=Noting("budget", notes),
        answers=NotingAnswers(notes),
    )


@pytest.mark.proves("F4", "F7", "F8")
async def test_every_request_passes_breaker_permission_budget_redaction_egress_and_cassette_in_this_order() -> None:
    notes: list[str] = []
    breakers = NotingBreakers(BreakerPolicy())
    breakers.notes = notes
    layers = noted_layers(notes)
    provider = Noting("provider", notes).around(ScriptedProvider(BUSY, GOOD), CONTEXT)
    retry = RetryPolicy(pause=no_pause, jitter=lambda: 0.0)
    made = Gateway(
        [provider],
        PromptLibrary(PROMPTS),
        MemoryRecorder(),
        permission=NotingPermission(notes),
        layers=layers.inward,
        conduct=Conduct(retry=retry, breakers=breakers, answers=layers.answers),
    )
    await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    request = ["breaker", "permission", "budget", "redaction", "egress", "cassette", "provider"]
    assert notes == ["permission", "find", *request, *request, "keep"]


async def test_the_gateway_of_an_installation_has_every_layer_that_it_is_given(tmp_path: Path) -> None:
    notes: list[str] = []
    settings = Settings(home=tmp_path, policies=tmp_path)
    made = from_settings(settings, PROMPTS, MemoryRecorder(), NotingPermission(notes), noted_layers(notes))
    async with made:
        await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert notes == ["permission", "budget", "redaction", "egress", "cassette"]
