"""`casewright models costs` and `prune`, `casewright runs replay`: what they show, refuse and exit with."""

import asyncio
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from casewright.config import Settings, app_root
from casewright.models.cassette import CassetteLayer
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import ModelReply, Usage
from casewright.models.tasks import RESEARCH_SELECT
from casewright.services import Services
from commands.orchestrator import AuditRecorder, build_protection, build_records
from tests.support.counting_provider import ScriptedModel
from tests.support.model_permission import OnlyModels
from tests.support.model_requests import VALUE
from tests.unit.commands.conftest import Casewright

GOOD = ModelReply(text='{"clause_ids": ["x"], "why": "y"}', model="", usage=Usage(input_tokens=90, output_tokens=10))
QUESTION = "ask-1"
"""A run of rosa's: a question of the first model call."""


def recorded(home: Path, models: Sequence[str]) -> None:
    """Calls in a data folder, one of each model, in runs of their own."""

    async def call() -> None:
        services = Services(Settings(home=home, policies=app_root() / "policies"))
        await build_records(services).begin(QUESTION, services.identities.find("rosa"), "", kind="question")
        for number, model in enumerate(models, start=1):
            gateway = Gateway(
                [ScriptedModel(ModelReply(text=GOOD.text, model=model, usage=GOOD.usage), model=model)],
                PromptLibrary(app_root() / "agents" / "prompts"),
                AuditRecorder(services),
                permission=OnlyModels(f"scripted/{model}"),
                layers=[build_protection(services), CassetteLayer(services.contents)],
            )
            of = CallContext(run_id=f"ask-{number}", case_id="", tenant="harborline", agent="answerer")
            await gateway.run(RESEARCH_SELECT, VALUE, context=of)
        await services.close()

    asyncio.run(call())


@pytest.mark.proves("F5")
def test_costs_are_shown_by_model_with_what_has_no_price_marked(casewright: Casewright, home: Path) -> None:
    recorded(home, ["claude-sonnet-5", "unheard-of"])
    document = casewright("models", "costs", "--by", "model", "--json").document
    told = [(one["name"], one["calls"], one["cost_micro"], one["priced"]) for one in document["groups"]]
    assert told == [("unheard-of", 1, 2_100, False), ("claude-sonnet-5", 1, 280, True)]
    assert (document["currency"], document["total"]["cost_micro"], document["total"]["priced"]) == ("USD", 2_380, False)
    shown = casewright("models", "costs", "--by", "model")
    assert shown.code == 0 and "≤ 0.002100" in shown.out and "█" in shown.out and "a model without a price" in shown.out
    later = casewright("models", "costs", "--since", "2999-01-01", "--json").document
    assert (later["groups"], later["total"]["calls"]) == ([], 0)


@pytest.mark.proves("F5")
def test_an_alert_is_told_and_exits_with_one(casewright: Casewright, home: Path) -> None:
    recorded(home, ["claude-sonnet-5"])
    assert casewright("models", "costs", "--alert-above", "0.000281").code == 0
    reached = casewright("models", "costs", "--alert-above", "0.00028", "--json")
    assert (reached.code, reached.document["alerts"]) == (
        1,
        ["the total of 0.000280 has reached 0.000280 (--alert-above)"],
    )
    (home / "spending.toml").write_text(
        'currency = "USD"\nalert_percent = 50\n[limits]\ndaily = 560\nmonthly = 10000\n'
    )
    limited = casewright("models", "costs", "--json")
    assert limited.code == 1 and [limit["percent"] for limit in limited.document["limits"]] == [50, 2]
    assert limited.document["alerts"] == [
        "0.000280 of this day's 0.000560 are spent, 50 % (alert_percent is 50)",
    ]
    assert "alert: 0.000280" in casewright("models", "costs").out


@pytest.mark.thorough
@pytest.mark.proves("F5")
def test_costs_are_drawn(casewright: Casewright, home: Path, tmp_path: Path) -> None:
    recorded(home, ["claude-sonnet-5", "unheard-of"])
    assert casewright("models", "costs", "--plot", str(tmp_path / "c.png")).code == 0
    head = (tmp_path / "c.png").read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:])
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and width > 500 and height > 100
    assert casewright("models", "costs", "--by", "model", "--plot", str(tmp_path / "c.svg")).code == 0
    assert b"<svg" in (tmp_path / "c.svg").read_bytes()


def test_what_cannot_be_drawn_or_read_is_said_before_anything_is_done(casewright: Casewright, home: Path) -> None:
    for arguments, words in (
        (("--plot", "c.pdf"), "is not a .png or .svg"),
        (("--plot", "/nowhere/c.png"), "in a folder that exists"),
        (("--alert-above", "1,50"), "is no amount"),
        (("--since", "yesterday"), "is not a date"),
    ):
        refused = casewright("models", "costs", *arguments, "--json")
        assert refused.code == 2 and words in refused.refusal
    assert casewright("models", "costs", "--as", "rosa", "--json").code == 3
    (home / "prices.toml").write_text("price = 1")
    assert "price table" in casewright("models", "costs", "--json").refusal


@pytest.mark.proves("F8", "G4")
def test_a_run_is_replayed_until_its_recordings_are_pruned(casewright: Casewright, home: Path) -> None:
    recorded(home, ["claude-sonnet-5"])
    replayed = casewright("runs", "replay", QUESTION, "--json")
    assert (replayed.code, replayed.document["same"]) == (0, True)
    assert [(one["task"], one["verdict"]) for one in replayed.document["calls"]] == [("research.select", "same")]
    assert casewright("models", "prune", "--older-than", "0", "--json").code == 3, "auditors may not"
    kept = casewright("models", "prune", "--older-than", "1", "--as", "selma", "--json").document
    assert (kept["calls"], kept["texts"]) == (0, 0) and casewright("runs", "replay", QUESTION).code == 0
    pruned = casewright("models", "prune", "--older-than", "0", "--as", "selma", "--json").document
    assert (pruned["calls"], pruned["exchanges"]) == (1, 1) and pruned["texts"] >= 4
    gone = casewright("runs", "replay", QUESTION, "--json")
    assert gone.code == 1 and "pruned or removed" in gone.document["calls"][0]["where"]
    assert casewright("models", "costs", "--json").document["total"]["cost_micro"] == 280, "the audit has it still"
    assert casewright("audit", "verify").code == 0
