"""`casewright mcp install|doctor|bundle`: Casewright's servers in the clients that people use.

`casewright mcp NAME` itself is `commands.mcp_servers`, which a client waits for; these are for people.
"""

import typer

from casewright.contracts.principal import SERVERS
from commands.mcp_bundle import bundle
from commands.mcp_doctor import doctor
from commands.mcp_install import install

SUMMARY = "Run one MCP server: casewright mcp NAME [--http]; more with casewright mcp -h."


def build() -> typer.Typer:
    """The subcommands; the servers are there to be listed."""
    app = typer.Typer(help=SUMMARY, no_args_is_help=True)
    app.command("install")(install)
    app.command("doctor")(doctor)
    app.command("bundle")(bundle)
    for name in SERVERS:
        app.command(name, help="Run this server, over stdio or with --http; more with -h.")(_listed)
    app.command("definitions", help="Compare what the servers show with what was pinned; more with -h.")(_listed)
    return app


def _listed() -> int:
    """Only listed here: `casewright.launch` sends these to `commands.mcp_servers` at once."""
    from commands.mcp_servers import run

    return run(["mcp", "-h"])
