"""What one guarded call consists of, each part timed by itself: token, standing, input, decision, audit."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio.to_thread

from casewright.access.decide import decide
from casewright.access.requests import AccessRequest, ToolFacts, decision_input
from casewright.audit.entry import AuditEntry
from casewright.audit.meter import MeterChange
from casewright.services import Services
from commands.bench_servers import SERVER, TOOL
from commands.bench_timing import Work, latencies_of, percentile
from servers.decisions import Decider
from servers.resources import load_resource


async def parts(
    services: Services, token: str, arguments: Mapping[str, Any], calls: int
) -> dict[str, dict[str, float]]:
    """Milliseconds of every part at the 50th and 95th percentile, as the guard does them, one after another."""
    caller = await services.tokens.verify(token, server=SERVER)
    resource = await load_resource(services, "case", caller, arguments)
    standing = await services.standing.read(caller.principal.tenant, caller.actor.run_id)
    request = AccessRequest(
        caller=caller,
        tool=ToolFacts(server=SERVER, name=TOOL, verb="read", risk="low", definition_hash="0" * 64),
        resource=resource,
        arguments=arguments,
        mode="call",
        calls=standing.calls,
        untrusted=standing.untrusted,
        controls=standing.controls,
    )
    document = decision_input(request, services.clock)
    decider = Decider(services)

    async def made_input() -> None:
        await load_resource(services, "case", caller, arguments)
        decision_input(request, services.clock)

    async def decided() -> None:
        ask = partial(decide, services.engine, document)
        await (anyio.to_thread.run_sync(ask) if services.engine.blocking else _at_once(ask))

    async def audited() -> None:
        answer = await decider.decide(request)
        entry = AuditEntry.of_caller("call.allowed", caller, {"server": SERVER, "tool": TOOL, **answer.named})
        record = decider.record(answer)
        await services.audit.append(entry, record=record, meter=MeterChange(untrusted=False), durable=False)

    async def decided_and_named() -> None:
        decider.record(await decider.decide(request))

    works: dict[str, Work] = {
        "token": partial(services.tokens.verify, token, server=SERVER),
        "standing": partial(services.standing.read, caller.principal.tenant, caller.actor.run_id),
        "input": made_input,
        "decision": decided,
    }
    found = {name: await latencies_of(work, calls) for name, work in works.items()}
    # The audit needs a new decision id each time, so its own share is what it adds to deciding.
    alone = percentile(await latencies_of(decided_and_named, calls), 50)
    found["audit"] = [max(0.0, took - alone) for took in await latencies_of(audited, calls)]
    return {
        name: {"p50_ms": round(percentile(took, 50), 3), "p95_ms": round(percentile(took, 95), 3)}
        for name, took in found.items()
    }


async def _at_once(ask: Any) -> None:
    ask()
