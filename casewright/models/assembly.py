"""The one place that builds a model gateway, and says in which order the layers stand around a call.

From the outside in: answer cache, dialogue (validate, repair), retry, circuit breaker, permission (switches), budget,
redaction, egress (it decides on the request as it would leave), cassette, provider. It reads no environment and opens
no data folder: whoever did so passes what the layers work with. Called by `commands.orchestrator`.
"""

from dataclasses import dataclass
from pathlib import Path

from casewright.config import Settings
from casewright.models.accounting import Recorder
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import AnswerCache, Layer
from casewright.models.offline import OfflineProvider
from casewright.models.permission import ModelPermission
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import Provider


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What stands around every request inside the permission, and the cache around the whole dialogue."""

    answers: AnswerCache | None = None
    budget: Layer | None = None
    """Whether the run can afford what the request may cost."""
    redaction: Layer | None = None
    """Placeholders out, values back, and the label of what is sent."""
    egress: Layer | None = None
    """Whether data with that label may go to this model and region."""
    cassette: Layer | None = None
    """Records the exchange as it leaves: redacted."""

    @property
    def inward(self) -> tuple[Layer, ...]:
        """In their order, the outermost first."""
        return tuple(one for one in (self.budget, self.redaction, self.egress, self.cassette) if one is not None)


def from_settings(
    settings: Settings,
    prompts_folder: Path,
    recorder: Recorder,
    permission: ModelPermission,
    layers: Layers | None = None,
) -> Gateway:
    """The gateway that `settings` ask for: Anthropic when there is a key, the offline provider always last.

    Raises:
        InputError: the prompts folder or a prompt file is missing or malformed.
    """
    around = layers or Layers()
    return Gateway(
        _providers(settings),
        PromptLibrary(prompts_folder),
        recorder,
        permission=permission,
        layers=around.inward,
        conduct=Conduct(call_seconds=settings.model_timeout_seconds, answers=around.answers),
    )


def _providers(settings: Settings) -> list[Provider]:
    providers: list[Provider] = []
    if settings.anthropic_api_key:
        # Imported here because most processes never use it.
        from casewright.models.anthropic import AnthropicProvider

        providers.append(
            AnthropicProvider(
                api_key=settings.anthropic_api_key,
                base_url=settings.anthropic_base_url,
                model=settings.anthropic_model,
            )
        )
    return [*providers, OfflineProvider()]
