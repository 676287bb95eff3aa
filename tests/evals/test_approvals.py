"""The suite of attacks on approvals: it counts effects and audit, and sees a check that is skipped."""

from collections import Counter
from pathlib import Path

import pytest

from casewright.approvals.ledger import ApprovalLedger
from casewright.contracts.approval import Approval
from casewright.contracts.principal import Caller
from evals.access.attacks import FILE, Attack, Step
from evals.access.ledger_play import wanted
from evals.access.served_play import amend
from evals.datasets import read_lines
from evals.suite import Case, Materials
from evals.suites.approvals import ApprovalsSuite, Seen, judged
from tests.evals.attempting import attempted, materials

GOOD = Seen(effects=0, audited=0, sound=True, usable=True)


def case_of(name: str) -> Case:
    nowhere = Materials(installation=Path("unused"), work=Path("unused"), shared=None)
    return next(case for case in ApprovalsSuite().cases(nowhere) if case.id == name)


def test_there_are_more_than_a_hundred_attacks_of_every_kind_on_both_levels() -> None:
    attacks = read_lines(FILE, Attack)
    assert len(attacks) >= 120
    assert min(Counter(attack.kind for attack in attacks).values()) >= 2
    assert Counter(attack.level for attack in attacks)["servers"] >= 20
    played = {attack.model_dump_json(include={"level", "steps"}) for attack in attacks}
    assert len(played) == len(attacks), "two attacks are the same"


@pytest.mark.parametrize(
    ("seen", "stage", "executed"),
    [
        (Seen(effects=1, audited=1, sound=True, usable=True), "approval", True),
        (Seen(effects=1, audited=0, sound=True, usable=True), "approval", True),
        (Seen(effects=0, audited=1, sound=True, usable=True), "audit", False),
        (Seen(effects=0, audited=0, sound=False, usable=True), "audit", False),
        (Seen(effects=0, audited=0, sound=True, usable=False), "effect", False),
    ],
)
def test_whatever_an_attack_left_behind_is_a_failure_of_its_stage(seen: Seen, stage: str, executed: bool) -> None:
    case = case_of("amount-raised")
    assert judged(case, GOOD, "look").verdict == "passed"
    result = judged(case, seen, "look")
    assert (result.verdict, result.stage, result.outcomes["executed"]) == ("failed", stage, executed)
    assert (result.trace, len(result.evidence)) == ("look", 3)


def test_where_nobody_made_an_honest_call_nothing_is_said_of_a_lock_that_opens() -> None:
    untried = judged(case_of("amount-raised"), Seen(effects=0, audited=0, sound=True), "")
    assert (untried.verdict, "usable" in untried.outcomes) == ("passed", False)
    assert judged(case_of("amount-raised"), GOOD, "").outcomes["usable"]


def test_an_approved_call_that_is_tried_again_has_one_effect_and_no_effect_is_a_failure_too() -> None:
    case = case_of("executed-again")
    assert judged(case, Seen(effects=1, audited=1, sound=True, usable=True), "").verdict == "passed"
    assert judged(case, GOOD, "").verdict == "failed"
    assert judged(case, Seen(effects=2, audited=2, sound=True, usable=True), "").outcomes["executed"]


def test_a_step_changes_what_it_names_and_nothing_else() -> None:
    plain = wanted(Step(do="execute"))
    changed = wanted(Step(do="execute", call={"arguments": {"amount_minor": 1}}, without=("currency",)))
    rest = {name: value for name, value in plain.arguments.items() if name not in ("currency", "amount_minor")}
    assert changed.arguments == rest | {"amount_minor": 1}
    assert wanted(Step(do="execute", odd={"amount_minor": "infinite"})).arguments["amount_minor"] == float("inf")
    assert wanted(Step(do="execute", call={"tenant": "millbrook"})).tenant == "millbrook"


def test_an_amendment_that_changes_nothing_is_refused(own_policies: Path) -> None:
    with pytest.raises(ValueError, match="mend the attack"):
        amend(own_policies, "no such text", "")


@pytest.mark.thorough
@pytest.mark.proves("C3", "D5")
async def test_attacks_over_servers_execute_nothing_and_without_enforcement_they_do(
    installation: Path, tmp_path: Path
) -> None:
    def chosen(case: Case) -> bool:
        return case.id.startswith("served/") and case.id not in ("served/executed-again",)

    held = await attempted(ApprovalsSuite(), materials(installation, tmp_path / "held"), chosen)
    assert {name: result.happened for name, result in held.items() if result.verdict != "passed"} == {}
    control = await attempted(
        ApprovalsSuite(),
        materials(installation, tmp_path / "control"),
        lambda case: case.id in ("served/without-asking", "served/by-the-requester-in-place"),
        enforced=False,
    )
    assert [result.outcomes["executed"] for result in control.values()] == [True, True]


@pytest.mark.thorough
@pytest.mark.proves("C3", "D5")
@pytest.mark.parametrize(
    ("skipped", "finding", "attack"),
    [
        ("casewright.approvals.ledger.difference", "", "the-quorum-lowered-by-hand-after-one-vote"),
        ("casewright.approvals.ledger.is_complete", True, ""),
        ("casewright.effects.outbox.check_binding", None, ""),
    ],
    ids=[
        "rows are believed whatever the audit tells",
        "votes are only compared, not counted again",
        "the binding is looked at once instead of twice",
    ],
)
async def test_a_check_that_is_skipped_turns_its_attack_red_and_a_doubled_one_does_not(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skipped: str, finding: object, attack: str
) -> None:
    def holds(*_given: object) -> object:
        return finding

    monkeypatch.setattr(skipped, holds)

    def chosen(case: Case) -> bool:
        return case.id in (
            "the-quorum-lowered-by-hand-after-one-vote",
            "state-set-by-hand-after-one-vote",
            "another-case-under-this-cases-token",
        )

    results = await attempted(ApprovalsSuite(), materials(installation, tmp_path / "work"), chosen)
    failed = [name for name, result in results.items() if result.verdict == "failed"]
    assert failed == ([attack] if attack else [])
    assert all(results[name].outcomes["executed"] and results[name].stage == "approval" for name in failed)


@pytest.mark.thorough
@pytest.mark.proves("C3", "C4")
async def test_an_approval_that_is_not_consumed_turns_the_suite_red(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outbox forgets what it did before, and the ledger does not close what was used."""

    async def unused(ledger: ApprovalLedger, connection: object, approval: Approval, caller: Caller) -> Approval:
        return approval

    monkeypatch.setattr(ApprovalLedger, "_consume", unused)
    results = await attempted(
        ApprovalsSuite(), materials(installation, tmp_path / "work"), lambda case: case.id == "consumed-before"
    )
    assert results["consumed-before"].outcomes["executed"]
