"""What came of an evaluation: one result per case, figures per suite, and the verdict of the gates over them.

The report that holds them is what a release is made under, so it is a contract: its digest is pinned in the release.
"""

from typing import Literal

from pydantic import Field

from casewright.contracts.base import Contract

Selection = Literal["fast", "full"]
Verdict = Literal["passed", "failed", "errored"]
"""`errored`: the case could not be tried to its end, so nothing is known of it; no gate passes with one."""
Stage = Literal[
    "",
    "ingest",
    "retrieval",
    "sufficiency",
    "facts",
    "routing",
    "drafting",
    "citation",
    "access",
    "approval",
    "effect",
    "audit",
    "budget",
    "model",
]
"""The boundary that failed; empty: none did, or nobody can tell."""


class CaseResult(Contract):
    """How one case went, in words for people and in numbers for the figures."""

    case_id: str
    verdict: Verdict
    expected: str = ""
    """In one sentence, what was to happen."""
    happened: str = ""
    """In one sentence, what happened instead; of a case that passed it may be empty."""
    forbidden: tuple[str, ...] = ()
    """The forbidden outcomes that were seen, by name."""
    stage: Stage = ""
    diagnosis: str = ""
    """From the records: why the stage failed, such as "the clause was at rank 42 and cut at 20"."""
    evidence: tuple[str, ...] = ()
    """What a reader should look at: quotes, decisions, event links."""
    trace: str = ""
    """The command that opens the records of the case; empty: it left none."""
    slices: dict[str, str] = Field(default_factory=dict[str, str])
    outcomes: dict[str, bool] = Field(default_factory=dict[str, bool])
    """Yes-or-no outcomes by name; a suite's share of them is reported with an interval."""
    measures: dict[str, float] = Field(default_factory=dict[str, float])
    """Numbers by name, with the unit in the name (`rank`, `steps`, `review_ms`)."""
    seconds: float = 0.0
    tokens: int = 0
    cost_micro: int = 0


class Metric(Contract):
    """A figure over the cases of a suite or slice."""

    kind: Literal["share", "mean"]
    n: int
    value: float
    """A share is 0 to 1."""
    low: float
    high: float
    """The 95 % interval: of a share Clopper-Pearson, of a mean by the normal approximation."""
    p50: float | None = None
    p95: float | None = None


class SliceFigures(Contract):
    name: str
    """Such as `place=letter`."""
    cases: int
    passed: int
    metrics: dict[str, Metric]


class SuiteResult(Contract):
    """One suite, with or without enforcement."""

    name: str
    title: str
    enforced: bool = True
    """False: the positive control, with enforcement taken away."""
    status: Literal["ran", "did not run"]
    because: str = ""
    """Why it did not run."""
    data: dict[str, str]
    """SHA-256 by data file."""
    cases_digest: str
    """Over every case that was to be tried: the same digest is the same cases."""
    planned: int
    """How many cases there were to try in this selection."""
    cases: int
    """How many of them have a result."""
    passed: int
    failed: int
    errored: int
    metrics: dict[str, Metric]
    slices: tuple[SliceFigures, ...] = ()
    worst: tuple[CaseResult, ...] = ()
    """Every case that did not pass, worst first, at most 200; of the control, those that enforcement should stop."""
    failures: tuple[str, ...] = ()
    """Ids of all that did not pass."""
    seconds: float
    tokens: int = 0
    cost_micro: int = 0


class GateFinding(Contract):
    """A rule of the gates that does not hold."""

    suite: str
    rule: str
    """As it stands in `evals/gates.toml`."""
    expected: str
    happened: str
    cases: tuple[CaseResult, ...] = ()
    """The cases behind it, worst first, at most 10."""


class GateVerdict(Contract):
    ok: bool
    checked: int
    """How many rules were held against the results; none at all is no pass."""
    whole: bool = False
    """Whether every gated suite was asked for, with all its cases; a release needs that."""
    failed: tuple[GateFinding, ...]
    notes: tuple[str, ...] = ()
    """What an optional suite did not do, and why."""


class EvaluatedVersions(Contract):
    """What was evaluated; a release pins the same."""

    software: str
    graph: int
    state: int
    prompts: str
    policy: str
    definitions: str
    """Digest of the pinned definitions of the servers' tools."""
    index_version: str
    model: str


class NetworkSeen(Contract):
    """How an evaluation was kept on this machine, and what tried to leave it."""

    how: str
    attempts: int
    named: tuple[str, ...] = ()
    """The first of them, as far as their addresses are known."""


class EvalReport(Contract):
    """Everything that one evaluation found out."""

    schema_version: Literal["eval-report/v1"] = "eval-report/v1"
    eval_id: str
    at: str
    """UTC, ISO 8601, when it ended."""
    selection: Selection
    versions: EvaluatedVersions
    machine: str
    """Cores and memory, since times depend on them."""
    suites: tuple[SuiteResult, ...]
    controls: tuple[SuiteResult, ...]
    gate: GateVerdict | None
    """None: the gates were not asked."""
    network: NetworkSeen | None = None
    """None: nobody kept it from other machines, or counted."""
    seconds: float
