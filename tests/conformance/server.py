"""The fixture server of the conformance suite: `python -m tests.conformance.server bare|guarded PORT [HOME POLICIES]`.

Bare is what the SDK serves; guarded is the same tools, resources and prompts behind our guard. The suite brings no
token, so the guarded server is given one for every request; the guard verifies it on each, decides and audits as ever.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer

from servers.build import transport_security
from tests.conformance.entries import furnish
from tests.conformance.rounds import IN_ROUNDS
from tests.conformance.tools import PLAIN

HOST = "127.0.0.1"
PATH = "/mcp"


def bare() -> MCPServer[Any]:
    """The fixture as the SDK serves it."""
    server: MCPServer[Any] = MCPServer("conformance", version="1", log_level="ERROR")
    for function in PLAIN:
        server.add_tool(function, structured_output=False)
    for function in IN_ROUNDS:
        server.add_tool(function)
    furnish(server)
    return server


def main(arguments: Sequence[str]) -> None:
    """Serve until the process is ended."""
    kind, port = arguments[0], int(arguments[1])
    if kind == "bare":
        server = bare()
    else:
        from tests.conformance.guarded import guarded

        server = asyncio.run(guarded(Path(arguments[2]), Path(arguments[3])))
    app = server.streamable_http_app(streamable_http_path=PATH, transport_security=transport_security(HOST, port))
    uvicorn.run(app, host=HOST, port=port, log_level="error")


if __name__ == "__main__":
    main(sys.argv[1:])
