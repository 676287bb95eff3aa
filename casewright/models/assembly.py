"""The one place that builds a model gateway, and says in which order the layers stand around a call.

From the outside in: answer cache, dialogue (validate, repair), retry, circuit breaker, permission (switches), budget,
redaction, egress (it decides on the request as it would leave), cassette, provider. It reads no environment and opens
no data folder: whoever did so passes what the layers work with. Called by `commands.orchestrator`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from casewright.config import Settings
from casewright.models.accounting import Recorder
from casewright.models.breaker import breakers_of
from casewright.models.configured import Configured, conduct_of
from casewright.models.gateway import Gateway
from casewright.models.layer import AnswerCache, Layer
from casewright.models.model_settings import OFFLINE, ModelSettings, model_settings
from casewright.models.offline import OFFLINE_MODEL
from casewright.models.permission import ModelPermission
from casewright.models.prompt_lock import check_lock
from casewright.models.prompts import PromptLibrary
from casewright.models.routing import RISKS


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What stands around every request inside the permission, and the cache around the whole dialogue.

    A gateway over services has all of the layers: none of them may be missing because somebody forgot it.
    """

    budget: Layer
    """Whether the run can afford what the request may cost."""
    redaction: Layer
    """Placeholders out, values back, and the label of what is sent."""
    egress: Layer
    """Whether data with that label may go to this model and region."""
    cassette: Layer
    """Records the exchange as it leaves: redacted."""
    answers: AnswerCache | None = None
    """Where answers of deterministic tasks are kept; None: nowhere."""

    @property
    def inward(self) -> tuple[Layer, ...]:
        """In their order, the outermost first."""
        return (self.budget, self.redaction, self.egress, self.cassette)


def from_settings(
    settings: Settings,
    prompts_folder: Path,
    recorder: Recorder,
    permission: ModelPermission,
    layers: Layers,
    models: ModelSettings | None = None,
) -> Gateway:
    """The gateway that `settings` and the installation's `models.toml` ask for.

    Args:
        models: other models than that file says; None: those.

    Raises:
        InputError: that file is wrong; the prompts folder or a prompt file is missing, malformed, or another than the
            one that was locked.
    """
    prompts = PromptLibrary(prompts_folder)
    check_lock(prompts, prompts_folder)
    described = models or model_settings(settings)
    conduct = replace(
        conduct_of(settings, described),
        breakers=breakers_of(settings.home, described.breaker.policy),
        answers=layers.answers,
    )
    return Gateway(
        Configured(settings=settings, models=described).providers(),
        prompts,
        recorder,
        permission=permission,
        layers=layers.inward,
        conduct=conduct,
    )


def first_models(settings: Settings, models: ModelSettings) -> tuple[str, ...]:
    """The models that are asked first, of every tier, each once."""
    configured = Configured(settings=settings, models=models)
    named = dict.fromkeys(configured.first(risk).removeprefix("anthropic/") for risk in RISKS)
    return tuple(OFFLINE_MODEL if name == OFFLINE else name for name in named)
