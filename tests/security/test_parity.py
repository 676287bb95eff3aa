"""One document, one answer: the embedded engine and a real OPA agree byte for byte, whatever they are asked.

Both run the same copy of the shipped policies; OPA has them from the signed bundle. Compared are
the canonical bytes (RFC 8785) of whole answers, and whether there is a value at all.
"""

import contextlib
import datetime as dt
import json
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from pydantic import ValidationError

from casewright.access.binaries import Binary
from casewright.access.breaker import BreakerLimits, CircuitBreaker
from casewright.access.bundle import read_bundle
from casewright.access.decide import RULE
from casewright.access.embedded import EmbeddedEngine, build, query
from casewright.access.engine import EngineName, PolicyChange, PolicyEngine, ReloadCounts, UndefinedRuleError
from casewright.access.opa import OpaEngine
from casewright.access.opa_tools import opa_test
from casewright.access.rego_tests import prepare
from casewright.access.warmup import inspect
from casewright.cases.assessment import EVIDENCE_RULE, OUTCOME_RULE, PARAMETERS_RULE, assess
from casewright.contracts.case import CaseFile
from casewright.errors import InputError, PolicyError
from tests.integration.cases.test_case_assessment import TENANTS, TODAY, sample, stored
from tests.integration.graphs.reviews import copied, opened
from tests.security.test_access_matrix import ACTORS, PERSON, RELATIONS, ROLES, TOKENS, TOOLS, Cell
from tests.support.installation import POLICIES
from tests.support.mutations import Document, generated
from tests.support.opa import opa_files, serving
from tests.unit.access.inputs import EXECUTE, READ_CASE

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]
PROBLEMS = "casewright.access.problems"
SPOKEN = (RULE, PROBLEMS, "casewright.access.allow", "casewright.access.deny")
"""What a decision is made of. Rules that allow and deny are asked only about documents without problems."""
GENERATED = 2_400
SEED = 20_261_121


@dataclass(frozen=True, kw_only=True)
class Engines:
    """Both engines over one set of policies."""

    embedded: PolicyEngine
    opa: PolicyEngine

    def difference(self, rule: str, document: Mapping[str, object]) -> str:
        """What the engines say differently; empty when they agree."""
        here, there = outcome(self.embedded, rule, document), outcome(self.opa, rule, document)
        return "" if here == there else f"{rule}: embedded {here[:400]!r}, OPA {there[:400]!r}"


def outcome(engine: PolicyEngine, rule: str, document: Mapping[str, object]) -> bytes:
    """The canonical bytes of a value, or why there is none."""
    try:
        return rfc8785.dumps(engine.evaluate(rule, document))  # pyright: ignore[reportArgumentType]
    except UndefinedRuleError:
        return b"undefined"
    except PolicyError:
        return b"error"


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(POLICIES, tmp_path_factory.mktemp("parity") / "policies"))


