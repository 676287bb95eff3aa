"""Which models an installation has, and which of them a risk is worth: `models.toml` of the data folder.

    [anthropic]
    key_variable = "ANTHROPIC_API_KEY"          # a secret is only ever named
    region = "us"
    [anthropic.models."claude-haiku-4-5"]
    [anthropic.models."claude-sonnet-5"]
    max_input_tokens = 200_000

    [langchain.local]
    import_path = "langchain_openai:ChatOpenAI"
    region = "local"
    settings = { model = "qwen3", base_url = "http://127.0.0.1:8000/v1", max_retries = 0 }
    secrets = { api_key = "LOCAL_MODEL_KEY" }

    [tiers]                                     # ordered: the first is asked first
    fast = ["langchain/local", "anthropic/claude-haiku-4-5"]
    standard = ["anthropic/claude-sonnet-5"]
    strong = ["anthropic/claude-sonnet-5", "anthropic/claude-haiku-4-5"]

    [risks]
    high = "strong"

    [calls]
    hedge_after_ms = 4_000

    [deadlines]                                 # seconds, by task
    "draft.recommendation" = 180

`CASEWRIGHT_MODELS` names another file. Without one, the Anthropic model of the environment is asked where there is a
key for it. It builds nothing; see `casewright.models.configured`.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from casewright.config import Settings
from casewright.contracts.base import Contract
from casewright.contracts.faults import faults
from casewright.errors import InputError
from casewright.models.breaker import BreakerPolicy
from casewright.models.region import THIS_MACHINE, region_of
from casewright.models.task import TaskRisk
from casewright.models.tasks import TASKS

Tier = Literal["fast", "standard", "strong"]
OFFLINE = "offline"
"""The provider that is always there, as a tier names it."""
_SECRET = re.compile(r"(?i)key|token|secret|password|credential|authorization|header")
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
_Region = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,40}$")]
_Seconds = Annotated[float, Field(gt=0, le=3_600)]
_Setting = str | int | float | bool | list[str]


class Overrides(Contract):
    """What a model can do, where its provider would say otherwise; absent: as it says."""

    structured_output: bool | None = None
    tools: bool | None = None
    streaming: bool | None = None
    prompt_caching: bool | None = None
    token_counting: bool | None = None
    max_input_tokens: Annotated[int, Field(ge=100, le=100_000_000)] | None = None


class AnthropicModels(Contract):
    """Claude, with one key and at one address."""

    key_variable: _Variable = "ANTHROPIC_API_KEY"
    base_url: str = ""
    """Empty: the service's own."""
    region: _Region = ""
    """Empty: what the address tells."""
    models: Annotated[Mapping[_Name, Overrides], Field(min_length=1)]


class LangChainModel(Overrides):
    """One chat model of langchain-core."""

    import_path: Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$")]
    region: _Region
    """Where it works on what it is sent; what may go there is an access decision."""
    settings: Mapping[str, _Setting] = Field(default_factory=dict[str, _Setting])
    """Keyword arguments of its class."""
    secrets: Mapping[str, _Variable] = Field(default_factory=dict[str, str])
    """Further ones, whose values are in variables of the environment."""

    @model_validator(mode="after")
    def _no_secret_is_written_down(self) -> Self:
        written = next((name for name in self.settings if _SECRET.search(name)), None)
        if written is not None:
            raise ValueError(f"{written!r} looks like a secret: name a variable of the environment for it in `secrets`")
        return self

    @model_validator(mode="after")
    def _what_is_said_to_be_here_is_here(self) -> Self:
        addresses = {name: value for name, value in self.settings.items() if isinstance(value, str) and "://" in value}
        away = next((name for name, value in addresses.items() if region_of(value) != THIS_MACHINE), None)
        if self.region == THIS_MACHINE and away is not None:
            raise ValueError(f"region is {THIS_MACHINE!r}, and {away!r} is an address elsewhere: name where that is")
        return self


class Tiers(Contract):
    """Models in the order in which they are asked."""

    fast: Annotated[tuple[str, ...], Field(min_length=1)]
    standard: Annotated[tuple[str, ...], Field(min_length=1)]
    strong: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def by_name(self) -> dict[Tier, tuple[str, ...]]:
        return {"fast": self.fast, "standard": self.standard, "strong": self.strong}


class Risks(Contract):
    """The tier that a risk is worth."""

    low: Tier = "fast"
    medium: Tier = "standard"
    high: Tier = "strong"


