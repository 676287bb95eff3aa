"""Builds the review runner and the gateway for the commands: servers in process, models, records."""

from functools import cached_property
from typing import TYPE_CHECKING

from casewright.config import app_root
from casewright.services import Services
from graphs.records import RunRecords

if TYPE_CHECKING:  # the models are loaded when one is asked for: reading the queue needs none
    from casewright.models.accounting import CallRecord
    from casewright.models.affordable import BudgetLayer
    from casewright.models.assembly import Layers
    from casewright.models.gateway import Gateway
    from casewright.models.layer import CallNotes
    from casewright.models.model_settings import ModelSettings
    from casewright.models.permission import ModelPermission
    from casewright.models.protection.redaction import ProtectionLayer
    from casewright.models.recording import CallRecorder
    from casewright.models.response_cache import ResponseCache
    from casewright.releases.following import InForce
    from graphs.answering import QuestionDriver
    from graphs.connections import LockedPins
    from graphs.desk import Desk
    from graphs.runner import ReviewRunner


class AuditRecorder:
    """Keeps every model call with its cost and what was exchanged; a call that cannot be recorded fails."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, record: "CallRecord", notes: "CallNotes") -> "CallRecord":
        return await self._recorder.record(record, notes)

    @cached_property
    def _recorder(self) -> "CallRecorder":
        from casewright.models.prices import prices_of
        from casewright.models.recording import CallRecorder

        services = self._services
        return CallRecorder(services.audit, services.contents, prices_of(services.settings.home), services.clock)


def build_gateway(services: Services, models: "ModelSettings | None" = None) -> "Gateway":
    """The model gateway with the prompts and models of the release in force, which it follows; or over other models."""
    from casewright.models.following import FollowingGateway

    if models is not None:
        return build_gateway_over(services, services.release.current(), models)
    return FollowingGateway(
        services.release.of_run, lambda found: build_gateway_over(services, found, services.models_of(found))
    )


def build_gateway_over(services: Services, found: "InForce", models: "ModelSettings") -> "Gateway":
    """A gateway with the prompts of one release, or with those that ship with the agents."""
    from casewright.models.assembly import from_settings

    recorder, permission, layers = AuditRecorder(services), build_permission(services), build_layers(services, found)
    return from_settings(services.settings, found.prompts, recorder, permission, layers, models)


def build_layers(services: Services, found: "InForce | None" = None) -> "Layers":
    """What stands around every request to a model, over the data folder."""
    from casewright.models.assembly import Layers
    from casewright.models.cassette import CassetteLayer
    from casewright.models.egress import EgressLayer

    return Layers(
        redaction=build_protection(services, found),
        egress=EgressLayer(lambda: services.engine),
        answers=build_answers(services),
        budget=build_budget(services),
        cassette=CassetteLayer(services.contents),
    )


def build_budget(services: Services) -> "BudgetLayer":
    """What holds requests against what the run and the tenant may still spend."""
    from casewright.models.affordable import BudgetLayer
    from casewright.models.prices import prices_of
    from casewright.models.spending import TenantSpending, spending_rules

    home = services.settings.home
    return BudgetLayer(prices_of(home), spending_rules(home), TenantSpending(services.database), services.clock)


def build_answers(services: Services) -> "ResponseCache | None":
    """Where answers of deterministic tasks are kept; None: the installation keeps none."""
    from casewright.audit.sealing import Sealing
    from casewright.models.response_cache import ResponseCache
    from casewright.models.spending import spending_rules

    home = services.settings.home
    seconds = spending_rules(home).answers.keep_seconds
    if not seconds:
        return None

    def in_force() -> str:
        services.engine.reload_if_changed()
        return services.engine.revision

    sealing = Sealing.beside(home)
    return ResponseCache(services.database, sealing, services.clock, keep_seconds=seconds, revision=in_force)


def build_permission(services: Services) -> "ModelPermission":
    """Whether a model may be called: the kill switches as they are with each request."""
    from casewright.controls.models import SwitchedModels

    return SwitchedModels(services.standing, lambda: services.release.current().policies)


def build_protection(services: Services, found: "InForce | None" = None) -> "ProtectionLayer":
    """What takes personal data out of requests, with what the store knows of each case.

    Args:
        found: the release whose words it uses; None: the one in force.
    """
    from casewright.cases.protected import StoredKnowledge
    from casewright.models.prompts import load_prompt
    from casewright.models.protection.redaction import ProtectionLayer

    prompts = (found or services.release.current()).prompts
    notice = load_prompt(prompts / "placeholders.md").instructions
    return ProtectionLayer(StoredKnowledge(services.cases), notice=notice)


def build_records(services: Services) -> RunRecords:
    """Rows and events of runs."""
    return RunRecords(services.database, services.clock)


def build_runner(services: Services, gateway: "Gateway") -> "ReviewRunner":
    """The runner over servers in this process."""
    from graphs.runner import ReviewRunner

    return ReviewRunner(services, build_desk(services, gateway), build_records(services))


def build_pins(services: Services) -> "LockedPins":
    """What each server shows in the reviewed state of this checkout."""
    from functools import partial

    from casewright.definitions import LOCK, read_lock
    from graphs.connections import LockedPins

    return LockedPins(partial(read_lock, app_root() / LOCK), services.audit)


def build_desk(services: Services, gateway: "Gateway") -> "Desk":
    """What the nodes of a review work with: the servers in this process, the models, the records."""
    # imported here: commands that only read need no graph
    from casewright.cases.inspection import StoredInspection
    from casewright.replay.recording import ToolRecorder
    from graphs.connections import Connections
    from graphs.desk import Desk
    from graphs.spending import RecordedSpending
    from servers.build import ServerFactory

    records = build_records(services)
    return Desk(
        connections=Connections(services.exchange, ServerFactory(services).build, build_pins(services)),
        gateway=gateway,
        recorder=records,
        wishes=records,
        questions=services.questions,
        spending=RecordedSpending(services.database),
        people=services.standings,
        budgets=services.settings.budgets,
        clock=services.clock,
        inspection=StoredInspection(services.cases),
        tool_recording=ToolRecorder(services.contents, services.clock),
    )


def build_question_driver(services: Services, gateway: "Gateway") -> "QuestionDriver":
    """What answers queued questions, over servers in this process."""
    from graphs.answering import QuestionDriver
    from servers.build import ServerFactory

    return QuestionDriver(services, build_records(services), gateway, ServerFactory(services).build)
