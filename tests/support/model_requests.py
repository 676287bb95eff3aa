"""A model request for tests whose subject is one field of it or none."""

from dataclasses import replace
from typing import Any

from casewright.contracts.case import Classification
from casewright.models.provider import ModelRequest, Turn
from casewright.models.selection import CandidateClause, SelectInput, SelectOutput

VALUE = SelectInput(
    topic="credit", clauses=(CandidateClause(clause_id="x", label="1", lead_in="", text="Credit is due.", score=1.0),)
)
_REQUEST = ModelRequest(
    task="research.select",
    task_version=1,
    risk="medium",
    data_class=Classification.INTERNAL,
    personal_data=False,
    max_cost_micro=500_000,
    input=VALUE,
    output=SelectOutput,
    system="Choose.",
    turns=(Turn(role="user", text="Which?"),),
    max_output_tokens=100,
    timeout_seconds=1.0,
)


def model_request(**changes: Any) -> ModelRequest:
    """A request of the task `research.select`, with `changes`."""
    return replace(_REQUEST, **changes)
