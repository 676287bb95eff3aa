"""From the start of a process to its list of tools over stdio: ours beside a bare server, in turns, each time anew.

The messages are raw, so that no client's own start is in the figures. `commands.bench_mcp` shows them.
"""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

from casewright.contracts.principal import SERVERS
from casewright.errors import CasewrightError
from commands.bench_process import environment

START_SECONDS = 60
LONGEST_ANSWER = 16 * 1024 * 1024
TOOLS_OF_BARE = 6
BARE = f"""
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare", log_level="ERROR")
def tool(number):
    def look(query: str, as_of: str = "", limit: int = 10, document_ids: tuple[str, ...] = ()) -> dict[str, str]:
        return {{}}
    look.__doc__ = "Find the clauses in force on a date that answer a question. " * 5
    server.add_tool(look, name=f"look_{{number}}")
for number in range({TOOLS_OF_BARE}):
    tool(number)
server.run("stdio")
"""
_CLIENT = {"name": "bench", "version": "1"}
_HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": _CLIENT}
MESSAGES: tuple[dict[str, Any], ...] = (
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _HELLO},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}},
)


async def starts(tokens: Mapping[str, str], home: str, runs: int) -> dict[str, Any]:
    """Milliseconds to the tools of a bare server and of each of ours, with the ratio of the medians."""
    commands: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {"bare": (("-c", BARE), environment())}
    for name in SERVERS:
        more = {"CASEWRIGHT_HOME": home, "CASEWRIGHT_TOKEN": tokens[name]}
        commands[name] = (("-m", "casewright.launch", "mcp", name), environment(more))
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, (arguments, variables) in commands.items():
            took = await _to_tools(arguments, variables)
            if number:  # the first round reads files that were not read yet
                samples[name].append(took)
    medians = {name: statistics.median(taken) for name, taken in samples.items()}
    return {
        name: {"p50_ms": round(median, 1), "ratio": round(median / medians["bare"], 2)}
        for name, median in medians.items()
    }


async def _to_tools(arguments: tuple[str, ...], variables: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(variables), limit=LONGEST_ANSWER
    )
    try:
        answer = await asyncio.wait_for(_exchanged(process), START_SECONDS)
        took = (time.perf_counter() - begun) * 1000
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    if not answer.get("result", {}).get("tools"):
        raise CasewrightError(f"{arguments!r} listed no tools: {str(answer)[:300]}")
    return took


async def _exchanged(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The answer to the last of the messages, each sent when the one before was answered."""
    answer: dict[str, Any] = {}
    assert process.stdin is not None
    assert process.stdout is not None
    for message in MESSAGES:
        process.stdin.write(json.dumps(message).encode() + b"\n")
        await process.stdin.drain()
        if "id" in message:
            line = await process.stdout.readline()
            answer = json.loads(line) if line else {}
    return answer
