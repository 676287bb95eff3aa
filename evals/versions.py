"""What is evaluated, by version: the same names that a run is pinned to, and what the servers show."""

from casewright import __version__
from casewright.canonical import digest
from casewright.config import app_root
from casewright.contracts.evaluation import EvaluatedVersions
from casewright.definitions import LOCK, read_lock
from casewright.services import Services


def versions_of(services: Services) -> EvaluatedVersions:
    """The versions in force over a data folder.

    Raises:
        PolicyError: the policies cannot be loaded.
        StorageError: there is no index, or no lock of the servers' definitions.
    """
    from graphs.versions import pins_now

    lock = read_lock(app_root() / LOCK)
    pins = pins_now(services)
    return EvaluatedVersions(
        software=__version__,
        graph=pins.graph,
        state=pins.state,
        prompts=pins.prompts,
        policy=pins.policy,
        definitions=digest([[server.name, server.hash] for server in lock.servers]),
        index_version=pins.index_version,
        model=pins.model,
    )
