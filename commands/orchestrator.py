"""Builds the review runner and the gateway for the commands: servers in process, models, records."""

from typing import TYPE_CHECKING

from casewright.audit.durability import must_be_durable
from casewright.audit.entry import AuditEntry
from casewright.config import app_root
from casewright.services import Services
from graphs.records import RunRecords

if TYPE_CHECKING:  # the models are loaded when one is asked for: reading the queue needs none
    from casewright.models.accounting import CallRecord
    from casewright.models.gateway import Gateway
    from casewright.models.permission import ModelPermission
    from graphs.answering import QuestionDriver
    from graphs.desk import Desk
    from graphs.runner import ReviewRunner


class AuditRecorder:
    """Writes every model call to the audit; a call that cannot be recorded fails."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, record: "CallRecord") -> None:
        body = record.model_dump(mode="json", exclude={"run_id", "case_id", "tenant", "agent"})
        entry = AuditEntry(
            kind="model.called",
            tenant=record.tenant,
            subject="",
            agent=record.agent,
            run_id=record.run_id,
            case_id=record.case_id,
            body=body,
        )
        await self._services.audit.append(entry, durable=must_be_durable(entry.kind))


def build_gateway(services: Services) -> "Gateway":
    """The model gateway with the prompts that ship with the agents."""
    from casewright.models.assembly import Layers, from_settings

    prompts = app_root() / "agents" / "prompts"
    layers = Layers()
    return from_settings(services.settings, prompts, AuditRecorder(services), build_permission(services), layers)


def build_permission(services: Services) -> "ModelPermission":
    """Whether a model may be called: the kill switches as they are with each request."""
    from casewright.controls.models import SwitchedModels

    return SwitchedModels(services.standing, services.settings.policies)


def build_records(services: Services) -> RunRecords:
    """Rows and events of runs."""
    return RunRecords(services.database, services.clock)


def build_runner(services: Services, gateway: "Gateway") -> "ReviewRunner":
    """The runner over servers in this process."""
    from graphs.runner import ReviewRunner

    return ReviewRunner(services, build_desk(services, gateway), build_records(services))


def build_desk(services: Services, gateway: "Gateway") -> "Desk":
    """What the nodes of a review work with: the servers in this process, the models, the records."""
    # imported here: commands that only read need no graph
    from graphs.connections import Connections
    from graphs.desk import Desk
    from graphs.spending import RecordedSpending
    from servers.build import ServerFactory

    return Desk(
        connections=Connections(services.exchange, ServerFactory(services).build),
        gateway=gateway,
        recorder=build_records(services),
        questions=services.questions,
        spending=RecordedSpending(services.database),
        people=services.standings,
        budgets=services.settings.budgets,
        clock=services.clock,
    )


def build_question_driver(services: Services, gateway: "Gateway") -> "QuestionDriver":
    """What answers queued questions, over servers in this process."""
    from graphs.answering import QuestionDriver
    from servers.build import ServerFactory

    return QuestionDriver(services, build_records(services), gateway, ServerFactory(services).build)
