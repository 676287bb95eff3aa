"""Whether a release can be put in force: every piece is loaded, what it widens is counted, and a way back is kept.

Nothing changes here. A release that does not pass leaves everything as it was. Called by `casewright release`.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from casewright.access.flips import PERMISSIVE, group
from casewright.contracts.decision import Allowed
from casewright.contracts.principal import Principal
from casewright.contracts.release import Release
from casewright.corpus.states import state_named
from casewright.errors import CasewrightError, InputError
from casewright.releases.following import InForce, own_files
from casewright.releases.pieces import policy_revision
from commands.permission import TERMINAL
from commands.recorded_decisions import REPLAY, Selection, selected
from commands.shell import Shell
from servers.permission import Deed, foreseen

if TYPE_CHECKING:
    from casewright.access.engine import PolicyEngine
    from casewright.access.opa_settings import OpaSettings
    from casewright.models.prompts import PromptLibrary

SWITCH = "switch_release"
NEWEST_DECISIONS = 2_000
"""So many recorded decisions are decided again with the other policies."""


@dataclass(frozen=True, kw_only=True)
class Widening:
    """What decisions become under other policies; those that let through more come first."""

    decisions: int
    groups: tuple[dict[str, Any], ...]

    @property
    def permissive(self) -> int:
        """How many of them would let through more."""
        return sum(one["count"] for one in self.groups if one["kind"] in PERMISSIVE)

    @property
    def shown(self) -> dict[str, Any]:
        return {"decisions": self.decisions, "permissive": self.permissive, "groups": list(self.groups)}


async def tried(shell: Shell, release: Release, principal: Principal) -> InForce:
    """The files of a release that can be put in force.

    Raises:
        InputError: a piece cannot be loaded, or nobody could go back; what it is, is said.
    """
    services = shell.services
    try:
        found = services.release.at(release.release_id)
        _check_versions(shell, release, found)
        _check_locked(found)
        state_named(services.settings.index, found.index_version)
        await _check_policies(shell, found, principal)
    except CasewrightError as error:
        raise InputError(f"{release.release_id} cannot be put in force, nothing changed: {error}") from error
    return found


async def tried_own(shell: Shell, principal: Principal) -> InForce:
    """The installation's own files, if they can be put in force: a rollback to none is a switch like any other.

    Raises:
        InputError: a piece cannot be loaded, or nobody could switch again; what it is, is said.
    """
    from graphs.versions import versions_under

    found = own_files(shell.settings)
    try:
        versions_under(shell.services, found)
        _prompts(found)
        await _check_policies(shell, found, principal)
    except CasewrightError as error:
        raise InputError(
            f"the installation's own files cannot be put in force, nothing changed: {error}; or promote another release"
        ) from error
    return found


async def widening(shell: Shell, before: InForce, after: InForce) -> Widening:
    """What the newest recorded decisions of the tenant, and all that the matrix of both asks about, become.

    The matrix asks for every role on every tool in every state, so what nobody ever asked for is not overlooked.

    Raises:
        DeniedError: this person may not have decisions decided again.
    """
    from casewright.access.bundle import read_bundle
    from casewright.access.matrix import questions
    from casewright.access.replay import ReplayInput, replay

    bundles = read_bundle(before.policies), read_bundle(after.policies)
    if bundles[0].revision == bundles[1].revision:
        return Widening(decisions=0, groups=())
    recorded = await selected(shell, Selection(tool="", since_ns=0, limit=NEWEST_DECISIONS, opened=True, deed=REPLAY))
    asked = dict(question for bundle in bundles for question in questions(bundle))
    enumerated = [
        ReplayInput(name=name, document=document.model_dump(mode="json", by_alias=True))
        for name, document in asked.items()
    ]
    report = replay(before.policies, after.policies, [*recorded, *enumerated], workers=1)
    return Widening(decisions=report.inputs, groups=tuple(asdict(one) for one in group(report.flips)))


def _check_versions(shell: Shell, release: Release, found: InForce) -> None:
    from graphs.versions import versions_under

    pinned, here = release.manifest.versions.model_dump(), versions_under(shell.services, found).model_dump()
    other = [
        f"{name} {str(pinned[name])[:20]!r}, here {str(here[name])[:20]!r}"
        for name in pinned
        if pinned[name] != here[name]
    ]
    if other:
        raise InputError(f"it pins {'; '.join(other)}: bring that back (software, or the models' settings) first")


def _check_locked(found: InForce) -> None:
    from casewright.models.prompt_lock import check_lock

    check_lock(_prompts(found), found.prompts)


def _prompts(found: InForce) -> "PromptLibrary":
    """The prompts, one for every task."""
    from casewright.models.prompts import PromptLibrary
    from casewright.models.tasks import TASKS

    library = PromptLibrary(found.prompts)
    for task in TASKS.values():
        library.for_task(task)
    return library


async def _check_policies(shell: Shell, found: InForce, principal: Principal) -> None:
    check_server(shell.settings.opa, policy_revision(found.policies))
    engine = _engine(shell, found)
    try:
        await _check_way_back(shell, principal, engine)
    finally:
        engine.close()


def check_server(opa: "OpaSettings | None", revision: str) -> None:
    """Return if decisions will be of these policies: an OPA server with another pinned revision decides by that.

    Raises:
        InputError: it is pinned to others.
    """
    if opa is not None and opa.revision and opa.revision != revision:
        raise InputError(
            f"CASEWRIGHT_OPA_REVISION={opa.revision!r} pins other policies than {revision!r}; pin these, or none, so "
            "that what is in force is expected of the OPA server"
        )


def _engine(shell: Shell, found: InForce) -> "PolicyEngine":
    from casewright.access.embedded import EmbeddedEngine
    from casewright.access.watched import PolicyPlace

    place = PolicyPlace(folder=found.policies, revision=found.policy_revision)
    return EmbeddedEngine.load(lambda: place, cache=shell.settings.home / "vetted-policies")


async def _check_way_back(shell: Shell, principal: Principal, engine: "PolicyEngine") -> None:
    deed = Deed(name=SWITCH, verb="write", risk="high")
    verdict = await foreseen(shell.services, principal, deed, session=TERMINAL, engine=engine)
    if not isinstance(verdict, Allowed):
        raise InputError(f"under its policies {principal.id!r} could not roll it back ({verdict.code}); mend them")
