"""Attacks on approvals as data: what is asked for, who votes, what time and hands do, and what is then executed.

An attack of level `ledger` is played on the stores themselves (`evals.access.kernel`), where even a server that is
taken over would have to come through; one of level `servers` through real servers (`evals.access.served`).
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.contracts.principal import Principal
from evals.access.kernel import person
from evals.case import CaseId

FILE = "approval-attacks.jsonl"
Deed = Literal[
    "ask",
    "vote",
    "execute",
    "revoke",
    "cancel_run",
    "consume",
    "wait",
    "sweep",
    "timers",
    "sql",
    "rewrite",
    "amend",
]
"""
`consume`: use the approval up without an effect. `sweep`: close what is past its time. `timers`: let the timers of an
installation work. `sql`: change the database by hand. `rewrite`: save
another version of the draft. `amend`: replace one text in the policies on disk by another (`statements`).
"""


class Who(Contract):
    """Somebody, as the ledger is told; the defaults are a person of the sample tenant."""

    id: str
    roles: tuple[str, ...] = ()
    tenant: str = "harborline"
    authentication: str = "local"

    def principal(self) -> Principal:
        return person(self.id, *self.roles, tenant=self.tenant, authentication=self.authentication)


class Step(Contract):
    """One thing that somebody does."""

    do: Deed
    who: Who | None = None
    """Without one: rosa, who asks and executes; selma, who votes."""
    call: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What differs from the plain call; `arguments` are merged into its own."""
    without: tuple[str, ...] = ()
    """Arguments that are left out."""
    odd: dict[str, Literal["infinite", "object", "nested"]] = Field(default_factory=dict[str, Any])
    """Arguments that no JSON can carry."""
    token: dict[str, str] = Field(default_factory=dict[str, str])
    """What differs in the token of who asks or executes: `case_id`, `run_id`, `agent`, `step`."""
    rule: Literal["one", "two", "timed"] = "one"
    approve: Any = True
    note: str = ""
    hours: float = 0
    statements: tuple[str, ...] = ()
    times: Annotated[int, Field(ge=1, le=20)] = 1
    """Of a vote or an execution: so often at once, in turn over two connections."""


class Attack(Contract):
    """A line of the data file."""

    id: CaseId
    why: Annotated[str, Field(min_length=10)]
    kind: Literal["call", "state", "voter", "run", "time", "vote", "hands", "race"]
    level: Literal["ledger", "servers"] = "ledger"
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    effects: int = 0
    """How many effects rightly come of it: an approved call that is then tried again has one."""

    @property
    def by_hand(self) -> bool:
        """Whether rows are changed behind everybody's back; the verification of the audit has to say so afterwards."""
        return any(step.do == "sql" for step in self.steps)
