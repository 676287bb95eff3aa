"""The gateway and the bare SDK over a service in this process; `commands.bench_models` says what is made of it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casewright.config import app_root
from casewright.errors import NotFoundError
from casewright.models.anthropic import AnthropicProvider
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.prompts import PromptLibrary
from casewright.models.tasks import INTAKE_CLASSIFY
from commands.bench_timing import BLOCKS, WARM_UP, percentile

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

    from casewright.models.classification import ClassifyInput
    from casewright.services import Services

CASE = "HL-2026-0001"
TENANT = "harborline"
MODEL = "claude-sonnet-5"
SERVICE_SECONDS = 0.05
"""What the service takes for each of the calls that are made at once."""
_HEARTBEAT_SECONDS = 0.01
Work = Callable[[], Awaitable[object]]


@dataclass
class Service:
    """Answers every request alike, after a while; keeps the body of the latest."""

    seconds: float
    latest: dict[str, Any] = field(default_factory=dict[str, Any])

    async def __call__(self, request: "httpx2.Request") -> "httpx2.Response":
        import httpx2

        self.latest = json.loads(request.content)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return httpx2.Response(200, json=_REPLY)


_ANSWER = {
    "topics": ["unauthorized_transfer"],
    "queries": ["unauthorized transfer liability", "provisional credit time limit"],
    "language": "en",
    "needs_clarification": False,
    "candidates": [],
    "why": "The customer reports purchases that were not theirs.",
}
_REPLY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": json.dumps(_ANSWER)}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 900, "output_tokens": 60},
}


class OwnServiceProvider(AnthropicProvider):
    """The provider of the product, over a client whose transport is in this process."""

    def __init__(self, client: "AsyncAnthropic") -> None:
        super().__init__(api_key="unused", model=MODEL, region="local")
        self._given = client

    async def _client(self) -> "AsyncAnthropic":
        return self._given


async def one_by_one(services: "Services", calls: int) -> dict[str, Any]:
    """Latencies of the bare SDK and of the gateway, in turns, block by block, with the same prompt."""
    service = Service(seconds=0.0)
    client = _client(service)
    gateway, through = await _through(services, client)
    await through()
    sent = dict(service.latest)

    async def bare() -> None:
        await client.messages.create(**sent)

    works: dict[str, Work] = {"bare": bare, "gateway": through}
    samples: dict[str, list[float]] = {name: [] for name in works}
    processor = dict.fromkeys(works, 0.0)
    for work in works.values():
        for _ in range(WARM_UP):
            await work()
    for _ in range(BLOCKS):
        for name, work in works.items():
            began = time.process_time()
            samples[name] += [await _timed(work) for _ in range(calls // BLOCKS)]
            processor[name] += time.process_time() - began
    await gateway.aclose()
    await client.close()
    made = calls // BLOCKS * BLOCKS
    figures = {
        name: {**_figures(values), "cpu_ms": round(processor[name] * 1000 / made, 3)}
        for name, values in samples.items()
    }
    over = {key: round(figures["gateway"][key] - figures["bare"][key], 3) for key in figures["bare"]}
    return {**figures, "overhead": over, "prompt_characters": len(json.dumps(sent["messages"]))}


async def at_once(services: "Services", calls: int) -> dict[str, Any]:
    """Many calls on one loop: how long all of them take, and the longest time the loop did nothing else."""
    client = _client(Service(seconds=SERVICE_SECONDS))
    gateway, through = await _through(services, client)
    await through()
    pauses: list[float] = []
    heart = asyncio.create_task(_beat(pauses))
    began = time.perf_counter()
    took = await asyncio.gather(*(_timed(through) for _ in range(calls)))
    seconds = time.perf_counter() - began
    heart.cancel()
    await asyncio.gather(heart, return_exceptions=True)
    await gateway.aclose()
    await client.close()
    return {
        "calls": calls,
        "seconds": round(seconds, 3),
        "calls_per_second": round(calls / seconds, 1),
        "longest_pause_ms": round(max(pauses), 1),
        "pause_p95_ms": round(percentile(pauses, 95), 1),
        "beats": len(pauses),
        **_figures(took),
    }


def _client(service: Service) -> "AsyncAnthropic":
    import anthropic
    import httpx2

    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(service))
    return anthropic.AsyncAnthropic(api_key="unused", max_retries=0, http_client=transport, open_telemetry=False)


async def _through(services: "Services", client: "AsyncAnthropic") -> tuple[Gateway, Work]:
    """The gateway with every layer of the product around the provider, and one call of it."""
    from commands.orchestrator import AuditRecorder, build_layers, build_permission

    layers = build_layers(services)
    gateway = Gateway(
        [OwnServiceProvider(client)],
        PromptLibrary(app_root() / "agents" / "prompts"),
        AuditRecorder(services),
        permission=build_permission(services),
        layers=layers.inward,
        conduct=Conduct(answers=layers.answers),
    )
    value = await _value(services)
    numbers = iter(range(1_000_000))

    async def call() -> None:
        # Another title each time, so that no answer comes from the cache; another run each time, as in a service.
        number = next(numbers)
        asked = value.model_copy(update={"title": f"{value.title} ({number})"})
        context = CallContext(run_id=f"run-{number % 50}", case_id=CASE, tenant=TENANT, agent="intake")
        result = await gateway.run(INTAKE_CLASSIFY, asked, context=context)
        if result.record.provider != "anthropic":
            raise NotFoundError(f"the measured call did not reach the service: {result.record.reason}")

    return gateway, call


async def _value(services: "Services") -> "ClassifyInput":
    from casewright.models.classification import ClassifyInput

    stored = await services.cases.load(TENANT, CASE)
    if stored is None:
        raise NotFoundError(f"the sample case {CASE!r} is not there; run `casewright init` without --no-sample")
    case = stored.case
    return ClassifyInput(
        case_type=case.case_type,
        title=case.title,
        narrative=case.narrative,
        product=case.product,
        issue=case.issue,
        transactions="",
        known_facts=("accounts", "notices", "parties"),
    )


async def _beat(pauses: list[float]) -> None:
    """Notes how much later than asked the loop came back."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        pauses.append((time.perf_counter() - began - _HEARTBEAT_SECONDS) * 1000)


async def _timed(work: Work) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def _figures(samples: Sequence[float]) -> dict[str, float]:
    values = list(samples)
    return {"p50_ms": round(percentile(values, 50), 3), "p95_ms": round(percentile(values, 95), 3)}
