"""Releases as tests make them: of any files, under a report that is green for exactly their versions."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from casewright.config import Settings, app_root
from casewright.contracts.evaluation import (
    EvalReport,
    EvaluatedVersions,
    GateVerdict,
    Metric,
    SliceFigures,
    SuiteResult,
)
from casewright.contracts.release import Release, ReleaseManifest, ReleaseMove
from casewright.releases.following import InForce, own_files
from casewright.releases.pieces import collected
from casewright.releases.store import Switch
from casewright.services import Services
from evals.gates import Measure, SuiteGate
from evals.lock import LockedSuite
from graphs.versions import versions_under
from tests.support.installation import POLICIES

VERSIONS = EvaluatedVersions(
    software="0.1.0", graph=2, state=2, prompts="p", policy="q", definitions="d", index_version="50-a", model="offline"
)


def suite(**changes: object) -> SuiteResult:
    """A suite of two cases, both tried and passed."""
    whole = SuiteResult(
        name="golden",
        title="Golden answers",
        status="ran",
        data={},
        cases_digest="c",
        planned=2,
        cases=2,
        passed=2,
        failed=0,
        errored=0,
        metrics={},
        seconds=1.0,
    )
    return whole.model_copy(update=changes)


def green(versions: EvaluatedVersions = VERSIONS, **changes: object) -> EvalReport:
    """A full report whose gate is green."""
    report = EvalReport(
        eval_id="eval-1",
        at="2026-11-21T00:00:00+00:00",
        selection="full",
        versions=versions,
        machine="2 cores",
        suites=(suite(),),
        controls=(),
        gate=GateVerdict(ok=True, checked=3, whole=True, failed=()),
        seconds=1.0,
    )
    return report.model_copy(update=changes)


def gated(report: EvalReport, measure: Measure) -> EvalReport:
    """A report with every suite that has to be there, each with figures that just hold."""
    gates, locked = measure.gates.suites, measure.lock.suites
    named = [name for name, gate in gates.items() if not gate.optional]
    results = {
        control: [_held(name, reachable(measure, name, gates[name]), locked[name], control=control) for name in named]
        for control in (False, True)
    }
    return report.model_copy(update={"suites": tuple(results[False]), "controls": tuple(results[True])})


def reachable(measure: Measure, name: str, gate: SuiteGate) -> SuiteGate:
    """The gate with what was accepted in place of the comparison with it."""
    rules = [
        rule
        if rule.below_baseline_at_most is None
        else rule.model_copy(update={"at_least": measure.baseline.figure("full", name, rule.metric) or 0.0})
        for rule in gate.rules
    ]
    return gate.model_copy(update={"rules": tuple(rules)})


def _held(name: str, gate: SuiteGate, locked: LockedSuite, *, control: bool) -> SuiteResult:
    figures: dict[str, dict[str, Metric]] = {}
    for rule in (rule for rule in gate.rules if rule.control is control):
        metrics = figures.setdefault(rule.slice, {})
        limit = rule.at_least if rule.at_least is not None else rule.at_most or 0.0
        known = metrics.get(rule.metric)
        value = limit if known is None else (max if rule.at_least is not None else min)(limit, known.value)
        metrics[rule.metric] = Metric(kind="mean", n=locked.cases, value=value, low=value, high=value)
    slices = tuple(
        SliceFigures(name=place, cases=1, passed=1, metrics=metrics) for place, metrics in figures.items() if place
    )
    counted = {"planned": locked.cases, "cases": locked.cases, "passed": locked.cases}
    told = {"name": name, "enforced": not control, "cases_digest": locked.cases_digest, **counted}
    return suite(metrics=figures.get("", {}), slices=slices, **told)


def files(services: Services, *, policies: Path | None = None, prompts: Path | None = None) -> InForce:
    """The installation's own files, some of them from elsewhere."""
    own = own_files(services.settings)
    return replace(own, policies=policies or own.policies, prompts=prompts or own.prompts)


async def released(services: Services, found: InForce | None = None, *, by: str = "petra") -> Release:
    """A release of these files, kept as `casewright release create` keeps one."""
    of = found or own_files(services.settings)
    pieces = collected(of.policies, of.prompts, services.settings.models_file)
    manifest = ReleaseManifest(
        versions=versions_under(services, of), pieces=pieces.digest, report="0" * 64, eval_id="eval-1", gate="green"
    )
    return await services.releases.add(manifest, pieces, principal=services.identities.find(by))


async def promoted(services: Services, release_id: str, *, canary: str = "", percent: int = 0) -> ReleaseMove:
    """The switch that `casewright release promote` or `canary` makes."""
    now = await services.releases.move()
    switch = Switch(
        kind="canary" if canary else "promoted",
        active=release_id,
        previous=now.active,
        canary=canary,
        percent=percent,
        after=now.seq,
        shown={},
    )
    return await services.releases.switch(switch, principal=services.identities.find("selma"))


def stricter_policies(folder: Path) -> Path:
    """A copy of the shipped policies under which a search gives at most seven results."""
    shutil.copytree(app_root() / "policies", folder)
    data = folder / "data" / "access" / "data.json"
    text = data.read_text(encoding="utf-8")
    assert '"search_results": 50' in text
    data.write_text(text.replace('"search_results": 50', '"search_results": 7'), encoding="utf-8")
    return folder


def other_prompts(folder: Path) -> Path:
    """A copy of the shipped prompts with another word in one, locked as its next version."""
    from casewright.models.prompt_lock import LOCK_FILE, lock_text, read_lock, renewed
    from casewright.models.prompts import PromptLibrary, load_prompt

    shutil.copytree(app_root() / "agents" / "prompts", folder)
    path = next(path for path in sorted(folder.glob("*.md")) if path.name.startswith("intake"))
    version = load_prompt(path).head.version
    text = path.read_text(encoding="utf-8")
    assert f"version: {version}" in text
    path.write_text(
        text.replace(f"version: {version}", f"version: {version + 1}", 1) + "\nBe brief.\n", encoding="utf-8"
    )
    lock = read_lock(folder)
    renewed_lock = (*lock.prompt, *renewed(PromptLibrary(folder), lock))
    (folder / LOCK_FILE).write_text(lock_text(renewed_lock), encoding="utf-8")
    return folder


def over(home: Path, work: Any) -> Any:
    """Do work over the services of a data folder, as another process would."""

    async def done() -> Any:
        services = Services(Settings(home=home, policies=POLICIES))
        try:
            return await work(services)
        finally:
            await services.close()

    return asyncio.run(done())
