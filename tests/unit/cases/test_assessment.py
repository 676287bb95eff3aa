"""Assessment: dates are counted here, and an odd answer of a rule is never taken for one."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from casewright.access.scripted import ScriptedAnswer, ScriptedEngine
from casewright.cases.assessment import (
    EVIDENCE_RULE,
    MAX_RULE_TEXT,
    OUTCOME_RULE,
    PARAMETERS_RULE,
    assess,
    check_evidence,
)
from casewright.contracts.case import CaseFile
from casewright.contracts.recommendation import CaseAssessment
from casewright.errors import PolicyError, UnavailableError
from tests.unit.cases.case_files import small_case

TODAY = dt.date(2026, 3, 14)
CLAUSE = {"document_id": "hl-error-resolution", "label": "3.2"}
ITEM = {
    "id": "log",
    "title": "Transaction log",
    "why": "shows the terminal",
    "clause": CLAUSE,
    "status": "present",
    "evidence_ids": ["e1"],
    "needed": True,
}
REPORT = {"complete": True, "items": [ITEM]}
DEADLINE = {
    "id": "investigate",
    "title": "Finish the investigation",
    "from": "2026-03-04",
    "count": 10,
    "unit": "business_days",
    "clause": CLAUSE,
    "because": "notice was received",
}
LIMIT = {"id": "cap", "title": "Liability cap", "amount_minor": 5000, "clause": CLAUSE, "because": "reported in time"}
PARAMETERS = {"deadlines": [DEADLINE], "limits": [LIMIT]}
BASIS = {"rule": "open", "clause": CLAUSE, "because": "still open", "facts": ["transactions/t1/amount_minor"]}
OUTCOME = {
    "action": "issue_provisional_credit",
    "amount_minor": 7550,
    "risk": "medium",
    "basis": [BASIS],
    "questions": [],
}


def assessed(
    *, report: Any = REPORT, parameters: Any = PARAMETERS, outcome: Any = OUTCOME, case: CaseFile | None = None
) -> CaseAssessment:
    steps = [
        ScriptedAnswer(rule=EVIDENCE_RULE, value=report),
        ScriptedAnswer(rule=PARAMETERS_RULE, value=parameters),
        ScriptedAnswer(rule=OUTCOME_RULE, value=outcome),
    ]
    engine = ScriptedEngine(steps, revision="r1")
    return assess(case or small_case(), engine=engine, today=TODAY)


@pytest.mark.proves("B3", "B4")
def test_the_rules_choose_and_the_code_counts_the_dates() -> None:
    found = assessed(
        parameters={
            "deadlines": [DEADLINE, DEADLINE | {"id": "d45", "count": 45, "unit": "calendar_days"}],
            "limits": [LIMIT],
        }
    )
    business, calendar = found.deadlines
    assert (business.due_on, business.calendar) == (dt.date(2026, 3, 18), "US federal holidays")
    assert (calendar.due_on, calendar.calendar) == (dt.date(2026, 4, 18), "")
    assert found.limits[0].amount_minor == 5000
    assert found.outcome.action == "issue_provisional_credit"
    assert found.policy_revision == "r1"


@pytest.mark.proves("B3")
def test_missing_evidence_is_listed_with_its_reason_and_clause() -> None:
    missing = ITEM | {"status": "missing", "evidence_ids": []}
    engine = ScriptedEngine(
        [ScriptedAnswer(rule=EVIDENCE_RULE, value={"complete": False, "items": [missing]})], revision="r1"
    )
    report = check_evidence(small_case(), engine=engine)
    assert [(item.id, item.why, item.clause.label) for item in report.missing] == [("log", "shows the terminal", "3.2")]
    engine.finish()


@pytest.mark.proves("B3", "D4")
@pytest.mark.parametrize(
    "report",
    [
        None,
        {},
        [],
        True,
        REPORT | {"complete": "true"},
        REPORT | {"complete": 1},
        REPORT | {"items": []},
        REPORT | {"extra": 1},
        REPORT | {"items": [ITEM, ITEM]},
        REPORT | {"items": [ITEM | {"status": "missing"}]},
        REPORT | {"items": [ITEM | {"status": "contradicted"}]},
        REPORT | {"items": [ITEM | {"status": "fine"}]},
        REPORT | {"items": [ITEM | {"evidence_ids": ["e77"]}]},
        REPORT | {"items": [ITEM | {"clause": None}]},
        {"complete": float("nan"), "items": [ITEM]},
        {"complete": True, "items": object()},
    ],
)
def test_an_odd_evidence_report_is_refused(report: object) -> None:
    with pytest.raises(PolicyError, match=r"casewright\.evidence\.report"):
        assessed(report=report)


@pytest.mark.proves("B4", "D4")
@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {"deadlines": [DEADLINE]},
        {"deadlines": [DEADLINE, DEADLINE], "limits": []},
        {"deadlines": [DEADLINE | {"count": "10"}], "limits": []},
        {"deadlines": [DEADLINE | {"count": 10.5}], "limits": []},
        {"deadlines": [DEADLINE | {"count": -1}], "limits": []},
        {"deadlines": [DEADLINE | {"count": 99_999}], "limits": []},
        {"deadlines": [DEADLINE | {"unit": "days"}], "limits": []},
        {"deadlines": [DEADLINE | {"from": "soon"}], "limits": []},
        {"deadlines": [DEADLINE | {"from": 20260304}], "limits": []},
        {"deadlines": [DEADLINE | {"from": "1850-01-01"}], "limits": []},
        {"deadlines": [DEADLINE | {"due_on": "2026-01-01"}], "limits": []},
        {"deadlines": [], "limits": [LIMIT | {"amount_minor": -1}]},
        {"deadlines": [], "limits": [LIMIT, LIMIT]},
    ],
)
def test_an_odd_deadline_or_limit_is_refused(parameters: object) -> None:
    with pytest.raises(PolicyError):
        assessed(parameters=parameters)


@pytest.mark.proves("D4")
@pytest.mark.parametrize(
    "outcome",
    [
        None,
        OUTCOME | {"action": "pay"},
        OUTCOME | {"amount_minor": "7550"},
        OUTCOME | {"amount_minor": -7550},
        OUTCOME | {"amount_minor": 75.5},
        OUTCOME | {"basis": []},
        OUTCOME | {"risk": "none"},
        OUTCOME | {"basis": [BASIS | {"facts": ["transactions/t9/amount_minor"]}]},
        OUTCOME | {"basis": [BASIS | {"facts": ["days/case_age_days"]}]},
    ],
)
def test_an_odd_outcome_is_refused(outcome: object) -> None:
    with pytest.raises(PolicyError, match=r"casewright\.outcome\.proposal"):
        assessed(outcome=outcome)


@pytest.mark.proves("D7")
def test_an_assessment_is_of_one_policy_revision_or_none() -> None:
    rules = ((EVIDENCE_RULE, REPORT), (PARAMETERS_RULE, PARAMETERS), (OUTCOME_RULE, OUTCOME))
    once = [ScriptedAnswer(rule=rule, value=value, next_revision="r2") for rule, value in rules]
    engine = ScriptedEngine([*once, *once], revision="r1")
    assert assess(small_case(), engine=engine, today=TODAY).policy_revision == "r2"
    changing = [
        ScriptedAnswer(rule=rule, value=value, next_revision=f"r{round_}")
        for round_ in range(2, 5)
        for rule, value in rules
    ]
    with pytest.raises(UnavailableError, match="changed"):
        assess(small_case(), engine=ScriptedEngine(changing, revision="r1"), today=TODAY)


@pytest.mark.proves("B3")
def test_a_long_letter_reaches_the_rules_shortened_and_the_case_stays_whole() -> None:
    case = small_case(narrative="x" * 300_000)
    engine = RecordingEngine()
    check_evidence(case, engine=engine)
    assert engine.narrative == "x" * MAX_RULE_TEXT
    assert len(case.narrative) == 300_000
    assert not engine.nulls


class RecordingEngine(ScriptedEngine):
    """Answers the evidence rule and keeps what the rule was shown."""

    narrative = ""
    nulls = False

    def __init__(self) -> None:
        super().__init__([], revision="r1")

    def evaluate(self, rule: str, document: Mapping[str, Any]) -> object:
        assert rule == EVIDENCE_RULE
        self.narrative = document["case"]["narrative"]
        self.nulls = None in document["case"].values()
        return REPORT
