"""Values that rules computed, as facts by path, so that a draft can state and a gate can check them.

`deadlines/<id>/due_on`, `limits/<id>/amount_minor`, `outcome/amount_minor`. They come from the
assessment, never from a model.
"""

from casewright.cases.spellings import amount_spellings, date_spellings
from casewright.contracts.recommendation import CaseAssessment


def computed_facts(assessment: CaseAssessment) -> dict[str, str]:
    """Path to value, as text."""
    facts = {f"deadlines/{item.id}/due_on": item.due_on.isoformat() for item in assessment.deadlines}
    facts |= {f"limits/{item.id}/amount_minor": str(item.amount_minor) for item in assessment.limits}
    if assessment.outcome.amount_minor:
        facts["outcome/amount_minor"] = str(assessment.outcome.amount_minor)
    return facts


def computed_values(assessment: CaseAssessment, currency: str) -> frozenset[str]:
    """Every spelling of them that a claim may use."""
    amounts = [item.amount_minor for item in assessment.limits] + [assessment.outcome.amount_minor]
    spelt = [amount_spellings(amount, currency) for amount in amounts]
    spelt += [date_spellings(item.due_on) for item in assessment.deadlines]
    return frozenset(spelling for spellings in spelt for spelling in spellings)
