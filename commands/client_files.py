"""Which files of which clients this person has on this machine, and how a client would start us."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from casewright.clients.places import STORE_FOLDERS, ClientName, Surroundings, configuration_path, platform_of

CARRIED = (
    "CASEWRIGHT_BUNDLES",
    "CASEWRIGHT_EMBEDDER",
    "CASEWRIGHT_ENGINE",
    "CASEWRIGHT_IDENTITY",
    "CASEWRIGHT_OIDC_",
    "CASEWRIGHT_OPA_",
    "CASEWRIGHT_POLICIES",
    "CASEWRIGHT_PUBLIC_URL",
)
"""Settings that a server needs and that a client does not pass on, by how they begin."""
SECRETS = ("TOKEN", "SECRET", "PASSWORD", "KEY")
"""How the name of a secret ends; none is carried, whatever it begins with."""


def client_path(client: ClientName, environment: Mapping[str, str]) -> Path:
    """The file of this client here.

    Raises:
        InputError: it is not known which.
    """
    platform = platform_of(sys.platform)
    local = environment.get("LOCALAPPDATA", "")
    packages = sorted(Path(local, "Packages").glob(STORE_FOLDERS)) if platform == "win32" and local else []
    where = Surroundings(
        platform=platform,
        environment=environment,
        user_folder=str(Path.home()),
        store_packages=tuple(str(folder) for folder in packages),
    )
    return Path(configuration_path(client, where))


def own_command() -> tuple[str, ...]:
    """How to start `casewright` from anywhere: absolute, and without a PATH."""
    beside = Path(sys.executable).parent / ("casewright.exe" if sys.platform == "win32" else "casewright")
    if beside.is_file() and os.access(beside, os.X_OK):
        return (str(beside.absolute()),)
    return (str(Path(sys.executable).absolute()), "-m", "casewright.launch")


def carried_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of this environment that a server started elsewhere needs as well."""
    carried = {name: value for name, value in sorted(environment.items()) if name.startswith(CARRIED)}
    return {name: value for name, value in carried.items() if not name.endswith(SECRETS)}
