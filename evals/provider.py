"""A model beyond this process for the suites that ask one: which, with which key, as the options of a run say.

The processes of an evaluation see no key of their machine, so a run that is to reach a model names a file with its key:
`casewright eval run quality -o model=NAME -o key_file=FILE`. Nothing is asked without both.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from casewright.config import Settings, app_root
from casewright.errors import InputError
from casewright.services import Services
from evals.suite import Materials, SuiteUnavailableError

if TYPE_CHECKING:
    from casewright.models.gateway import Gateway
    from casewright.models.model_settings import ModelSettings
    from casewright.models.prompts import PromptLibrary

JUDGE_PROMPTS = app_root() / "evals" / "judging" / "prompts"
_WAY_OUT = "name one: -o model=NAME -o key_file=FILE (and -o base_url=URL where it is not the service's own)"


def provider_named(materials: Materials) -> bool:
    """Whether the run names a model."""
    return bool(materials.options.get("model"))


def with_provider(settings: Settings, materials: Materials) -> Settings:
    """Settings that reach the model of the run's options, and no other.

    Raises:
        SuiteUnavailableError: they name none.
        InputError: the file with the key cannot be read or is empty.
    """
    model, key_file = materials.options.get("model", ""), materials.options.get("key_file", "")
    if not model or not key_file:
        raise SuiteUnavailableError(f"no model beyond this process is named; {_WAY_OUT}")
    try:
        key = Path(key_file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the key file {key_file!r} cannot be read ({error}); name another") from error
    if not key:
        raise InputError(f"the key file {key_file!r} is empty; put the key into it")
    return replace(
        settings,
        anthropic_api_key=key,
        anthropic_model=model.removeprefix("anthropic/"),
        anthropic_base_url=materials.options.get("base_url", ""),
    )


def described(settings: Settings) -> "ModelSettings":
    """That model for every task, without the offline provider behind it: its answers would count as the model's."""
    from casewright.models.model_settings import model_settings

    return model_settings(settings).model_copy(update={"offline_last": False})


def judge_prompts() -> "PromptLibrary":
    """The prompts of the judge beside those of the product, held to their lock.

    Raises:
        InputError: one has another text than its version was locked with.
    """
    from casewright.models.prompt_lock import check_lock
    from casewright.models.prompts import PromptLibrary

    check_lock(PromptLibrary(JUDGE_PROMPTS), JUDGE_PROMPTS)
    return PromptLibrary(app_root() / "agents" / "prompts", JUDGE_PROMPTS)


def judge_gateway(services: Services, prompts: "PromptLibrary") -> "Gateway":
    """A gateway with the product's layers and records that has the judge's prompts."""
    from casewright.models.configured import Configured, conduct_of
    from casewright.models.gateway import Gateway
    from commands.orchestrator import AuditRecorder, build_layers, build_permission

    models = described(services.settings)
    return Gateway(
        Configured(settings=services.settings, models=models).providers(),
        prompts,
        AuditRecorder(services),
        permission=build_permission(services),
        layers=build_layers(services).inward,
        conduct=conduct_of(services.settings, models),
    )
