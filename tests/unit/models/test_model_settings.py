"""`models.toml`: which models a risk is worth, what is wrong with the file, and what can be reached."""

from pathlib import Path

import pytest

from casewright.config import Secrets, Settings, app_root
from casewright.errors import InputError
from casewright.models.accounting import MemoryRecorder
from casewright.models.anthropic import AnthropicProvider
from casewright.models.assembly import first_models, from_settings
from casewright.models.configured import Configured, Declared, conduct_of
from casewright.models.layer import CallContext
from casewright.models.model_settings import (
    AnthropicModels,
    Breaking,
    Calls,
    LangChainModel,
    ModelSettings,
    Overrides,
    Risks,
    Tiers,
    model_settings,
    read_model_settings,
)
from casewright.models.offline import OfflineProvider
from casewright.models.provider import ModelRequest
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_layers import NO_LAYERS
from tests.support.model_permission import offline_only
from tests.support.model_requests import VALUE, model_request

FILE = """
[anthropic]
key_variable = "CLAUDE_KEY"
region = "eu"
[anthropic.models."claude-haiku-4-5"]
[anthropic.models."claude-sonnet-5"]
max_input_tokens = 200_000
streaming = false

[langchain.local]
import_path = "langchain_core.language_models.fake_chat_models:FakeListChatModel"
region = "local"
settings = { responses = ["x"] }
secrets = { name = "LOCAL_NAME" }

[tiers]
fast = ["langchain/local", "anthropic/claude-haiku-4-5"]
standard = ["anthropic/claude-sonnet-5"]
strong = ["anthropic/claude-sonnet-5", "anthropic/claude-haiku-4-5"]

[calls]
hedge_after_ms = 1_500
attempts = 2
[deadlines]
"draft.recommendation" = 180
[breaker]
failures = 3
"""
CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")
TIERS = '[tiers]\nfast = ["offline"]\nstandard = ["offline"]\nstrong = ["offline"]\n'


def installation(home: Path, text: str, **environment: str) -> Settings:
    (home / "models.toml").write_text(text, encoding="utf-8")
    return Settings(home=home, policies=home, secrets=Secrets(environment))


def configured(settings: Settings) -> Configured:
    return Configured(settings=settings, models=model_settings(settings))


@pytest.mark.proves("F4")
def test_a_risk_is_asked_of_its_tier_in_order_with_the_offline_provider_behind_it(tmp_path: Path) -> None:
    made = configured(installation(tmp_path, FILE, CLAUDE_KEY="k"))
    providers = made.providers()
    assert [(one.name, one.model) for one in providers["high"]] == [
        ("anthropic", "claude-sonnet-5"),
        ("anthropic", "claude-haiku-4-5"),
        ("offline", "offline/extractive"),
    ]
    assert [one.model for one in providers["low"]] == ["claude-haiku-4-5", "offline/extractive"]
    assert providers["medium"][0] is providers["high"][0]  # one model, one provider


@pytest.mark.proves("F2", "F4")
def test_a_model_can_do_what_its_provider_says_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    sonnet, haiku = configured(installation(tmp_path, FILE, CLAUDE_KEY="k")).providers()["high"][:2]
    assert (sonnet.capabilities.max_input_tokens, haiku.capabilities.max_input_tokens) == (200_000, None)
    assert (sonnet.capabilities.streaming, haiku.capabilities.streaming) == (False, True)
    assert {one.capabilities.region for one in (sonnet, haiku)} == {"eu"}


@pytest.mark.thorough  # it imports langchain-core
@pytest.mark.proves("F2")
def test_a_chat_model_of_langchain_is_made_from_its_settings_and_secrets_under_its_own_name(tmp_path: Path) -> None:
    made = configured(installation(tmp_path, FILE, CLAUDE_KEY="k", LOCAL_NAME="n")).providers()["low"]
    assert [one.name for one in made] == ["langchain/local", "anthropic", "offline"]
    assert (made[0].capabilities.region, made[0].capabilities.leaves_process) == ("local", True)


@pytest.mark.proves("F4")
async def test_a_model_without_its_key_is_left_out_and_the_offline_provider_answers(tmp_path: Path) -> None:
    settings = installation(tmp_path, FILE)
    assert configured(settings).missing("anthropic/claude-sonnet-5") == "CLAUDE_KEY is not set"
    assert configured(settings).missing("langchain/local") == "LOCAL_NAME is not set"
    assert first_models(settings, model_settings(settings)) == ("offline/extractive",)
    async with from_settings(
        settings, app_root() / "agents" / "prompts", MemoryRecorder(), offline_only(), NO_LAYERS
    ) as gateway:
        result = await gateway.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert (result.record.provider, result.record.degraded) == ("offline", False)


def test_without_the_offline_provider_a_tier_that_cannot_be_reached_is_refused_with_what_is_missing(
    tmp_path: Path,
) -> None:
    settings = installation(tmp_path, "offline_last = false\n" + FILE)
    with pytest.raises(InputError, match=r"tier 'fast' can be reached .*LOCAL_NAME is not set.*CLAUDE_KEY is not set"):
        configured(settings).providers()


def test_how_models_are_asked_is_the_files_to_say(tmp_path: Path) -> None:
    settings = installation(tmp_path, FILE)
    conduct = conduct_of(settings, model_settings(settings))
    assert (conduct.hedge_after_seconds, conduct.retry.attempts, conduct.call_seconds) == (1.5, 2, 60.0)
    assert conduct.task_seconds == {"draft.recommendation": 180.0}
    assert model_settings(settings).breaker.policy.failures == 3


