"""`casewright worker`: drives the runs of the data folder, until it is told to stop.

It acts for nobody: every run acts for its own reviewer, and whoever asked for something was permitted to.
SIGTERM or Ctrl-C lets each run finish its step and gives it back; a second one ends the process at once.
"""

import asyncio
import os
import signal
import sys
from typing import Any

import typer

from casewright.errors import InputError
from commands.orchestrator import build_gateway, build_question_driver, build_records, build_runner
from commands.shell import Shell
from commands.visible import visible_text

MOST_AT_ONCE = 64


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("worker")(worker)


def worker(
    ctx: typer.Context,
    concurrency: int = typer.Option(4, "--concurrency", help=f"How many runs at once, 1 to {MOST_AT_ONCE}."),
    once: bool = typer.Option(False, "--once", help="Drive what can go on now, then end."),
    with_stdin: bool = typer.Option(False, "--with-stdin", help="Stop when the standard input ends, too."),
) -> None:
    """Drive the runs that others start, answer and decide; several workers may share a data folder."""
    shell: Shell = ctx.obj
    if not 1 <= concurrency <= MOST_AT_ONCE:
        raise InputError(f"--concurrency {concurrency} is not from 1 to {MOST_AT_ONCE}; name another number")
    document = shell.run(work(shell, concurrency=concurrency, once=once, with_stdin=with_stdin))
    shell.show(document, lambda shown: f"{shown['driven']} runs were driven; each line above is one that came to rest")


async def work(shell: Shell, *, concurrency: int, once: bool, with_stdin: bool = False) -> dict[str, Any]:
    """Work until a signal, or until nothing can go on; how many runs were driven, and into which status."""
    # imported here: the command line lists its commands without the graph library
    from graphs.worker import Driven, Drivers, SqliteRunner, Worker

    services, found = shell.services, dict[str, int]()

    def tell(driven: Driven) -> None:
        found[driven.status] = found.get(driven.status, 0) + 1
        sys.stderr.write(visible_text(f"casewright worker: {driven.run_id} {driven.status}: {driven.because}") + "\n")
        sys.stderr.flush()

    async with build_gateway(services) as gateway:
        drivers = Drivers(reviews=build_runner(services, gateway), questions=build_question_driver(services, gateway))
        runner = SqliteRunner(services, build_records(services), drivers, concurrency=concurrency, tell=tell)
        at_work = Worker(services, runner)
        _stop_at_signals(at_work.stop)
        if with_stdin:
            _stop_at_the_end_of_input(at_work.stop)
        await (at_work.once() if once else at_work.run())
    return {"driven": sum(found.values()), "statuses": found}


def _stop_at_the_end_of_input(stop: Any) -> None:
    """Stop when whoever began this process is gone, even without a word: then nobody holds the other end."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4_096):
            loop.remove_reader(sys.stdin.fileno())
            stop()

    loop.add_reader(sys.stdin.fileno(), read)


def _stop_at_signals(stop: Any) -> None:
    """The first signal stops, the second ends the process without waiting; leases end by themselves."""
    loop, told = asyncio.get_running_loop(), list[int]()

    def hear(number: int) -> None:
        if told:
            os._exit(128 + number)
        told.append(number)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear, number)
