"""Import what the commands, the servers and the tests import, so that its bytecode is there from then on.

Called by `scripts/venv` with PYTHONDONTWRITEBYTECODE removed. Where that variable is set, as container images like
to do, Python would otherwise compile some two thousand modules anew in every process, which takes longer than a
whole review. It imports and does nothing else.
"""

import importlib
import pkgutil
import sys

ROOMS = ("casewright", "commands", "servers", "agents", "graphs", "api")
LAZY = (
    "aiosqlite",
    "alembic.command",
    "cryptography.hazmat.primitives.ciphers.aead",
    "holidays",
    "lancedb",
    "langchain_core.messages",
    "langgraph.checkpoint.sqlite.aio",
    "langgraph.graph",
    "mcp.client.streamable_http",
    "mcp.server.streamable_http_manager",
    "rich.console",
    "rich.panel",
    "rich.progress",
    "rich.table",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tokenizers",
    "uvicorn",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.h11_impl",
)
"""Imported inside functions, when first needed."""
TOOLS = ("_pytest.assertion.rewrite", "hypothesis", "pytest_asyncio", "xdist.remote", "xdist.workermanage")


def names(tools: bool) -> list[str]:
    """Every module of the rooms, then what they import late, then the development tools if they are there."""
    own = [
        found.name
        for room in ROOMS
        for found in pkgutil.walk_packages([room], f"{room}.")
        if "migrations" not in found.name and not found.name.endswith("_child")
    ]
    return [*own, *LAZY, *(TOOLS if tools else ())]


def main() -> int:
    """Import all of them; what cannot be imported is left for the command that needs it to report."""
    for name in names("tools" in sys.argv[1:]):
        try:
            importlib.import_module(name)
        except ImportError as error:
            print(f"scripts/bytecode.py: {name} is not there: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
