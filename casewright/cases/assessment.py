"""What the rules say of one case: evidence, deadlines, limits, outcome.

The rules (Rego, owned by policy authors) choose; dates are counted here. Any answer that is not
exactly of the agreed shape is a `PolicyError`: a case is never assessed on a guess.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from casewright.access.engine import PolicyEngine
from casewright.cases.calendar import CALENDAR, add_business_days, add_calendar_days
from casewright.cases.collections import COLLECTIONS, Item, item_fields, items_of
from casewright.cases.facts import resolve_fact
from casewright.cases.measures import days
from casewright.contracts.base import Contract
from casewright.contracts.case import CaseFile
from casewright.contracts.recommendation import (
    CaseAssessment,
    ClauseRef,
    Deadline,
    EvidenceReport,
    Limit,
    Outcome,
)
from casewright.errors import InputError, PolicyError, UnavailableError

EVIDENCE_RULE = "casewright.evidence.report"
PARAMETERS_RULE = "casewright.parameters.rules"
OUTCOME_RULE = "casewright.outcome.proposal"

MAX_RULE_TEXT = 4_000
"""Characters of a free text that rules are shown. They judge typed facts; a long letter must not
push a case over the size limit of a policy input."""
_ATTEMPTS = 3
AnswerT = TypeVar("AnswerT", bound=Contract)


class _DeadlineRule(Contract):
    """A deadline as the rules give it: where it starts and how long it runs, no date."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=False)

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    starts_on: dt.date = Field(alias="from")
    count: int = Field(ge=0, le=3650)
    unit: Literal["business_days", "calendar_days"]
    clause: ClauseRef
    because: str = Field(min_length=1)


class _Parameters(Contract):
    deadlines: tuple[_DeadlineRule, ...]
    limits: tuple[Limit, ...]


def assess(case: CaseFile, *, engine: PolicyEngine, today: dt.date) -> CaseAssessment:
    """Evidence, deadlines, limits and outcome of a case as of `today`.

    Pass the case without what the caller may not see (sealed evidence), but unredacted: the ids
    and facts of the result name what the case holds.

    Raises:
        PolicyError: a rule is undefined, or its answer is malformed or contradicts the case.
        UnavailableError: the policy kept changing while the case was assessed.
    """
    for _ in range(_ATTEMPTS):
        revision = engine.revision
        assessment = _assess(case, engine, today, revision)
        if engine.revision == revision:
            return assessment
    raise UnavailableError(f"the policy changed {_ATTEMPTS} times while {case.case_id!r} was assessed; try again")


def check_evidence(case: CaseFile, *, engine: PolicyEngine) -> EvidenceReport:
    """Only the evidence report of a case; see `assess`.

    Raises:
        PolicyError: the rule is undefined, or its answer is malformed or contradicts the case.
    """
    report = _answer(engine, EVIDENCE_RULE, {"case": _rule_input(case)}, EvidenceReport)
    _check_report(case, report)
    return report


def _assess(case: CaseFile, engine: PolicyEngine, today: dt.date, revision: str) -> CaseAssessment:
    evidence = check_evidence(case, engine=engine)
    document = {"case": _rule_input(case), "days": days(case, today=today)}
    parameters = _answer(engine, PARAMETERS_RULE, document, _Parameters)
    _check_parameters(parameters)
    outcome = _answer(
        engine, OUTCOME_RULE, {**document, "evidence": evidence.model_dump(mode="json", exclude_none=True)}, Outcome
    )
    _check_outcome(case, outcome)
    return CaseAssessment(
        evidence=evidence,
        deadlines=tuple(_deadline(rule) for rule in parameters.deadlines),
        limits=parameters.limits,
        outcome=outcome,
        policy_revision=revision,
    )