@pytest.fixture(scope="module")
def engines(opa_binary: Path, policies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder = tmp_path_factory.mktemp("opa")
    never = CircuitBreaker(BreakerLimits(failures=10**6))
    with serving(opa_binary, folder, opa_files(folder, policies)) as server:
        opa = OpaEngine(server.settings_with(revision=server.files.revision), None, breaker=never)
        yield Engines(embedded=EmbeddedEngine.load(policies), opa=opa)
        opa.close()


def base(source: random.Random) -> Document:
    """One combination of the access matrix, which mostly denies; or a call that is allowed."""
    if source.random() < 0.25:
        return source.choice((READ_CASE, EXECUTE, READ_CASE | {"mode": "list"}))
    return Cell(
        role=source.choice(ROLES),
        tool=source.choice(list(TOOLS)),
        relation=source.choice(RELATIONS),
        actor=source.choice(ACTORS),
        token=source.choice(TOKENS),
        mode=source.choice(("call", "call", "list")),
    ).document()


@pytest.mark.proves("D9")
def test_generated_and_mutated_inputs_are_answered_alike(engines: Engines) -> None:
    """Whole inputs of the access matrix, and ones with something dropped, retyped, added or at a boundary."""
    differences: list[str] = []
    effects: set[str] = set()
    count = 0
    for what, document in generated(base, count=GENERATED, seed=SEED):
        count += 1
        rules = SPOKEN if what == "whole" else (RULE, PROBLEMS)
        differences += [f"{what}: {found}" for rule in rules if (found := engines.difference(rule, document))]
        answer: Any = engines.embedded.evaluate(RULE, document) if what == "whole" else {}
        effects.add(str(answer.get("effect")))
    assert differences == []
    assert count >= 2_000
    assert effects >= {"permit", "deny", "maybe", "require_approval"}, "the inputs reach every effect"


@pytest.mark.proves("D9")
def test_every_allowed_call_of_the_matrix_is_allowed_alike(engines: Engines) -> None:
    """Mutations mostly deny; so plain calls of every role on every tool as well."""
    for role in ROLES:
        for tool in TOOLS:
            for actor in (PERSON, ("executor", "act"), ("drafter", "drafter")):
                document = Cell(role=role, tool=tool, relation="assigned", actor=actor, token="plain").document()
                assert engines.difference(RULE, document) == ""


@dataclass(kw_only=True)
class Noting(PolicyEngine):
    """An engine that remembers what it was asked."""

    engine: PolicyEngine
    asked: list[tuple[str, Mapping[str, object]]] = field(default_factory=list[tuple[str, Mapping[str, object]]])

    @property
    def name(self) -> EngineName:
        return self.engine.name

    @property
    def blocking(self) -> bool:
        return self.engine.blocking

    @property
    def revision(self) -> str:
        return self.engine.revision

    @property
    def last_error(self) -> PolicyError | None:
        return self.engine.last_error

    def reload_if_changed(self) -> bool:
        return self.engine.reload_if_changed()

    def take_changes(self) -> tuple[PolicyChange, ...]:
        return self.engine.take_changes()

    @property
    def reloads(self) -> ReloadCounts:
        return self.engine.reloads

    def probe(self) -> str:
        return self.engine.probe()

    def close(self) -> None:
        self.engine.close()

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        self.asked.append((rule, document))
        return self.engine.evaluate(rule, document)


@pytest.mark.proves("D9")
@pytest.mark.parametrize("case_id", ["HL-2026-0001", "HL-2026-0004"])
async def test_every_decision_of_a_review_is_answered_alike(
    engines: Engines, installation: Path, tmp_path: Path, case_id: str
) -> None:
    """Every question that a whole review asks the policies, asked again of both engines."""
    noting = Noting(engine=engines.embedded)
    async with opened(copied(installation, tmp_path / "home")) as world:
        world.services.engine = noting
        report = await world.start(case_id)
        assert report.run_id
    rules = {rule for rule, _ in noting.asked}
    assert rules >= {RULE, EVIDENCE_RULE, PARAMETERS_RULE, OUTCOME_RULE}
    assert len(noting.asked) > 20
    assert [found for rule, document in noting.asked if (found := engines.difference(rule, document))] == []


def asked_of(case: CaseFile, engine: PolicyEngine) -> list[tuple[str, Mapping[str, object]]]:
    """What an assessment of a case asks the rules."""
    noting = Noting(engine=engine)
    assess(case, engine=noting, today=TODAY)
    return noting.asked


@pytest.mark.proves("D9")
@pytest.mark.parametrize("tenant", TENANTS)
def test_evidence_parameters_and_outcome_of_every_sample_case_are_alike(engines: Engines, tenant: str) -> None:
    cases = sample(tenant)
    assert cases
    for case in cases:
        asked = asked_of(case, engines.embedded)
        assert {rule for rule, _ in asked} == {EVIDENCE_RULE, PARAMETERS_RULE, OUTCOME_RULE}
        assert [found for rule, document in asked if (found := engines.difference(rule, document))] == []
        assert assess(case, engine=engines.opa, today=TODAY) == assess(case, engine=engines.embedded, today=TODAY)


def mutated_cases() -> Iterator[CaseFile]:
    """Sample cases with something dropped, repeated or at a boundary, as far as they are cases still."""
    known = [case.model_dump(mode="json", exclude_none=True) for tenant in TENANTS for case in sample(tenant)]
    for _, document in generated(lambda source: source.choice(known), count=800, seed=SEED):
        with contextlib.suppress(ValidationError, ValueError):
            yield CaseFile.model_validate_json(json.dumps(document))


@pytest.mark.proves("D9")
def test_mutated_cases_are_assessed_alike(engines: Engines) -> None:
    """Rules that look into a whole case meet missing, odd and repeated facts. What is no case never gets to them."""
    count = 0
    for case in mutated_cases():
        noting = Noting(engine=engines.embedded)
        with contextlib.suppress(PolicyError, InputError):
            assess(case, engine=noting, today=TODAY)
        assert [found for rule, document in noting.asked if (found := engines.difference(rule, document))] == []
        count += len(noting.asked)
    assert count > 500


@pytest.mark.proves("D9")
def test_public_complaints_are_assessed_alike(engines: Engines, shared: Path) -> None:
    for case in stored(shared / "corpora" / "complaints.json", tenant="harborline")[:25]:
        later = TODAY + dt.timedelta(days=40)
        for today in (TODAY, later):
            assert assess(case, engine=engines.opa, today=today) == assess(case, engine=engines.embedded, today=today)


def verdicts_here(folder: Path) -> dict[str, bool]:
    """Every policy test on the embedded engine, and whether it passed."""
    bundle = read_bundle(folder)
    modules, problems = inspect(bundle, with_tests=True)
    assert problems == ()
    prepared, tests = prepare(modules)
    engine = build(replace(bundle, modules=prepared))
    return {
        test.rule: not test.fault(query(engine, test.rule), query(engine, test.cases_rule) if test.is_table else None)
        for test in tests
    }


@pytest.mark.proves("D9")
def test_every_policy_test_has_the_same_verdict_on_both_engines(opa_binary: Path, policies: Path) -> None:
    here, there = verdicts_here(policies), opa_test(Binary(path=opa_binary, version=""), policies)
    assert here == there
    assert len(here) > 50
    assert all(here.values())


@pytest.mark.proves("D9")
def test_broken_policies_fail_the_same_tests_on_both_engines(opa_binary: Path, policies: Path, tmp_path: Path) -> None:
    """The positive control: verdicts are compared, not merely that all is well."""
    broken = Path(shutil.copytree(policies, tmp_path / "policies"))
    decision = broken / "casewright" / "access" / "decision.rego"
    assert decision.read_text().count("count(deny) > 0") == 1
    decision.write_text(decision.read_text().replace("count(deny) > 0", "count(deny) > 1"))
    here, there = verdicts_here(broken), opa_test(Binary(path=opa_binary, version=""), broken)
    assert here == there
    assert not all(here.values())
