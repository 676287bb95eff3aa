"""One frozen Settings, built in `launch.py` and passed down; never global, never re-read.

It is deliberately *not* a reader of the environment: `Settings.load` is called once per process.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from casewright.access.opa_settings import OpaSettings, opa_settings
from casewright.errors import InputError
from casewright.identity.settings import IdentitySettings, identity_settings


@dataclass(frozen=True, kw_only=True)
class Budgets:
    """What one review may spend before it ends as incomplete; its forks go on counting where it stood."""

    steps: int = 40
    """Graph steps."""
    delegations: int = 8
    """Times that the run may hand over to one and the same agent."""
    tool_calls: int = 200
    tokens: int = 400_000
    """Of every model call together, in and out."""
    cost_micro: int = 2_500_000
    """Millionths of the currency of `casewright/models/prices.toml`."""
    wall_clock_seconds: int = 300
    """Working time; waiting for people does not count."""
    step_seconds: int = 180
    """After which one step is given up."""


BUDGET_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "steps": "CASEWRIGHT_BUDGET_STEPS",
        "delegations": "CASEWRIGHT_BUDGET_DELEGATIONS",
        "tool_calls": "CASEWRIGHT_BUDGET_TOOL_CALLS",
        "tokens": "CASEWRIGHT_BUDGET_TOKENS",
        "cost_micro": "CASEWRIGHT_BUDGET_COST_MICRO",
        "wall_clock_seconds": "CASEWRIGHT_BUDGET_SECONDS",
        "step_seconds": "CASEWRIGHT_BUDGET_STEP_SECONDS",
    }
)
"""The variable of the environment that sets each budget."""
_LARGEST_BUDGETS = {"tokens": 1_000_000_000, "cost_micro": 1_000_000_000_000}
_LARGEST_BUDGET = 100_000


class Secrets:
    """The variables of the environment that a settings file may name; looked up when needed, and never shown."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get(self, variable: str) -> str:
        """Its value; empty: it is not set."""
        return self._environment.get(variable, "")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where things are and how much they may spend."""

    home: Path
    """The data folder: database, index, keys, identities."""
    policies: Path
    """The Rego files in force."""
    opa: OpaSettings | None = None
    """The OPA server that decides; None: the embedded engine does."""
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    """Who vouches for people."""
    budgets: Budgets = Budgets()
    embedder: str = "static"
    """What turns text into vectors for the search, as `casewright.corpus.embedders` names it."""
    tool_timeout_seconds: float = 20.0
    approvals_url: str = ""
    """Where people find the approvals that wait for them, each below it by its id; empty: no address is known."""
    anthropic_api_key: str = ""
    anthropic_base_url: str = ""
    anthropic_model: str = "claude-sonnet-5"
    model_timeout_seconds: float = 60.0
    named_models_file: Path | None = None
    """The file that says which models there are; None: `models.toml` in the data folder, if there is one."""
    secrets: Secrets = field(default_factory=lambda: Secrets({}), repr=False, compare=False)

    @property
    def models_file(self) -> Path:
        return self.named_models_file or self.home / "models.toml"

    @property
    def database(self) -> Path:
        return self.home / "casewright.db"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints.db"

    @property
    def index(self) -> Path:
        return self.home / "index"

    @property
    def identities(self) -> Path:
        return self.home / "identities.json"

    @property
    def signing_key(self) -> Path:
        return self.home / "signing-key.pem"

    @property
    def standings(self) -> Path:
        return self.home / "standings"

    @classmethod
    def load(cls, *, home: str | None, environment: Mapping[str, str], app_root: Path) -> "Settings":
        """Settings from `--home` and the environment.

        Raises:
            InputError: the home is a file, or a variable of the environment is wrong; it is named.
        """
        chosen = home or environment.get("CASEWRIGHT_HOME") or str(Path.home() / ".casewright")
        path = Path(chosen).expanduser().resolve()
        if path.exists() and not path.is_dir():
            raise InputError(f"the data folder {str(path)!r} is a file; name a folder with --home or CASEWRIGHT_HOME")
        policies = environment.get("CASEWRIGHT_POLICIES")
        models = environment.get("CASEWRIGHT_MODELS")
        return cls(
            home=path,
            policies=Path(policies).expanduser().resolve() if policies else app_root / "policies",
            identity=identity_settings(environment),
            opa=_opa(environment),
            budgets=_budgets(environment),
            embedder=environment.get("CASEWRIGHT_EMBEDDER", cls.embedder),
            approvals_url=_approvals_url(environment),
            named_models_file=Path(models).expanduser().resolve() if models else None,
            secrets=Secrets(environment),
            anthropic_api_key=environment.get("ANTHROPIC_API_KEY", ""),
            anthropic_base_url=environment.get("ANTHROPIC_BASE_URL", ""),
            anthropic_model=environment.get("CASEWRIGHT_ANTHROPIC_MODEL", cls.anthropic_model),
        )


def _opa(environment: Mapping[str, str]) -> OpaSettings | None:
    engine = environment.get("CASEWRIGHT_ENGINE", "embedded")
    if engine not in ("embedded", "opa"):
        raise InputError(f"CASEWRIGHT_ENGINE={engine!r} is neither 'embedded' nor 'opa'; correct or unset it")
    return opa_settings(environment) if engine == "opa" else None


def _approvals_url(environment: Mapping[str, str]) -> str:
    url = environment.get("CASEWRIGHT_APPROVALS_URL", "").rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username):
        raise InputError(f"CASEWRIGHT_APPROVALS_URL={url!r} is no address; name https://HOST/PATH, or unset it")
    return url


def _budgets(environment: Mapping[str, str]) -> Budgets:
    given = {
        name: _whole_number(environment, variable, largest=_LARGEST_BUDGETS.get(name, _LARGEST_BUDGET))
        for name, variable in BUDGET_VARIABLES.items()
        if variable in environment
    }
    return replace(Budgets(), **given)


def _whole_number(environment: Mapping[str, str], name: str, *, largest: int) -> int:
    text = environment[name]
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= largest:
        raise InputError(f"{name}={text!r} is not a whole number from 1 to {largest}; correct or unset it")
    return int(text)


def app_root() -> Path:
    """The folder that holds `servers`, `agents`, `policies`: `_app` in a wheel, else the checkout."""
    package = Path(__file__).resolve().parent
    bundled = package / "_app"
    return bundled if bundled.is_dir() else package.parent


def process_environment() -> Mapping[str, str]:
    """The environment of this process; read by `launch.py` alone."""
    return os.environ
