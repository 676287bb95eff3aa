"""The versions that a run is begun with, and whether present code may go on with it.

Graph and state belong together: a run of an older state is migrated, which is noted, and one of a newer or unknown
state is refused. Prompts, policies and models are always those in force: a stricter policy or a mended prompt has to
take hold of runs under way, too; that they changed is noted. The index stays the pinned one for search, while that
state is kept (see `servers.policy_search`). Called by whoever wakes a run, before anything of it is read or done.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from casewright import __version__
from casewright.canonical import digest
from casewright.config import app_root
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import EvaluatedVersions
from casewright.corpus.states import active_state
from casewright.definitions import LOCK, read_lock
from casewright.errors import ConflictError
from casewright.models.assembly import first_models
from casewright.releases.following import InForce
from casewright.releases.pieces import policy_revision, prompts_digest
from casewright.services import Services
from graphs.router import AGENTS
from graphs.state import DELEGATES, STATE_VERSION, ReviewUpdate, Step

GRAPH_VERSION = 2
"""Of the nodes, their names and how they are wired; see `graphs.review`."""
Migration = Callable[[Mapping[str, Any]], ReviewUpdate]


class VersionRefusedError(ConflictError):
    """Fork or cancel: this code cannot go on with the run, now or later."""


class Pins(Contract):
    """What a run is pinned to; written once, at its beginning."""

    graph: int
    state: int
    prompts: str
    """Over the prompt files: digest of their names and hashes."""
    policy: str
    """Revision of the policies in force."""
    index_version: str
    model: str
    """The models that are asked first, of every tier."""
    release: str = ""
    """The release that they are of; empty: none is in force."""


def pins_now(services: Services) -> Pins:
    """The versions in force in this process.

    Raises:
        PolicyError: the policies cannot be loaded.
        StorageError: there is no index, or the active release cannot be followed.
    """
    return pins_under(services, services.release.current())


def pins_under(services: Services, found: InForce) -> Pins:
    """The versions of a run under a release: the policies are those in force, also where a canary is tried out.

    Raises:
        PolicyError: the policies cannot be loaded.
        StorageError: there is no index.
    """
    return Pins(
        graph=GRAPH_VERSION,
        state=STATE_VERSION,
        prompts=prompts_digest(found.prompts),
        policy=services.engine.revision,
        index_version=found.index_version or services.corpus.index_version(),
        model=_models(services, found),
        release=found.release_id,
    )


def versions_under(services: Services, found: InForce) -> EvaluatedVersions:
    """Everything that a release pins, as it is in an installation or a release: what was evaluated has to equal it.

    Raises:
        PolicyError: the policies cannot be read.
        StorageError: there is no index, or no pinned definitions.
    """
    return EvaluatedVersions(
        software=__version__,
        graph=GRAPH_VERSION,
        state=STATE_VERSION,
        prompts=prompts_digest(found.prompts),
        policy=policy_revision(found.policies),
        definitions=digest([[server.name, server.hash] for server in read_lock(app_root() / LOCK).servers]),
        index_version=found.index_version or active_state(services.settings.index).index_version,
        model=_models(services, found),
    )


def _models(services: Services, found: InForce) -> str:
    return ", ".join(first_models(services.settings, services.models_of(found)))


def changes(pins: Mapping[str, Any], now: Pins) -> dict[str, dict[str, Any]]:
    """What is in force now and was not when the run began, by name."""
    current = now.model_dump(mode="json")
    return {
        name: {"pinned": pins[name], "now": current[name]}
        for name in current
        if name in pins and pins[name] != current[name]
    }


def state_version(values: Mapping[str, Any]) -> object:
    """Of a stored state, as it says; those of version 1 do not. A state that no step has written is the present one."""
    return values.get("state_version", 1 if values.get("steps") else STATE_VERSION)


def is_known_state(values: Mapping[str, Any]) -> bool:
    """Whether present code can read a stored state, migrated or as it is."""
    return _is_known(state_version(values), STATE_VERSION)


def admitted(run_id: str, pins: Mapping[str, Any], values: Mapping[str, Any]) -> ReviewUpdate:
    """What to change in a stored state before present code goes on with it; empty: nothing.

    Raises:
        VersionRefusedError: code of another version wrote it, and there is no migration from there.
    """
    graph, known = pins.get("graph", 1), state_version(values)
    if not _is_known(graph, GRAPH_VERSION) or not is_known_state(values):
        raise VersionRefusedError(
            f"run {run_id!r} was begun with graph {graph!r} and has a state of version {known!r}; here are graph "
            f"{GRAPH_VERSION} and state {STATE_VERSION}. Run a newer casewright, fork it from the start, or cancel it"
        )
    return migrated(values)


def migrated(values: Mapping[str, Any]) -> ReviewUpdate:
    """The changes that bring a known older state to the present version; empty: it is there."""
    update: ReviewUpdate = {}
    version = state_version(values)
    while isinstance(version, int) and version < STATE_VERSION:
        update = {**update, **_MIGRATIONS[version]({**values, **update})}
        version += 1
    return update


def _from_1(values: Mapping[str, Any]) -> ReviewUpdate:
    """One count of all delegations becomes one for each agent; whether intake is done is said by a field."""
    trail: list[Step] = values.get("trail", [])
    agents = Counter(AGENTS.get("propose" if str(node) == "act" else node, "") for node in trail)
    known = {"intake", *DELEGATES, "verifier", "executor"}
    return {
        "state_version": 2,
        "classified": "case_type" in values,
        "delegated": {agent: times for agent, times in sorted(agents.items()) if agent in known},
    }


_MIGRATIONS: dict[int, Migration] = {1: _from_1}
"""From a version to the next."""


def _is_known(version: object, newest: int) -> bool:
    return isinstance(version, int) and not isinstance(version, bool) and 1 <= version <= newest
