"""Every capability the product is to have, by id, and whether a test proves it.

`tests/unit/test_requirements.py` holds this table and the `proves` marks together in both directions. A capability
with no proving test is PLANNED, whatever code there is. What a PROVED one does not do yet stands in `gaps`: a known
gap is data, not an expected failure.
"""

from dataclasses import dataclass
from typing import Literal

Status = Literal["PROVED", "PLANNED"]


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One capability."""

    behaviour: str
    """What a user can rely on, in our words."""
    status: Status
    gaps: tuple[str, ...] = ()
    """What the behaviour does not cover yet."""


def proved(behaviour: str, *gaps: str) -> Requirement:
    """A capability that at least one marked test proves, apart from the gaps named."""
    return Requirement(behaviour=behaviour, status="PROVED", gaps=gaps)


def planned(behaviour: str) -> Requirement:
    """A capability that no test proves yet."""
    return Requirement(behaviour=behaviour, status="PLANNED")


POLICY_SEARCH = {
    "A1": proved(
        "documents become labelled clauses with tenant, labels and validity; again is a no-op; bad ones are set aside",
        "scans are refused, not recognised; PDF tables without rules are read as lines; white on white is read",
    ),
    "A2": proved(
        "full text and vectors are searched together and an exact clause reference always hits",
        "embedders beside the shipped one: sentence-transformers has run as a stand-in only; questions get no prefix",
        "a customer's everyday words find their clause in the first five in fewer than half of the held-back questions",
    ),
    "A3": proved("only text in force on the as-of date is returned unless another version is asked for by name"),
    "A4": proved("tenant and labels filter before the search, from the decision, never from the prompt"),
    "A5": proved(
        "index versions are built, tagged, compared, promoted, rolled back and pruned in one command",
        "recorded questions are compared with the labels of who compares, and only those that are on record whole",
    ),
    "A6": proved("a citation names document, version, clause, exact quote and hash, and code checks it"),
    "A7": proved(
        "too little evidence ends in an abstention that says what was missing",
        "of unanswerable questions about one in seven is still answered, mostly on matters near the corpus; of "
        "answerable ones about one in nine is declined",
    ),
    "A8": proved(
        "a clause is read with parents, neighbours, its defined terms and what it refers to; versions are compared; "
        "visible documents are listed",
        "a definition counts where it has one of the usual forms; references into other documents need a title or a §",
    ),
    "A9": proved("retrieval is measured by itself: recall, mean average precision, no-result rate"),
}

CASE_FACTS = {
    "B1": proved("cases are stored and imported from JSON and CSV", "on SQLite; PostgreSQL is not there yet"),
    "B2": proved("tools read the one case of the token; everything else looks absent"),
    "B3": proved("a checklist in Rego says which evidence is missing, why, and which clause wants it"),
    "B4": proved("deadlines are computed in code from facts, parameters, business days and holidays"),
    "B5": proved(
        "fields are redacted by classification as an obligation of the decision",
        "the events of a run are shown to whoever may read it as they were recorded; they hold ids and counts",
    ),
    "B6": proved("every value carries its source and trust, set by code"),
}

DRAFTING = {
    "C1": proved("a recommendation is structured: findings with citations and facts, action, risk, open questions"),
    "C2": proved("the citation gate accepts exact whole sentences in force, and checks numbers, dates and modal verbs"),
    "C3": proved(
        "an action with consequences happens only through an approval of exactly that action",
        "a revocation whose signed event is removed as well shows when the audit is verified, not at the execution",
    ),
    "C4": proved("an effect happens once, survives a crash and returns a receipt"),
    "C5": proved("drafts have versions, authors and differences; an edit is a new version"),
}

ACCESS = {
    "D1": proved("access is denied by default, per server, tool, argument, case, tenant, agent and step"),
    "D2": proved("one guard inside each server enforces the same on every transport"),
    "D3": proved("a listing answers yes, maybe or no with arguments unknown; a call answers exactly"),
    "D4": proved("a decision is a document; undefined, late, malformed or unknown is a denial"),
    "D5": proved(
        "approvals ask for roles, quorum and distinct people, leave the author out, and expire",
        "when an approval is next reminded of or escalated is not in the audit; set by hand, it comes late or at once",
    ),
    "D6": proved(
        "budgets and kill switches are policy data and take effect at once",
    ),
    "D7": proved(
        "policies reload after validation, keep the last good set, and every decision names its revision; "
        "bundles are signed"
    ),
    "D8": proved(
        "authors check, test, explain a decision and replay recorded ones against a candidate",
        "Regal is driven in its documented format by a stand-in; no real Regal has run here",
    ),
    "D9": proved("the embedded engine and a real OPA server give the same decisions"),
}

ORCHESTRATION = {
    "E1": proved("a supervisor routes between specialists that see only their own tools"),
    "E2": proved(
        "steps, delegations, tool calls, tokens, money and time are bounded, survive a resume and a fork, and end in "
        "'incomplete, because', which names the budget and what sets it",
        "of a process that was killed, the time of the step that it died in is not counted",
        "a step's model calls are held against tokens and money when it has ended, so one step may exceed them",
    ),
    "E3": proved("a run waits for an approval, for information or for an answer and goes on when it comes"),
    "E4": proved("a killed process loses nothing and repeats no effect"),
    "E5": proved("runs are cancelled, paused, retried; a fork carries no approvals"),
    "E6": proved("a loop without progress goes to a person, with the loop shown"),
    "E7": proved(
        "pending approvals are reminded, reassigned, escalated and expire",
        "notices are kept and shown here; none is sent by e-mail or chat",
    ),
    "E8": proved(
        "an HTTP API with idempotency keys, pages, request ids and resumable events",
        "requests are counted in the memory of each API process; a restart forgets them",
    ),
}

MODELS = {
    "F1": proved("every model call is a named task with typed input and output, a hashed prompt and a budget"),
    "F2": proved("Anthropic, any LangChain chat model, or the offline provider answer every task"),
    "F3": proved("model output is validated, repaired a bounded number of times, then fails with a type"),
    "F4": proved(
        "tasks are routed by risk, with fallback, circuit breaker, jittered retries and a total deadline",
        "each process finds out for itself that a model fails, and limits the requests at once by itself",
    ),
    "F5": proved(
        "tokens and cost are counted per call, run, case and tenant, and a call that cannot be afforded is not made",
        "calls of other processes that are under way do not count against a tenant's limit until they are recorded",
        "a request that timed out inside the service's own client counts with the tokens it reported: none",
    ),
    "F6": proved("prompts are cached, and answers of deterministic tasks, for one tenant and one installation's time"),
    "F7": proved(
        "personal data is redacted before it leaves; a decision says which model may see which class",
        "a name that neither the case nor a word beside it gives away is not recognised, nor addresses of other forms",
        "placeholders are in memory: a run that goes on in another process numbers anew what is in no text of its case",
        "the labels of a document are no part of the class: what the corpus holds counts as internal",
    ),
    "F8": proved("every call is recorded, redacted, and can be replayed without a model"),
    "F9": proved(
        "answers stream, and citations show only once verified",
        "answers to questions stream; the draft of a review does not: it is checked and saved as a whole",
        "a chat model of langchain streams where its integration does; only langchain-core's own models were tried",
    ),
}

TRUST = {
    "G1": proved(
        "the audit is append-only, hash-chained and verified offline, completeness included",
        "a whole older database, checkpoints and all, is found only with a head that was kept elsewhere",
        "an export holds the chain of all tenants, not the recorded inputs, approvals, votes or meters",
        "a run from before events said what it read may be tainted by hand, and untainted while no event says so",
    ),
    "G2": proved(
        "a run is explained from records alone",
        "cost is that of the offline provider in the tests; 'how would we know' names checks, not measured drift",
    ),
    "G3": planned("one trace across the parts, metrics, and structured logs with redaction"),
    "G4": proved(
        "a finished run is replayed offline, byte for byte, and differences are shown",
        "what looked suspicious in a case and what a run had spent are taken as recorded, not found out again",
        "a step that was given up for its time, and failed attempts, are not replayed",
    ),
}

EVALUATION = {
    "H1": proved(
        "suites for answers, retrieval, trajectories, injection, access, approvals and chaos",
        "quality under a provider was tried with a scripted service only; most injected orders end at the agent's own "
        "tools, since most agents hold none for most goals",
    ),
    "H2": proved(
        "gates with thresholds, positive controls and completeness, and a report people can read",
        "trajectories have a control for approvals only; chaos, long runs and the audit have planted defects instead",
    ),
    "H3": proved(
        "a release pins graph, prompts, models, index and policies; promoted, shadowed, rolled back",
        "it holds for all tenants of an installation; a canary keeps the active policies; software is not installed",
        "eval reports are not signed: figures edited with the results of the cases, or without any, are believed",
        "a switch put away with its event, and a false event in its place, is found by `audit verify` alone",
    ),
    "H4": proved(
        "feedback, failures and incidents become examples",
        "a case of a tenant with rules of its own, or that turns on sealed evidence, is refused: it is written by hand",
        "what people say in words is not checked; they say beside it what a machine can hold an answer against",
    ),
    "H5": proved(
        "a model judges soft text quality only, calibrated against labels",
        "no real model was calibrated yet; the labels are of one author, so agreement between people is not known",
    ),
}

PROTOCOL = {
    "I1": proved(
        "servers speak stdio and HTTP in both protocol revisions",
        "the official suite meets a fixture behind the real guard; prompts beyond text and log levels, which ours do "
        "not have, are added to it",
        "with several processes no session of the handshake era is kept, so within a call nobody is asked there",
        "requests of a person are counted in the memory of each process, those without a valid token not at all",
    ),
    "I2": proved(
        "servers are OAuth 2.1 resource servers; no token is passed through",
        "proved with a development issuer and key sets of every kind; no vendor's identity provider has been tried",
        "tokens are not revoked one by one: they end by time, and a person's standing by command",
    ),
    "I3": proved(
        "tools have output schemas and truthful annotations; resources, prompts and completions ask their tool",
        "with several processes nobody of the handshake era can subscribe: no connection is kept",
    ),
    "I4": proved(
        "a client that can ask its user gets the question in place, another gets a link",
        "a client says of itself that its user answered; one that answers by itself cannot be told apart",
        "who was sent to an address by their client is not told there when it is decided",
    ),
    "I5": proved(
        "the orchestrator is an MCP server too",
        "no Tasks extension: the SDK serves none; a handle, get_review and subscriptions take its place",
    ),
    "I6": proved(
        "one command writes the configuration of known clients",
        "paths of macOS and Windows are computed and tested on Linux; no client itself was started",
        "server.json is held against a schema written from the registry's documentation, not against its own text",
    ),
    "I7": proved(
        "tool definitions are pinned and drift quarantines the server",
        "reviews use servers in their own process and compare tools and instructions; resources and prompts, which "
        "no agent uses, are compared by the check alone",
    ),
}

CONSOLE = {
    "J1": planned("a work queue, a case view with citations side by side, live runs, exact approvals"),
    "J2": planned("explain, audit, cost, reports, policy playground and kill switches in the console"),
    "J3": planned("keyboard, screen reader and dark mode; strict content policy; no foreign markup"),
}

OPERATION = {
    "K1": proved(
        "manifests, health, graceful drain, migrations, backup and restore",
        "migrations only: no manifests, readiness, backup or restore",
    ),
    "K2": planned("objectives, alerts, runbooks, threat model, plans and a performance report"),
    "K3": planned("PostgreSQL, object storage and a distributed engine past one machine"),
}

REQUIREMENTS: dict[str, Requirement] = (
    POLICY_SEARCH
    | CASE_FACTS
    | DRAFTING
    | ACCESS
    | ORCHESTRATION
    | MODELS
    | TRUST
    | EVALUATION
    | PROTOCOL
    | CONSOLE
    | OPERATION
)
