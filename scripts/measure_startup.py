"""How long an MCP client waits for the tools of a server over stdio, beside a bare server of the same SDK.

Both are started by the same interpreter, in turns, and asked for their tools by the same raw
messages; the time runs from the start of the process to the answer. Prints one JSON document.

    python scripts/measure_startup.py [--runs 5] [--home FOLDER] [--server policy-search]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
SECONDS = 60
BARE = """
from mcp.server.mcpserver import MCPServer

server = MCPServer(name="bare")


def tool(number):
    def look(query: str, as_of: str = "", limit: int = 10, document_ids: tuple[str, ...] = ()) -> dict[str, str]:
        return {}

    look.__doc__ = "Find the clauses in force on a date that answer a question. " * 5
    server.add_tool(look, name=f"look_{number}")


for number in range(5):
    tool(number)
server.run("stdio")
"""
_VERSION = "2025-11-25"
_CLIENT = {"name": "measure", "version": "1"}
_HELLO = {"protocolVersion": _VERSION, "capabilities": {}, "clientInfo": _CLIENT}
MESSAGES: tuple[dict[str, Any], ...] = (
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _HELLO},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}},
)


def seconds_to_tools(command: list[str], environment: dict[str, str]) -> float:
    """From the start of the process to its list of tools.

    Raises:
        RuntimeError: it ended, or answered something else.
    """
    begun = time.perf_counter()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            return _exchange(process) - begun
        finally:
            process.kill()


def _exchange(process: "subprocess.Popen[bytes]") -> float:
    """Send the messages one after the other; when the tools came."""
    assert process.stdin is not None
    assert process.stdout is not None
    answer: dict[str, Any] = {}
    for message in MESSAGES:
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        if "id" in message:
            line = process.stdout.readline()
            answer = json.loads(line) if line else {}
    came = time.perf_counter()
    tools = answer.get("result", {}).get("tools", [])
    if not tools:
        raise RuntimeError(f"no tools were listed: {answer!r}")
    return came


def measure(home: Path, server: str, runs: int) -> dict[str, Any]:
    """Medians of both in alternating runs, and their ratio; one run of each before warms the disk."""
    environment = {**os.environ, "CASEWRIGHT_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    ours = [sys.executable, "-m", "casewright.launch", "mcp", server, "--as", "rosa", "--case", "any"]
    found: dict[str, list[float]] = {"casewright": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        commands = {"bare": [sys.executable, str(script)], "casewright": ours}
        for turn in range(runs + 1):
            for name, command in commands.items():
                taken = seconds_to_tools(command, environment)
                if turn:
                    found[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in found.items()}
    return {
        "server": server,
        "runs": runs,
        "casewright_ms": round(medians["casewright"] * 1000, 1),
        "bare_ms": round(medians["bare"] * 1000, 1),
        "ratio": round(medians["casewright"] / medians["bare"], 3),
    }


def set_up(home: Path) -> None:
    """A data folder without the sample organisation: listing tools needs no more."""
    command = [sys.executable, "-m", "casewright.launch", "init", "--no-sample", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    subprocess.run(command, env=environment, cwd=CHECKOUT, check=True, capture_output=True, timeout=SECONDS)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time from the start of a server to its list of tools.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--server", default="policy-search")
    parser.add_argument("--home", type=Path, default=None, help="a data folder; without it a new one is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home: Path = options.home or Path(folder) / "home"
        if options.home is None:
            set_up(home)
        print(json.dumps(measure(home, options.server, options.runs)))


if __name__ == "__main__":
    main()
