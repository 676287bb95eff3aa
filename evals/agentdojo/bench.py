"""This side of an AgentDojo run: starts the process that has the benchmark, and answers its questions by our gates."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from casewright.config import app_root
from casewright.contracts.base import Contract
from casewright.errors import CasewrightError
from evals.agentdojo.gates import Gatekeeper, Gates, Ruling, Session
from evals.agentdojo.protocol import Answer, Asks, Begun, Broken, Described, DojoCall, Done, Message, Order, Returned
from evals.agentdojo.tools import DojoTool
from evals.suite import SuiteUnavailableError

ENVIRONMENT = Path(".tools") / "evals"
WAY_OUT = "run `scripts/get-evals`, which brings it into an environment of its own"
_LINE_BYTES = 8_000_000
_ANSWER_SECONDS = 60.0
_START_SECONDS = 120.0


class BenchError(CasewrightError):
    """The benchmark's process ended, stayed silent or could not make a run; its words are in the message."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a run went."""

    done: Done
    rulings: tuple[Ruling, ...]
    calls: tuple[DojoCall, ...]
    """What was executed, in order."""
    withheld: tuple[str, ...]
    """Statements that the person did not get to read."""


def python_of(environment: Path) -> Path:
    """The interpreter that has the evaluations of other houses.

    Raises:
        SuiteUnavailableError: it is not there.
    """
    python = environment / "bin" / "python"
    if not python.is_file():
        raise SuiteUnavailableError(f"there is no {environment.name!r} environment with AgentDojo; {WAY_OUT}")
    return python


def default_environment() -> Path:
    """Where `scripts/get-evals` puts it."""
    return app_root() / ENVIRONMENT


class DojoBench:
    """One process of the benchmark; runs follow one another."""

    def __init__(self, process: asyncio.subprocess.Process, gatekeeper: Gatekeeper) -> None:
        self._process = process
        self._gatekeeper = gatekeeper

    async def describe(self) -> Described:
        """What the benchmark has.

        Raises:
            BenchError: it does not say.
        """
        await self._say(Order(kind="describe"))
        message = await self._heard(_START_SECONDS)
        if not isinstance(message, Described):
            raise BenchError(f"the benchmark did not describe itself: {message!r}")
        return message

    async def run(self, order: Order, gates: Gates, tools: dict[str, DojoTool]) -> Ran:
        """One run behind the gates.

        Raises:
            BenchError: it was not made.
        """
        await self._say(order)
        begun = await self._heard(_ANSWER_SECONDS)
        if not isinstance(begun, Begun):
            raise BenchError(f"the run did not begin: {begun!r}")
        name = f"{order.suite}.{order.user_task}.{order.injection_task or 'benign'}.{gates}"
        session = Session(
            gates=gates, case_id=self._gatekeeper.case_id(name), suite=order.suite, tools=tools, begun=begun
        )
        return await self._attended(session)

    async def _attended(self, session: Session) -> Ran:
        """Answer whatever is asked until the run is done."""
        calls: list[DojoCall] = []
        withheld: list[str] = []
        while True:
            message = await self._heard(_ANSWER_SECONDS)
            match message:
                case Asks(call=None, statement=statement):
                    ruling = self._gatekeeper.rule_statement(session, statement)
                    withheld += [] if ruling.allowed else [statement]
                    await self._say(Answer(allowed=ruling.allowed))
                case Asks(call=DojoCall() as call):
                    ruling = await self._gatekeeper.rule(session, call)
                    calls += [call] if ruling.allowed else []
                    await self._say(Answer(allowed=ruling.allowed))
                case Returned(tool=name, text=text):
                    _take_in(session, name, text)
                case Done():
                    return Ran(
                        done=message, rulings=tuple(session.rulings), calls=tuple(calls), withheld=tuple(withheld)
                    )
                case _:
                    raise BenchError(f"the run broke off: {message!r}")

    async def _say(self, document: Contract) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(document.model_dump_json().encode() + b"\n")
        await self._process.stdin.drain()

    async def _heard(self, seconds: float) -> Described | Begun | Asks | Returned | Done | Broken:
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError as error:
            raise BenchError(f"the benchmark said nothing for {seconds:g} seconds") from error
        if not line:
            raise BenchError("the benchmark's process has ended; its words are in agentdojo.log of the work folder")
        return Message.model_validate_json(line).message


def _take_in(session: Session, name: str, text: str) -> None:
    tool = session.tool(name)
    session.read = True
    if tool is not None:
        session.records.add(tool, text)


@asynccontextmanager
async def opened_bench(gatekeeper: Gatekeeper, *, environment: Path, log: Path) -> AsyncGenerator[DojoBench, None]:
    """The benchmark's process, for as long as the context lasts.

    Raises:
        SuiteUnavailableError: its environment is not there.
    """
    python = python_of(environment)
    with log.open("wb") as words:
        process = await asyncio.create_subprocess_exec(
            *(str(python), "-m", "evals.agentdojo.child"),
            cwd=app_root(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=words,
            env={"PATH": os.defpath, "PYTHONPATH": str(app_root()), "PYTHONHASHSEED": "0"},
            limit=_LINE_BYTES,
        )
        try:
            yield DojoBench(process, gatekeeper)
        finally:
            await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()
