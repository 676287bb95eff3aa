"""The same trivial tool on a bare MCP server and behind the full guard: what `casewright bench guard` compares.

`python -m commands.bench_servers bare|guarded stdio|http [PORT]` serves one of them as a process of
its own, the guarded one with settings and token from the environment, as `casewright mcp` would.
"""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from casewright.config import Settings, app_root, process_environment
from casewright.contracts.base import Contract
from casewright.contracts.principal import ServerName
from casewright.services import Services
from servers.build import ServerFactory
from servers.spec import ToolSpec

SERVER: ServerName = "case-facts"
TOOL = "get_evidence"
"""Registered in the access policy: it reads a case, so a call loads the attributes of one."""
HOST = "127.0.0.1"
UNLIMITED = 1_000_000
"""Requests a minute: counted like everywhere, and never refused."""


class Answer(Contract):
    evidence_id: str
    words: tuple[str, ...]


async def get_evidence(evidence_id: Annotated[str, Field(min_length=1, max_length=100)]) -> Answer:
    """Answer at once, from nothing."""
    return Answer(evidence_id=evidence_id, words=("paid", "on", "time"))


def bare() -> MCPServer[Any]:
    """The tool as the SDK serves it: no token, no decision, no audit."""
    server: MCPServer[Any] = MCPServer("bare", log_level="ERROR")
    server.tool()(get_evidence)
    return server


def guarded(services: Services) -> ServerFactory:
    """The tool behind the full guard, under the name and facts of a real one."""
    spec = ToolSpec(
        fn=get_evidence,
        title="Read an evidence item",
        verb="read",
        risk="low",
        resource="case",
        meets=frozenset({"redact"}),
        reads_untrusted=True,
    )
    return ServerFactory(services, tools={SERVER: (spec,)})


def main(arguments: Sequence[str]) -> None:
    """Serve until the client goes away or the process is ended."""
    kind, transport, *rest = arguments
    if kind == "bare":
        _serve_bare(transport, int(rest[0]) if rest else 0)
        return
    environment = process_environment()
    services = Services(Settings.load(home=None, environment=environment, app_root=app_root()))
    factory = guarded(services)
    if transport == "stdio":
        factory.build(SERVER, environment.get("CASEWRIGHT_TOKEN", "")).run("stdio")
        return
    from commands.serving_app import Wire, build_app
    from servers.wire import WireLimits
    from servers.wire_server import listening, wire_server

    port, wire = int(rest[0]), Wire(limits=WireLimits(requests_per_minute=UNLIMITED))
    app = build_app(services, (SERVER,), host=HOST, port=port, factory=factory, wire=wire)
    with listening(HOST, port) as listener:
        wire_server(app, wire.draining, wire.limits).run(sockets=[listener])


def _serve_bare(transport: str, port: int) -> None:
    server = bare()
    if transport == "stdio":
        server.run("stdio")
        return
    import uvicorn

    uvicorn.run(
        server.streamable_http_app(streamable_http_path=f"/{SERVER}/mcp"), host=HOST, port=port, log_level="error"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