class Calls(Contract):
    """How models are asked; see `casewright.models.conduct`."""

    seconds: _Seconds | None = None
    reserve_seconds: _Seconds = 10.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    first_pause_seconds: _Seconds = 0.5
    longest_pause_seconds: _Seconds = 8.0
    at_once: Annotated[int, Field(ge=1, le=1_000)] = 32
    hedge_after_ms: Annotated[int, Field(ge=1, le=600_000)] | None = None


class Breaking(Contract):
    """When a model is left alone; see `casewright.models.breaker`."""

    failures: Annotated[int, Field(ge=1, le=1_000)] = 5
    window_seconds: _Seconds = 60.0
    cooldown_seconds: _Seconds = 30.0

    @property
    def policy(self) -> BreakerPolicy:
        return BreakerPolicy(
            failures=self.failures, window_seconds=self.window_seconds, cooldown_seconds=self.cooldown_seconds
        )


class ModelSettings(Contract):
    """The whole file."""

    anthropic: AnthropicModels | None = None
    langchain: Mapping[_Name, LangChainModel] = Field(default_factory=dict[str, LangChainModel])
    tiers: Tiers
    risks: Risks = Risks()
    offline_last: bool = True
    """Whether the offline provider stands behind every tier; where not, a call fails when no model answers."""
    calls: Calls = Calls()
    breaker: Breaking = Breaking()
    deadlines: Mapping[str, _Seconds] = Field(default_factory=dict[str, float])

    @property
    def names(self) -> tuple[str, ...]:
        """Every model, as a tier names it."""
        claude = self.anthropic.models if self.anthropic else ()
        return (*(f"anthropic/{name}" for name in claude), *(f"langchain/{name}" for name in self.langchain), OFFLINE)

    def tier(self, risk: TaskRisk) -> Tier:
        """Of a task of that risk."""
        tiers: dict[TaskRisk, Tier] = {"low": self.risks.low, "medium": self.risks.medium, "high": self.risks.high}
        return tiers[risk]

    def order(self, risk: TaskRisk) -> tuple[str, ...]:
        """Whom a task of that risk is asked of, by name."""
        named = self.tiers.by_name[self.tier(risk)]
        return named if OFFLINE in named or not self.offline_last else (*named, OFFLINE)

    @model_validator(mode="after")
    def _everything_named_is_there(self) -> Self:
        for tier, named in self.tiers.by_name.items():
            unknown = next((name for name in named if name not in self.names), None)
            if unknown is not None:
                raise ValueError(f"tiers.{tier} names {unknown!r}; there are: {', '.join(self.names)}")
            if len(set(named)) < len(named):
                raise ValueError(f"tiers.{tier} names a model twice; keep one")
        foreign = next((name for name in self.deadlines if name not in TASKS), None)
        if foreign is not None:
            raise ValueError(f"deadlines names the task {foreign!r}; there are: {', '.join(sorted(TASKS))}")
        return self


def model_settings(settings: Settings) -> ModelSettings:
    """What the installation's file says; without one, the model that the environment names, or only the offline one.

    Raises:
        InputError: the file cannot be read or is wrong; it, the key and the way out are named.
    """
    path = settings.models_file
    try:
        return read_model_settings(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        if settings.named_models_file is not None:
            raise InputError(
                f"the models file {str(path)!r} is not there; correct or unset CASEWRIGHT_MODELS"
            ) from None
        return _of_environment(settings)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the models file {str(path)!r} cannot be read: {error}; mend it") from error


def described_models(settings: Settings, text: str | None, release_id: str) -> ModelSettings:
    """What a release says: its own file, else what the environment names; without a release see `model_settings`.

    Raises:
        InputError: the file is wrong.
    """
    if not release_id:
        return model_settings(settings)
    return _of_environment(settings) if text is None else read_model_settings(text, f"models.toml of {release_id}")


def read_model_settings(text: str, name: str) -> ModelSettings:
    """Settings from TOML; `name` is the file's, for errors.

    Raises:
        InputError: it is malformed; the key and the way out are named, never a value.
    """
    try:
        return ModelSettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the models file {name!r} is no TOML: {error}; correct it") from error
    except ValidationError as error:
        raise InputError(
            f"the models file {name!r} is wrong: {faults(error)}. Correct it; docs/models.md has every key"
        ) from error


def _of_environment(settings: Settings) -> ModelSettings:
    """As many know it: one model of Anthropic for everything, if there is a key."""
    model = settings.anthropic_model
    named = (f"anthropic/{model}",) if settings.anthropic_api_key else (OFFLINE,)
    claude = AnthropicModels(base_url=settings.anthropic_base_url, models={model: Overrides()})
    return ModelSettings(
        anthropic=claude if settings.anthropic_api_key else None,
        tiers=Tiers(fast=named, standard=named, strong=named),
    )
