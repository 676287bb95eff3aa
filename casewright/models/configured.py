"""Providers as an installation's `models.toml` describes them, and whether its configuration suffices to reach them.

It makes no request. A model without its key is left out of every order, and `casewright models list` says so.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace

from casewright.config import Settings
from casewright.errors import InputError
from casewright.models.conduct import Conduct
from casewright.models.layer import ProviderAround
from casewright.models.model_settings import OFFLINE, AnthropicModels, LangChainModel, ModelSettings, Overrides, Tier
from casewright.models.offline import OfflineProvider
from casewright.models.provider import Capabilities, CountsTokens, ModelReply, ModelRequest, NoReply, Provider
from casewright.models.region import THIS_MACHINE, region_of
from casewright.models.retry import RetryPolicy
from casewright.models.routing import RISKS
from casewright.models.task import TaskRisk


class Declared(ProviderAround):
    """A provider with the capabilities that the installation declares for it."""

    def __init__(self, provider: Provider, overrides: Overrides, *, region: str = "") -> None:
        super().__init__(provider)
        fields = Overrides.model_fields
        given = {name: value for name in fields if (value := getattr(overrides, name)) is not None}
        if region:
            given["region"] = region
        self._capabilities = replace(provider.capabilities, **given)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        heard = request.listener if self._capabilities.streaming else None
        return await self.inner.complete(replace(request, listener=heard))

    async def count(self, request: ModelRequest) -> int | None:
        """See `CountsTokens`; None where the provider behind it cannot."""
        return await self.inner.count(request) if isinstance(self.inner, CountsTokens) else None


@dataclass(frozen=True, kw_only=True)
class Configured:
    """Makes the providers of one installation, each once."""

    settings: Settings
    models: ModelSettings

    def missing(self, name: str) -> str:
        """What the configuration lacks to reach a model; empty: nothing."""
        if name == OFFLINE:
            return ""
        kind, _, model = name.partition("/")
        if kind == "anthropic":
            return "" if self._anthropic_key else f"{self._anthropic.key_variable} is not set"
        return _langchain_missing(self.models.langchain[model], self.settings)

    def providers(self) -> Mapping[TaskRisk, tuple[Provider, ...]]:
        """Whom to ask for each risk, in order, without those that cannot be reached.

        Raises:
            InputError: none of a tier can be reached and the offline provider is not behind it, or a chat model does
                not take its settings.
        """
        made: dict[str, Provider] = {}
        return {risk: self._order(risk, made) for risk in RISKS}

    def first(self, risk: TaskRisk) -> str:
        """The model that a task of that risk is asked of first; empty: none can be reached."""
        reachable = (name for name in self.models.order(risk) if not self.missing(name))
        return next(reachable, "")

    def declared(self, name: str) -> Provider:
        """The provider of a model as a tier names it; makes no request.

        Raises:
            InputError: it is a chat model whose class is not there or does not take its settings.
        """
        if name == OFFLINE:
            return OfflineProvider()
        kind, _, model = name.partition("/")
        return self._claude(model) if kind == "anthropic" else self._chat_model(model)

    def _order(self, risk: TaskRisk, made: dict[str, Provider]) -> tuple[Provider, ...]:
        names = self.models.order(risk)
        reachable = [name for name in names if not self.missing(name)]
        if not reachable:
            tier: Tier = self.models.tier(risk)
            reasons = "; ".join(f"{name}: {self.missing(name)}" for name in names)
            raise InputError(f"no model of the tier {tier!r} can be reached ({reasons}); set what is missing")
        for name in reachable:
            if name not in made:
                made[name] = self.declared(name)
        return tuple(made[name] for name in reachable)

    def _claude(self, model: str) -> Provider:
        # Imported here because most processes never use it.
        from casewright.models.anthropic import AnthropicProvider

        known = self._anthropic
        address = known.base_url or self.settings.anthropic_base_url
        if known.region == THIS_MACHINE and region_of(address) != THIS_MACHINE:
            raise InputError(
                f"[anthropic] of the models file has the region {THIS_MACHINE!r}, and its address is elsewhere; "
                "name where that is, or leave `region` out"
            )
        provider = AnthropicProvider(
            api_key=self._anthropic_key,
            base_url=address,
            model=model,
            region=known.region,
        )
        return Declared(provider, known.models[model])

    def _chat_model(self, name: str) -> Provider:
        from casewright.models.langchain import load_langchain

        known = self.models.langchain[name]
        secrets = {argument: self.settings.secrets.get(variable) for argument, variable in known.secrets.items()}
        provider = load_langchain(known.import_path, {**known.settings, **secrets}, name=name)
        return Declared(provider, known, region=known.region)

    @property
    def _anthropic(self) -> AnthropicModels:
        found = self.models.anthropic
        if found is None:
            raise InputError("the models file has no [anthropic]; add it")
        return found

    @property
    def _anthropic_key(self) -> str:
        variable = self._anthropic.key_variable
        return (
            self.settings.anthropic_api_key if variable == "ANTHROPIC_API_KEY" else self.settings.secrets.get(variable)
        )


def conduct_of(settings: Settings, models: ModelSettings) -> Conduct:
    """How the installation wants models to be asked, without what is shared in the process."""
    calls = models.calls
    return Conduct(
        retry=RetryPolicy(
            attempts=calls.attempts,
            base_seconds=calls.first_pause_seconds,
            cap_seconds=calls.longest_pause_seconds,
        ),
        call_seconds=calls.seconds or settings.model_timeout_seconds,
        reserve_seconds=calls.reserve_seconds,
        task_seconds=models.deadlines,
        hedge_after_seconds=calls.hedge_after_ms / 1_000 if calls.hedge_after_ms else None,
        requests_at_once=calls.at_once,
    )


def _langchain_missing(model: LangChainModel, settings: Settings) -> str:
    unset = next((variable for variable in model.secrets.values() if not settings.secrets.get(variable)), None)
    if unset is not None:
        return f"{unset} is not set"
    package = model.import_path.partition(":")[0].partition(".")[0]
    found = importlib.util.find_spec(package) is not None
    return "" if found else f"the package {package!r} is not installed"
