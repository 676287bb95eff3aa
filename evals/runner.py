"""Runs suites: plans the cases, tries them in processes of their own, and makes the report.

A case counts only by its result: what is missing at the end is errored. It decides nothing about good or bad (see
`evals.gates`) and shows nothing (see `evals.report`).
"""

import asyncio
import datetime as dt
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casewright.canonical import digest
from casewright.config import Settings, app_root
from casewright.contracts.evaluation import CaseResult, EvalReport, EvaluatedVersions, Selection, SuiteResult
from casewright.errors import InputError
from casewright.releases.scratch import detach
from casewright.services import Services
from evals.figures import did_not_run, suite_result
from evals.folder import EvalFolder, PlanFile, ResultLine
from evals.isolation import network_seen
from evals.lock import data_of
from evals.planning import Planned, planned
from evals.processes import Wrapped, environment, run_shard
from evals.shard import ShardLine, ShardOrder
from evals.suite import Materials, Suite, SuiteUnavailableError
from evals.versions import versions_of

Key = tuple[str, bool]
"""A suite's name, and whether it is enforced."""
_INIT_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class EvalOrder:
    """What is to be evaluated, and how."""

    suites: Sequence[Suite]
    selection: Selection
    folder: EvalFolder
    installation: Path | None = None
    """A data folder to try the suites on copies of; None: a fresh one with the sample organisation."""
    shared: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    processes: int = 2
    controls: bool = True
    wrapped: Wrapped = tuple
    """Put around the command of every process."""


class Listener:
    """Hears how an evaluation goes on; the base of whoever shows it."""

    def planned(self, plans: Sequence[Planned]) -> None:
        """What will be tried."""

    def result(self, plan: Planned, result: CaseResult) -> None:
        """A case has a result."""

    def ended(self, result: SuiteResult) -> None:
        """A suite has its figures."""


@dataclass(kw_only=True)
class _Progress:
    """What is known of one suite so far."""

    plan: Planned
    results: dict[str, CaseResult] = field(default_factory=dict[str, CaseResult])
    unavailable: str = ""
    lost: str = ""
    """How a process ended that did not try all of its cases."""
    seconds: float = 0.0


async def evaluate(order: EvalOrder, listener: Listener) -> EvalReport:
    """Try every case of the order; the report has no verdict of the gates yet.

    Raises:
        InputError: data are wrong, no installation could be made, or what was begun here tried something else.
    """
    started = time.monotonic()
    installation = await _installation(order)
    versions = await _versions(installation)
    data = {suite.name: data_of(suite) for suite in order.suites}
    plans = _plans(order, _materials(order, installation, order.folder.path / "unused"))
    _begin(order, plans, versions)
    progress = {key: _Progress(plan=plan) for key, plan in plans.items() if isinstance(plan, Planned)}
    for line in order.folder.results():
        key = (line.suite, line.enforced)
        if key in progress and line.result.case_id in progress[key].plan.cases:
            progress[key].results[line.result.case_id] = line.result
    listener.planned([one.plan for one in progress.values()])
    await _run_all(order, installation, progress, listener)
    found = _figures(plans, progress, data)
    return EvalReport(
        eval_id=order.folder.name,
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        selection=order.selection,
        versions=versions,
        machine=_machine(),
        suites=tuple(one for one in found if one.enforced),
        controls=tuple(one for one in found if not one.enforced),
        gate=None,
        network=network_seen(),
        seconds=round(time.monotonic() - started, 1),
    )