def _rule_input(case: CaseFile) -> dict[str, Any]:
    """The case without absent values; free texts are cut to what rules may need of them."""
    shortened: dict[str, object] = _shortened(case)
    for name in COLLECTIONS:
        shortened[name] = tuple(item.model_copy(update=_shortened(item)) for item in items_of(case, name))
    return case.model_copy(update=shortened).model_dump(mode="json", exclude_none=True)


def _shortened(holder: CaseFile | Item) -> dict[str, object]:
    values = {field: getattr(holder, field) for field in item_fields(type(holder))}
    return {
        field: value[:MAX_RULE_TEXT]
        for field, value in values.items()
        if isinstance(value, str) and len(value) > MAX_RULE_TEXT
    }


def _answer(engine: PolicyEngine, rule: str, document: Mapping[str, object], model: type[AnswerT]) -> AnswerT:
    found = engine.evaluate(rule, document)
    try:
        return model.model_validate_json(json.dumps(found, allow_nan=False), strict=True)
    except (ValidationError, TypeError, ValueError, RecursionError) as error:
        raise PolicyError(
            f"the rule {rule!r} gave no usable answer: {_first_problem(error)}; correct the rule"
        ) from error


def _first_problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'the answer'}: {first['msg']}"


def _check_report(case: CaseFile, report: EvidenceReport) -> None:
    held = {item.evidence_id for item in case.evidence}
    ids = [item.id for item in report.items]
    lacking = [item.id for item in report.items if item.needed and item.status in ("missing", "contradicted")]
    if not report.items or len(set(ids)) != len(ids):
        raise PolicyError(f"the rule {EVIDENCE_RULE!r} gave no items or an id twice; every check needs its own id")
    if report.complete and lacking:
        raise PolicyError(f"the rule {EVIDENCE_RULE!r} calls the evidence complete without {lacking[0]!r}; correct it")
    unknown = sorted({found for item in report.items for found in item.evidence_ids} - held)
    if unknown:
        raise PolicyError(f"the rule {EVIDENCE_RULE!r} names the evidence {unknown[0]!r}, which the case does not hold")


def _check_parameters(parameters: _Parameters) -> None:
    for kind, ids in (
        ("deadline", [rule.id for rule in parameters.deadlines]),
        ("limit", [limit.id for limit in parameters.limits]),
    ):
        repeated = sorted({found for found in ids if ids.count(found) > 1})
        if repeated:
            raise PolicyError(f"the rule {PARAMETERS_RULE!r} gave the {kind} {repeated[0]!r} twice; correct it")
    for limit in parameters.limits:
        if limit.amount_minor < 0:
            raise PolicyError(f"the rule {PARAMETERS_RULE!r} gave the limit {limit.id!r} a negative amount; correct it")


def _check_outcome(case: CaseFile, outcome: Outcome) -> None:
    if not outcome.basis:
        raise PolicyError(
            f"the rule {OUTCOME_RULE!r} gave no basis for {outcome.action!r}; every outcome names its rule"
        )
    if outcome.amount_minor < 0:
        raise PolicyError(f"the rule {OUTCOME_RULE!r} gave {outcome.action!r} a negative amount; correct it")
    for path in (path for basis in outcome.basis for path in basis.facts):
        if resolve_fact(case, path) is None:
            raise PolicyError(f"the rule {OUTCOME_RULE!r} rests on the fact {path!r}, which the case does not hold")


def _deadline(rule: _DeadlineRule) -> Deadline:
    business = rule.unit == "business_days"
    count = add_business_days if business else add_calendar_days
    try:
        due_on = count(rule.starts_on, rule.count)
    except InputError as error:
        raise PolicyError(f"the deadline {rule.id!r} cannot be counted: {error}") from error
    return Deadline(
        id=rule.id,
        title=rule.title,
        starts_on=rule.starts_on,
        count=rule.count,
        unit=rule.unit,
        due_on=due_on,
        clause=rule.clause,
        because=rule.because,
        calendar=CALENDAR if business else "",
    )
