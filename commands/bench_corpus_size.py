"""One size of `casewright bench corpus`: make documents, ingest them, weigh the index, search it, serve it.

What is ingested and searched goes through the commands and servers that people use, each in a process of its own, so
that its memory is its own. Memory of a running process is read from /proc and unknown elsewhere.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright.corpus.scale import AS_OF, TENANTS, Material, ScaledCorpus, Scaling, questions
from casewright.errors import InputError
from commands.bench_process import environment, run_command
from commands.bench_timing import percentile
from commands.initialise import sample_folder
from commands.shell import Shell

AUTHORS = {"harborline": "selma", "millbrook": "marc"}
"""Who ingests for each tenant; both may approve what they ingest."""
READER = "rosa"
"""Who searches: of the first tenant, without any access label."""
INGEST_SECONDS = 3_600
SEARCH_SECONDS = 1_800
SERVER_CALLS = 200
"""Within what one person may ask in one session."""
_WARM_UP = 20
_LOOK_SECONDS = 0.05
_PROCESSOR = "processor seconds"
_KILOBYTE = 1_024
_MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Size:
    """What is to be measured."""

    clauses: int
    documents: tuple[Path, ...]
    """Real documents; none for those of the sample organisation."""
    searches: int
    seed: int


async def measured(shell: Shell, size: Size) -> dict[str, Any]:
    """All figures of one size.

    Raises:
        InputError: the documents give no material, or a process that was started failed.
    """
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as temporary:
        folder = Path(temporary)
        with shell.busy(f"making {size.clauses} clauses"):
            material = Material.read(size.documents or _sample())
            made = Scaling(material=material, seed=size.seed).write(folder / "documents", clauses=size.clauses)
            asked = questions(material, made.references, amount=size.searches, seed=size.seed)
        home = folder / "home"
        await run_command("--home", str(home), "init", "--no-sample")
        with shell.busy(f"ingesting {made.clauses} clauses"):
            ingested = await _ingested(home, made)
        with shell.busy("searching"):
            searched = await _searched(home, asked)
            served = await _served(home, asked[:SERVER_CALLS])
        return {
            "clauses": made.clauses,
            "documents": made.documents,
            "visible_clauses": searched.pop("visible_clauses"),
            "ingest": ingested,
            "index": _weighed(home / "index", made.clauses),
            "search": searched,
            "server": served,
            "load_after": round(os.getloadavg()[0], 2),
        }


def _sample() -> tuple[Path, ...]:
    """The documents that the package ships."""
    return tuple(sample_folder() / tenant / "documents" for tenant in TENANTS)


async def _ingested(home: Path, made: ScaledCorpus) -> dict[str, Any]:
    """One ingest a tenant, one after the other."""
    seconds = peak = processor = 0.0
    for tenant, folder in made.folders.items():
        report, most = await _watched(
            ("--home", str(home), "--json", "corpus", "ingest", str(folder), "--as", AUTHORS[tenant])
        )
        if report["quarantined"] or report["pending"]:
            raise InputError(f"made documents of {tenant!r} were not taken: {report['quarantined'][:1]!r}")
        seconds += report["seconds"]
        peak = max(peak, most.get("VmHWM", 0.0))
        processor += most.get(_PROCESSOR, 0.0)
    return {
        "seconds": round(seconds, 1),
        "clauses_per_second": round(made.clauses / seconds),
        "processor_seconds": round(processor, 1) or None,
        "peak_mb": round(peak * _KILOBYTE / _MEGABYTE) or None,
    }


async def _watched(arguments: Sequence[str]) -> tuple[dict[str, Any], Mapping[str, float]]:
    """Run a command; what it printed, and what `memory_of` and `_PROCESSOR` said of it last."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "casewright.launch", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    talking = asyncio.create_task(process.communicate())
    until = time.monotonic() + INGEST_SECONDS
    last: Mapping[str, float] = {}
    while not talking.done() and time.monotonic() < until:
        last = {**last, **memory_of(process.pid), **_processor_of(process.pid)}
        await asyncio.wait({talking}, timeout=_LOOK_SECONDS)
    if not talking.done():
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    out, errors = await talking
    if process.returncode != 0:
        raise InputError(f"{' '.join(arguments)!r} failed: {errors.decode(errors='replace')[-500:]}")
    return json.loads(out), last


async def _searched(home: Path, asked: Sequence[str]) -> dict[str, Any]:
    """What `bench_corpus_search` measures in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "commands.bench_corpus_search", str(home / "index")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    job = json.dumps({"tenant": next(iter(TENANTS)), "as_of": AS_OF.isoformat(), "questions": asked})
    try:
        out, errors = await asyncio.wait_for(process.communicate(job.encode()), timeout=SEARCH_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.returncode != 0:
        raise InputError(f"the searching process failed: {errors.decode(errors='replace')[-500:]}")
    return json.loads(out)


async def _served(home: Path, asked: Sequence[str]) -> dict[str, Any]:
    """Latencies of a running server over stdio, and its memory after the last answer."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    line = ["-m", "casewright.launch", "mcp", "policy-search", "--as", READER, "--home", str(home)]
    others = _children()
    samples: list[float] = []
    async with Client(StdioServerParameters(command=sys.executable, args=line, env=environment())) as client:
        for place, question in enumerate((*asked[:_WARM_UP], *asked)):
            began = time.perf_counter()
            arguments = {"query": question, "as_of": AS_OF.isoformat(), "limit": 10}
            result = await client.call_tool("search_policies", arguments)
            if result.is_error:
                raise InputError(f"the server refused a search: {result.content}")
            if place >= _WARM_UP:
                samples.append((time.perf_counter() - began) * 1_000)
        memory = [memory_of(child) for child in _children() - others]
    resident = max((each.get("VmRSS", 0.0) for each in memory), default=0.0)
    private = max((each.get("RssAnon", 0.0) for each in memory), default=0.0)
    return {
        "p50_ms": round(percentile(samples, 50), 2),
        "p95_ms": round(percentile(samples, 95), 2),
        "resident_mb": round(resident * _KILOBYTE / _MEGABYTE) or None,
        "private_mb": round(private * _KILOBYTE / _MEGABYTE) or None,
    }


def memory_of(process_id: int) -> Mapping[str, float]:
    """KiB by the names that Linux gives them; nothing for a process that has ended, or on another system."""
    found: dict[str, float] = {}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process_id}/status").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if value.endswith(" kB"):
                found[name] = float(value.removesuffix(" kB"))
    return found


def _processor_of(process_id: int) -> Mapping[str, float]:
    """The seconds of processor time that a process has had, where the system tells."""
    with contextlib.suppress(OSError):
        after_name = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        user, system = (int(after_name[place]) for place in (11, 12))
        if user + system:  # both are 0 again once it has ended
            return {_PROCESSOR: (user + system) / os.sysconf("SC_CLK_TCK")}
    return {}


def _children() -> frozenset[int]:
    """The processes that this one has started and that still run, where the system tells."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in Path("/proc/self/task").iterdir():
            found.update(map(int, (task / "children").read_text(encoding="utf-8").split()))
    return frozenset(found)


def _weighed(index: Path, clauses: int) -> dict[str, Any]:
    """Bytes of everything in the index folder, and of the files for searching among them."""
    sizes = {path: path.stat().st_size for path in index.rglob("*") if path.is_file()}
    whole = sum(sizes.values())
    return {
        "bytes": whole,
        "bytes_per_clause": round(whole / clauses),
        "search_bytes": sum(size for path, size in sizes.items() if path.is_relative_to(index / "search")),
    }
