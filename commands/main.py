"""Wires the subcommands together, and turns every outcome into an exit code.

0 done, 2 bad input, 3 denied, 4 waiting for a person, 5 incomplete, 1 anything else. Only the
module of the command that is asked for is imported.
"""

import contextlib
import importlib
import io
import logging
import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

import typer

from casewright import __version__
from casewright.errors import CasewrightError, InputError
from casewright.launch import STOPPED
from casewright.telemetry import configure_logging, secret_values
from commands.options import GlobalOptions, split_options, wants_json
from commands.shell import Shell
from commands.visible import json_text, visible_text

COMMANDS = {
    "init": "Set up the data folder: key, identities, database, index and the sample organisation.",
    "doctor": "Check the installation and the data folder.",
    "demo": "Review a sample case, approve it as a second person, and show the recorded effect.",
    "ask": "Answer a question from the rules in force, every sentence with its quote; or say what is missing.",
    "review": "Review a case: find the rules, check the evidence, draft, and ask for what needs approval.",
    "approvals": "See and decide what waits for approval.",
    "runs": "See, steer and explain runs.",
    "api": "Serve the HTTP API under /v1, with a worker that drives the runs; see docs/api.md.",
    "worker": "Drive the runs that others start, answer and decide; several workers may share a data folder.",
    "feedback": "Say what is right or wrong with an answer, and export it as examples.",
    "cases": "Import, list and show cases.",
    "corpus": "Ingest policy documents and search them.",
    "policy": "Check, test, explain, replay and ship the access policies.",
    "eval": "Evaluate: suites, gates, reports, and the data they stand on.",
    "release": "Make, promote, try out, compare and roll back releases.",
    "models": "Which models there are, what they cost, and the lock on the prompts.",
    "audit": "Verify and export the audit log.",
    "bench": "Measure retrieval and the servers on this machine.",
    "identity": "Who vouches for people: check the issuer, forget a person, an issuer for development.",
    "token": "Print a token for one server. Whoever holds it acts as you there until it expires.",
    "serve": "Serve all MCP servers over HTTP: /policy-search/mcp, /case-facts/mcp, /drafting/mcp, /review/mcp.",
    "mcp": "Run one MCP server: casewright mcp NAME [--http]; more with casewright mcp -h.",
}
"""Every command with its summary; a test holds the summaries to those of the modules."""

_MODULES = {"init": "initialise", "serve": "serving", "mcp": "mcp_clients"}
_INTERRUPTED = 130
FOR_PEOPLE: tuple[list[str], ...] = ([], ["install"], ["doctor"], ["bundle"], ["--help"])
"""What may follow `mcp` besides the name of a server; `launch.py` knows the same words."""
HELP = """Governed case review: rules, facts, drafts and approvals behind access policies.

Every command also takes --home FOLDER (or CASEWRIGHT_HOME), --as IDENTITY and --json, anywhere on the line.
Exit codes: 0 done, 2 bad input, 3 denied, 4 waiting for a person, 5 incomplete, 1 anything else.
"""


def build(command: str = "") -> typer.Typer:
    """The command line with one command ready to run; the others are there to be listed."""
    app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback(help=HELP)(_global)
    chosen: set[str] = set()
    if command in COMMANDS:
        chosen = _add(app, command)
    for name, summary in COMMANDS.items():
        if name not in chosen:
            app.command(name, help=summary)(_not_chosen)
    return app


def _add(app: typer.Typer, command: str) -> set[str]:
    module = importlib.import_module(f"commands.{_MODULES.get(command, command)}")
    if hasattr(module, "register"):
        module.register(app)
        return {str(info.name) for info in app.registered_commands}
    app.add_typer(module.build(), name=command)
    return {command}


def _not_chosen() -> None:
    """Stands for a command in the list of commands; it cannot be reached."""
    raise InputError("this command is listed only; run `casewright --help`")


def _print_version(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        shell: Shell = ctx.obj
        document = {"version": __version__, "python": platform.python_version()}
        shell.show(document, lambda shown: f"casewright {shown['version']}")
        raise typer.Exit


def _global(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Options before any command."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the process's exit code."""
    configure_logging(verbose=False, secrets=secret_values(os.environ))
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it reports a connection that Ctrl-C cut off
    _never_fail_on_characters()
    options = GlobalOptions(as_json=wants_json(arguments))
    try:
        options, rest = split_options(arguments)
        if rest[:1] == ["mcp"] and rest[1:2] not in FOR_PEOPLE:
            return _serve_one(options, rest[1:])
        code = _invoke(Shell(options, sys.stdout), rest)
        return code if code != _INTERRUPTED else _stopped(options)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
        return _fail(options, "the arguments do not fit; what is wrong stands above", code) if code == 2 else code
    except typer.TyperException as error:
        return _fail(options, _usage(error), error.exit_code)
    except CasewrightError as error:
        return _fail(options, str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped(options)
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        return _fail(options, _system_error(error), 1)
    except Exception as error:
        # the outermost boundary: people get a sentence, the log gets the traceback
        logging.getLogger("casewright").exception("unexpected failure")
        return _fail(options, f"unexpected failure: {type(error).__name__}; the traceback is in the log above", 1)


def _invoke(shell: Shell, rest: list[str]) -> int:
    """Run the command; with --json whatever else prints to stdout goes to stderr."""
    quiet = contextlib.redirect_stdout(sys.stderr) if shell.options.as_json else contextlib.nullcontext()
    with quiet:
        app: Any = build(rest[0] if rest else "")
        code = app(rest, obj=shell, prog_name="casewright", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _serve_one(options: GlobalOptions, rest: list[str]) -> int:
    """`casewright mcp` with global options before it; without any, `launch.py` goes there at once."""
    from commands.mcp_servers import run as run_server

    compared = rest[:1] == ["definitions"]  # it acts as nobody, and prints a document
    given = {"--home": options.home, "--as": None if compared else options.identity}
    named = [f"{name}={value}" for name, value in given.items() if value is not None]
    return run_server(["mcp", *rest, *named, *(["--json"] if compared and options.as_json else [])])


def _usage(error: typer.TyperException) -> str:
    """What is wrong with the command line, and where its help is."""
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "casewright"
    problem = error.format_message().strip().rstrip(".") or "a subcommand is missing"
    return f"{problem}; see `{path} --help`"


def _system_error(error: OSError) -> str:
    what = repr(error.filename) if error.filename else "the data folder"
    return f"{what}: {error.strerror or error}; mend it or name another folder with --home"


def _never_fail_on_characters() -> None:
    """A terminal that cannot show a character gets its code instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stopped(options: GlobalOptions) -> int:
    return _fail(options, STOPPED, 1)


def _reader_gone() -> int:
    """Whoever read our output went away (`| head`): nothing is left to be flushed into the closed pipe."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _fail(options: GlobalOptions, message: str, code: int) -> int:
    sys.stderr.write(f"casewright: {visible_text(message)}\n")
    if options.as_json:
        sys.stdout.write(json_text({"error": {"message": message, "exit_code": code}}) + "\n")
    return code
