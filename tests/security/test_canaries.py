"""Secrets and personal data are planted, a whole review is driven through a model outside, and every trace is searched.

The model is scripted behind a local server that speaks the wire format of the service; servers, policies, stores and
records are real. The same search with the protection taken away finds what it looks for.
"""

import io
import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from casewright.config import Settings, app_root
from casewright.contracts.case import CaseFile
from casewright.contracts.run import RunReport
from casewright.services import Services
from casewright.telemetry import configure_logging, secret_values
from commands.orchestrator import build_gateway, build_records, build_runner
from tests.integration.graphs.reviews import World, changed, copied, sample_cases
from tests.support.anthropic_server import API_KEY, MessagesServer, model_server
from tests.support.canaries import OWN_TABLES, Canary, sightings, stored
from tests.support.scripted_model import ScriptedModel

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
CASE = "HL-2026-0001"
SPAN_ATTRIBUTES = frozenset(
    {
        "mcp.method.name",
        "mcp.protocol.version",
        "jsonrpc.request.id",
        "gen_ai.operation.name",
        "gen_ai.tool.name",
        "gen_ai.prompt.name",
        "error.type",
        "rpc.response.status_code",
    }
)
"""What a span may say; none of it comes from a case."""
PERSONAL = (
    Canary(name="name", value="Zephyrine Quillfeather"),
    Canary(name="surname", value="Quillfeather"),
    Canary(name="card", value="4539 1488 0343 6467"),
    Canary(name="ssn", value="536-22-1145"),
    Canary(name="email", value="zephyrine@quillfeather.example"),
    Canary(name="phone", value="503-555-0187"),
    Canary(name="address", value="88 Larkspur Lane"),
    Canary(name="iban", value="DE89370400440532013000"),
    Canary(name="birth date", value="1979-11-23"),
)
SEALED = Canary(name="sealed text", value="the branch manager is under investigation by counsel")
ENVIRONMENT = Canary(name="environment", value="canary-of-the-environment-7f3a")


def planted() -> CaseFile:
    """A sample case in which somebody tells everything of themselves, with a sealed item."""
    base = sample_cases()[CASE]
    name, _, card, ssn, email, phone, address, iban, born = (one.value for one in PERSONAL)
    parties = [{**base["parties"][0], "name": name}, *base["parties"][1:]]
    sealed = {
        "evidence_id": "canary-sealed",
        "kind": "investigation_note",
        "title": "Memo",
        "text": SEALED.value,
        "source": "counsel",
        "trust": "staff",
        "sealed": True,
    }
    evidence = [*base["evidence"], sealed]
    told = f"I am {name}, born on {born}, {address}. Card {card}, SSN {ssn}, {email}, {phone}, IBAN {iban}."
    return changed(
        CASE,
        parties=parties,
        evidence=evidence,
        title=f"{name} disputes two purchases",
        narrative=f"{base['narrative']} {told}",
    )