async def _installation(order: EvalOrder) -> Path:
    """The prepared data folder of this evaluation."""
    home = order.folder.path / "installation"
    if home.is_dir():
        return home
    beside = order.folder.path / "installation.new"  # whole before it has its name, whatever stops us
    shutil.rmtree(beside, ignore_errors=True)
    if order.installation is not None:
        if not order.installation.is_dir():
            raise InputError(f"{str(order.installation)!r} is no data folder; name one, or leave it out")
        shutil.copytree(order.installation, beside)
        detach(_settings(beside))  # what lies there is evaluated, whatever release is in force
        return beside.rename(home)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "casewright.launch", "init", "--home", str(beside), "--json"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment(os.environ),
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), timeout=_INIT_SECONDS)
    except TimeoutError as error:
        raise InputError(
            f"no installation was made within {_INIT_SECONDS} seconds; try again on a free machine"
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise InputError(f"no installation could be made: {said.decode(errors='replace')[-500:]}")
    return beside.rename(home)


def _settings(home: Path) -> Settings:
    return Settings.load(home=str(home), environment=environment(os.environ), app_root=app_root())


async def _versions(installation: Path) -> EvaluatedVersions:
    services = Services(_settings(installation))
    try:
        return versions_of(services)
    finally:
        await services.close()


def _materials(order: EvalOrder, installation: Path, work: Path) -> Materials:
    return Materials(installation=installation, work=work, shared=order.shared, options=order.options)


def _plans(order: EvalOrder, materials: Materials) -> dict[Key, Planned | SuiteResult]:
    """By suite: the plan, or what is said of a suite that cannot be tried here."""
    found: dict[Key, Planned | SuiteResult] = {}
    for suite in order.suites:
        for enforced in (True, False) if suite.has_control and order.controls else (True,):
            key = (suite.name, enforced)
            try:
                found[key] = planned(suite, materials, order.selection, enforced=enforced)
            except SuiteUnavailableError as error:
                found[key] = did_not_run(_nothing(suite, enforced=enforced), str(error), data=data_of(suite))
    return found


def _nothing(suite: Suite, *, enforced: bool) -> Planned:
    return Planned(suite=suite.name, title=suite.title, enforced=enforced, cases={}, digest="", shards=(), seconds=0.0)


def _begin(order: EvalOrder, plans: Mapping[Key, Planned | SuiteResult], versions: EvaluatedVersions) -> None:
    """Write down what is tried, or find that it is what was begun here."""
    plan = PlanFile(
        eval_id=order.folder.name,
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        selection=order.selection,
        suites=tuple(suite.name for suite in order.suites),
        controls=order.controls,
        options=dict(order.options),
        digests={
            name if enforced else f"{name} control": plan.digest if isinstance(plan, Planned) else ""
            for (name, enforced), plan in plans.items()
        },
        versions=digest(versions.model_dump(mode="json")),
    )
    if not (order.folder.path / "plan.json").exists():
        order.folder.write_plan(plan)
        return
    begun = order.folder.plan()
    if begun.model_copy(update={"at": plan.at}) != plan:
        raise InputError(
            f"{str(order.folder.path)!r} was begun with other suites, cases, options or versions; go on with those, or "
            "begin another evaluation"
        )


async def _run_all(order: EvalOrder, installation: Path, progress: Mapping[Key, _Progress], listener: Listener) -> None:
    places = asyncio.Semaphore(max(1, order.processes))

    async def run_one(suite: _Progress, number: int, ids: tuple[str, ...]) -> None:
        async with places:
            started = time.monotonic()
            await _run_shard(order, installation, suite, number, ids, listener)
            suite.seconds += time.monotonic() - started

    async with asyncio.TaskGroup() as group:
        for suite in progress.values():
            for number, shard in enumerate(suite.plan.shards, start=1):
                ids = tuple(case_id for case_id in shard if case_id not in suite.results)
                if ids:
                    group.create_task(run_one(suite, number, ids))


async def _run_shard(
    order: EvalOrder, installation: Path, suite: _Progress, number: int, ids: tuple[str, ...], listener: Listener
) -> None:
    plan = suite.plan
    name = f"{plan.suite}{'' if plan.enforced else '-control'}-{number}"
    work = order.folder.work(name)

    def heard(line: ShardLine) -> None:
        if line.result is None:
            return
        suite.results[line.result.case_id] = line.result
        order.folder.append(ResultLine(suite=plan.suite, enforced=plan.enforced, result=line.result))
        listener.result(plan, line.result)

    shard = ShardOrder(
        suite=plan.suite,
        enforced=plan.enforced,
        case_ids=ids,
        cases_digest=plan.digest_of(ids),
        installation=str(installation),
        work=str(work),
        shared=str(order.shared or ""),
        options=dict(order.options),
    )
    ended = await run_shard(shard, log=order.folder.log(name), seconds=plan.seconds, heard=heard, wrapped=order.wrapped)
    suite.unavailable = suite.unavailable or ended.unavailable
    if any(one not in suite.results for one in ids):
        how = f"its process ended first, with code {ended.code}: {ended.last_words or 'it said nothing'}"
        suite.lost = ended.unavailable or how
    if _leaves_nothing(suite, ids):
        shutil.rmtree(work, ignore_errors=True)


def _leaves_nothing(suite: _Progress, ids: Sequence[str]) -> bool:
    """Whether nobody will look into a process's folder: all passed, or in a control all could be tried."""
    verdicts = {suite.results[one].verdict if one in suite.results else "errored" for one in ids}
    return verdicts <= ({"passed"} if suite.plan.enforced else {"passed", "failed"})


def _figures(
    plans: Mapping[Key, Planned | SuiteResult],
    progress: Mapping[Key, _Progress],
    data: Mapping[str, Mapping[str, str]],
) -> list[SuiteResult]:
    found: list[SuiteResult] = []
    for key, plan in plans.items():
        if isinstance(plan, SuiteResult):
            found.append(plan)
            continue
        known = progress[key]
        if known.unavailable and not known.results:
            found.append(did_not_run(plan, known.unavailable, data=data[key[0]]))
        else:
            results = [known.results[case_id] for case_id in plan.cases if case_id in known.results]
            figures = suite_result(plan, results, data=data[key[0]], seconds=known.seconds, lost=known.lost)
            found.append(figures)
    return found


def _machine() -> str:
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return f"{os.cpu_count()} cores, {round(pages / 2**30)} GiB, {sys.platform}, Python {sys.version.split()[0]}"