def test_without_a_file_there_is_the_model_of_the_environment_or_only_the_offline_one(tmp_path: Path) -> None:
    bare = Settings(home=tmp_path, policies=tmp_path)
    assert (
        first_models(bare, model_settings(bare)) == ("offline/extractive",)
        and model_settings(bare).calls.hedge_after_ms is None
    )
    keyed = Settings(home=tmp_path, policies=tmp_path, anthropic_api_key="k")
    assert first_models(keyed, model_settings(keyed)) == ("claude-sonnet-5",)
    first, last = configured(keyed).providers()["low"]
    assert isinstance(first, Declared) and isinstance(first.inner, AnthropicProvider)
    assert isinstance(last, OfflineProvider)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tiers", "is no TOML"),
        ("", r"tiers: Field required"),
        (TIERS + "[teirs]\n", r"teirs: Extra inputs"),
        (
            TIERS.replace('strong = ["offline"]', 'strong = ["anthropic/claude"]'),
            r"tiers\.strong names 'anthropic/claude'",
        ),
        (TIERS.replace('fast = ["offline"]', "fast = []"), r"tiers\.fast: .*at least 1"),
        (TIERS.replace('fast = ["offline"]', 'fast = ["offline", "offline"]'), r"tiers\.fast names a model twice"),
        (TIERS + '[risks]\nhigh = "best"\n', r"risks\.high: "),
        (TIERS + '[deadlines]\n"case.decide" = 3\n', r"deadlines names the task 'case\.decide'; there are: answer"),
        (TIERS + "[calls]\nattempts = 0\n", r"calls\.attempts: "),
        (TIERS + "[calls]\nattempts = true\n", None),
        (TIERS + "[breaker]\nfailures = 0\n", r"breaker\.failures: "),
        (TIERS + '[anthropic]\napi_key = "sk-1"\n', r"anthropic\.api_key: Extra"),
        (TIERS + '[anthropic]\nkey_variable = "sk-ant 1"\n', r"anthropic\.key_variable: "),
        (
            TIERS + '[langchain.x]\nimport_path = "a:B"\nregion = "us"\nsettings = { api_key = "sk-1" }\n',
            r"langchain\.x: 'api_key' looks like a secret: name a variable",
        ),
        (
            TIERS
            + '[langchain.x]\nimport_path = "a:B"\nregion = "local"\nsettings = { u = "https://models.example" }\n',
            r"langchain\.x: region is 'local', and 'u' is an address elsewhere",
        ),
        (TIERS + '[langchain.x]\nimport_path = "os.system"\nregion = "us"\n', r"langchain\.x\.import_path: "),
        (TIERS + '[langchain.x]\nimport_path = "a:B"\n', r"langchain\.x\.region: Field required"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_with_its_name_the_key_and_no_value(text: str, problem: str | None) -> None:
    if problem is None:
        assert read_model_settings(text, "models.toml").calls.attempts == 1
        return
    with pytest.raises(InputError, match=rf"the models file 'models\.toml' .*{problem}") as caught:
        read_model_settings(text, "models.toml")
    assert "sk-" not in str(caught.value)


def test_a_file_that_is_named_has_to_be_there_and_to_be_readable(tmp_path: Path) -> None:
    named = Settings.load(
        home=str(tmp_path), environment={"CASEWRIGHT_MODELS": str(tmp_path / "none.toml")}, app_root=tmp_path
    )
    with pytest.raises(InputError, match=r"none\.toml' is not there; correct or unset CASEWRIGHT_MODELS"):
        model_settings(named)
    (tmp_path / "none.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        model_settings(named)


@pytest.mark.proves("F7")
@pytest.mark.parametrize("address", ["", 'base_url = "https://models.example"\n'])
def test_a_service_elsewhere_is_not_taken_for_this_machine_because_somebody_wrote_so(
    tmp_path: Path, address: str
) -> None:
    text = f'{TIERS}[anthropic]\nregion = "local"\n{address}[anthropic.models."claude-sonnet-5"]\n'
    made = configured(installation(tmp_path, text, ANTHROPIC_API_KEY="sk-1"))
    with pytest.raises(InputError, match="its address is elsewhere"):
        made.declared("anthropic/claude-sonnet-5")


def test_secrets_of_the_environment_are_found_by_name_and_shown_nowhere(tmp_path: Path) -> None:
    settings = Settings.load(home=str(tmp_path), environment={"CLAUDE_KEY": "sk-1"}, app_root=tmp_path)
    assert settings.secrets.get("CLAUDE_KEY") == "sk-1" and settings.secrets.get("OTHER") == ""
    assert "sk-1" not in repr(settings) + repr(settings.secrets) + repr(Declared)


async def test_what_counts_tokens_is_found_through_the_declaration(tmp_path: Path) -> None:
    class Counting(OfflineProvider):
        async def count(self, request: ModelRequest) -> int | None:
            return 7

    assert await Declared(Counting(), Overrides()).count(model_request()) == 7
    assert await Declared(OfflineProvider(), Overrides()).count(model_request()) is None


def test_every_key_of_the_file_is_in_the_documentation() -> None:
    parts = (ModelSettings, AnthropicModels, LangChainModel, Overrides, Tiers, Risks, Calls, Breaking)
    keys = {name for part in parts for name in part.model_fields}
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    assert {key for key in keys if f"`{key}`" not in text and f"[{key}" not in text and f".{key}." not in text} == set()