@dataclass
class RecordingTracer:
    """Keeps what libraries would tell of their spans: names, attributes, events, exceptions."""

    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    told: list[str] = field(default_factory=list[str])

    @contextmanager
    def start_as_current_span(self, name: str, **about: Any) -> Generator["RecordingTracer"]:
        self.told.append(name)
        self.set_attributes(about.get("attributes") or {})
        try:
            yield self
        except BaseException as error:
            self.told.append(repr(error))
            raise

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value
        self.told.append(f"{key}={value}")

    def set_status(self, *status: Any, **more: Any) -> None:
        self.told.append(f"{status}{more}")

    def record_exception(self, error: BaseException, **more: Any) -> None:
        self.told.append(f"{error!r}{more}")

    def is_recording(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class Traces:
    """Everything that a review left behind."""

    report: RunReport
    prompts: list[str]
    log: str
    spans: RecordingTracer
    home: Path
    model: ScriptedModel

    def outside(self) -> dict[str, list[str]]:
        """What others can read: prompts, log, spans."""
        return {"prompts": self.prompts, "log": [self.log], "spans": self.spans.told}

    def kept(self, *, without: frozenset[str]) -> dict[str, list[str]]:
        """What is stored: records, events, cassettes, checkpoints."""
        return {**stored(self.home / "casewright.db", without=without), **stored(self.home / "checkpoints.db")}


@contextmanager
def logged() -> Generator[io.StringIO]:
    """The log as the command writes it, everything from `INFO` on."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    written = io.StringIO()
    configure_logging(verbose=True, secrets=secret_values({"CANARY_TOKEN": ENVIRONMENT.value, "API_KEY": API_KEY}))
    cast("logging.StreamHandler[io.StringIO]", root.handlers[0]).setStream(written)
    try:
        yield written
    finally:
        root.handlers, root.level = handlers, level


async def review(home: Path, server: MessagesServer, monkeypatch: pytest.MonkeyPatch) -> tuple[RunReport, str]:
    """One review of the planted case, and the log of it."""
    settings = Settings(
        home=home, policies=app_root() / "policies", anthropic_api_key=API_KEY, anthropic_base_url=server.base_url
    )
    services = Services(settings)
    try:
        with logged() as log:
            async with build_gateway(services) as gateway:
                world = World(
                    services=services,
                    gateway=gateway,
                    runner=build_runner(services, gateway),
                    records=build_records(services),
                )
                await world.add(planted())
                report = await world.start(CASE, fresh=True)
            logging.getLogger("casewright.test").error(
                "an error that quotes %s and %s", PERSONAL[2].value, ENVIRONMENT.value
            )
            return report, log.getvalue()
    finally:
        await services.close()


@pytest.fixture
async def traces(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traces:
    """Of a review with everything in place."""
    return await _traces(copied(installation, tmp_path / "home"), monkeypatch)


async def _traces(home: Path, monkeypatch: pytest.MonkeyPatch) -> Traces:
    monkeypatch.setenv("CASEWRIGHT_CANARY_TOKEN", ENVIRONMENT.value)
    spans, model = RecordingTracer(), ScriptedModel()
    monkeypatch.setattr("mcp.shared._otel._tracer", spans)
    with model_server(model) as server:
        report, log = await review(home, server, monkeypatch)
        prompts = [*model.prompts, *map(str, server.counted)]
    return Traces(report=report, prompts=prompts, log=log, spans=spans, home=home, model=model)


def secrets_of(home: Path) -> tuple[Canary, ...]:
    """Every key of the installation, the key of the provider, and what the environment holds."""
    pem = (home / "signing-key.pem").read_text(encoding="ascii").splitlines()
    keys = [
        Canary(name=file.name, value=file.read_text(encoding="utf-8").strip())
        for file in home.iterdir()
        if "key" in file.name and file.suffix != ".pem" and file.is_file()
    ]
    return (Canary(name="signing key", value=pem[1]), Canary(name="API key", value=API_KEY), ENVIRONMENT, *keys)


@pytest.mark.proves("F7")
async def test_nothing_planted_reaches_a_prompt_a_log_a_trace_or_the_state(traces: Traces) -> None:
    assert traces.report.status == "waiting_approval", traces.report.because
    assert {"intake.classify", "draft.recommendation"} <= set(traces.model.asked)
    assert "[PERSON_1]" in "".join(traces.prompts)
    assert "an error that quotes" in traces.log
    audited = stored(traces.home / "casewright.db")["casewright.db/audit_events"]
    assert any("confidential data, redacted, to anthropic/" in text for text in audited)
    secrets = secrets_of(traces.home)
    assert len(secrets) >= 3
    assert sightings((*PERSONAL, SEALED, *secrets), traces.outside()) == []
    assert sightings((*PERSONAL, SEALED), traces.kept(without=OWN_TABLES)) == []
    assert sightings(secrets, traces.kept(without=frozenset())) == []
    assert "eyJ" not in "".join(["".join(texts) for texts in traces.outside().values()]), "a token"


async def test_spans_say_nothing_but_what_is_listed(traces: Traces) -> None:
    assert traces.spans.attributes, "no library told of a span: the test looks in the wrong place"
    assert set(traces.spans.attributes) <= SPAN_ATTRIBUTES


@pytest.mark.proves("F7")
async def test_without_protection_the_search_finds_what_was_planted(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control of every search above."""
    from casewright.models.egress import EgressLayer
    from casewright.models.protection.redaction import ProtectionLayer

    def said_as_it_is(self: object, text: str) -> str:
        return text

    def as_it_is(self: object, provider: object, context: object) -> object:
        return provider

    monkeypatch.setattr(ProtectionLayer, "around", as_it_is)
    monkeypatch.setattr(EgressLayer, "around", as_it_is)
    monkeypatch.setattr("casewright.telemetry.LogRedaction.text", said_as_it_is)
    traces = await _traces(copied(installation, tmp_path / "home"), monkeypatch)
    seen = sightings((*PERSONAL, ENVIRONMENT), traces.outside())
    assert {f"{one.name} in prompts" for one in PERSONAL} <= set(seen)
    assert {"card in log", "environment in log"} <= set(seen)
    assert any(
        place.startswith("name in casewright.db/") for place in sightings(PERSONAL, traces.kept(without=OWN_TABLES))
    )
    assert any("case_evidence" in place for place in sightings((SEALED,), traces.kept(without=frozenset())))


@pytest.mark.proves("F7")
async def test_a_case_of_which_all_is_sealed_goes_to_no_model_outside_and_is_reviewed_all_the_same(
    installation: Path, tmp_path: Path
) -> None:
    home = copied(installation, tmp_path / "home")
    with model_server(ScriptedModel()) as server:
        settings = Settings(
            home=home, policies=app_root() / "policies", anthropic_api_key=API_KEY, anthropic_base_url=server.base_url
        )
        services = Services(settings)
        try:
            async with build_gateway(services) as gateway:
                runner, records = build_runner(services, gateway), build_records(services)
                world = World(services=services, gateway=gateway, runner=runner, records=records)
                await world.add(changed(CASE, classification="confidential", sealed=True))
                report = await runner.start(world.person("selma"), CASE, fresh=True)
        finally:
            await services.close()
        assert server.requests == []
    assert report.model == "offline/extractive"
    audited = "".join(stored(home / "casewright.db")["casewright.db/audit_events"])
    assert "may not leave: sealed data never leaves" in audited
