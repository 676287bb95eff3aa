"""The positive control: the same servers, stores and index with the boundaries under test taken away.

Whatever the access policy is asked, it allows; tokens are believed without signature, audience or time; nobody has to
agree to anything; drafts are saved unread; servers are used whatever they show. What an attack cannot do even here it
could never do, so that it would prove nothing. Two more boundaries fall for those suites alone that look for them
(`opened_careless`): the day that the rules are asked for, and what a refusal says. The parts are put together in this
process and in this file alone: no setting, option or environment of the product leads here, and nothing outside
`evals` imports it.
"""

import traceback
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, cast

import jwt
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.access.engine import EngineName, PolicyChange, PolicyEngine, ReloadCounts
from casewright.approvals.binding import call_digest
from casewright.approvals.ledger import ApprovalLedger
from casewright.clock import Clock, ManualClock, today
from casewright.config import Settings
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule
from casewright.contracts.clause import ClauseInContext, SearchFilters, SearchResult
from casewright.contracts.principal import Actor, AudienceName, Caller, Principal, ServerName
from casewright.contracts.recommendation import Citation, Recommendation, VerifiedCitation
from casewright.corpus.corpus import Corpus
from casewright.errors import PolicyError, UnauthenticatedError
from casewright.identity.tokens import Grant, LocalTokenAuthority
from casewright.services import Services
from casewright.storage.tables import approvals
from evals.world import NOW_NS, POLICIES, ServerWorld
from servers.build import ServerFactory
from servers.callers import TokenSource
from servers.drafting.tools import DraftingTools
from servers.guard import Guard
from servers.guarded import GuardedServer

ACCESS_RULE = "casewright.access.decision"
ANYBODY = ApprovalRule(roles=("supervisor",), quorum=1, author_excluded=True, ttl_seconds=3_600, risk="high")


class AllowingEngine(PolicyEngine):
    """Allows whatever access is asked for and leaves every other rule to the policies in force."""

    def __init__(self, real: PolicyEngine) -> None:
        self._real = real

    @property
    def name(self) -> EngineName:
        return self._real.name

    @property
    def blocking(self) -> bool:
        return self._real.blocking

    @property
    def revision(self) -> str:
        return self._real.revision

    @property
    def last_error(self) -> PolicyError | None:
        return self._real.last_error

    def reload_if_changed(self) -> bool:
        return self._real.reload_if_changed()

    def take_changes(self) -> tuple[PolicyChange, ...]:
        return self._real.take_changes()

    @property
    def reloads(self) -> ReloadCounts:
        return self._real.reloads

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        """The decision that anybody may do anything, or the real value of another rule."""
        return allowed(document) if rule == ACCESS_RULE else self._real.evaluate(rule, document)

    def probe(self) -> str:
        return self._real.probe()

    def close(self) -> None:
        self._real.close()


def allowed(document: Mapping[str, object]) -> dict[str, Any]:
    """A decision/v1 that permits the document, with no obligation but those without which code denies by itself."""
    asked = cast("dict[str, Any]", document)
    tool, executes = asked["tool"], asked["mode"] == "call" and asked["tool"]["verb"] == "execute"
    obligations: list[dict[str, Any]] = []
    if tool["server"] != "policy-search":  # without it, code redacts everything but the public
        obligations.append({"kind": "redact", "above": "confidential"})
    if tool["verb"] == "search" and tool["server"] == "policy-search":
        obligations.append({"kind": "limit", "max_results": 50})
    if executes:  # an execution without one is no decision; the ledger here holds nobody up
        rule = ANYBODY.model_dump(mode="json", exclude={"risk"})
        obligations.append({"kind": "approval", **rule})
    return {
        "schema": "decision/v1",
        "allow": True,
        "effect": "require_approval" if executes else "permit",
        "reasons": [{"code": "unenforced", "message": "nothing is enforced here"}],
        "obligations": obligations,
        "filters": {
            "tenant": asked["principal"]["tenant"],
            "labels": list(asked["principal"]["labels"]),
            "sealed": True,
        },
        "ttl_seconds": 0,
        "package": "casewright.access",
    }


class BelievingTokens(LocalTokenAuthority):
    """Believes what any token says of itself, at every server."""

    async def verify(self, token: str, *, server: AudienceName) -> Caller:
        try:
            said = jwt.decode(token, options={"verify_signature": False})
            return await super().verify(self.mint(_said(said, server)), server=server)
        except (jwt.PyJWTError, KeyError, TypeError, ValidationError) as error:
            raise UnauthenticatedError("that is no token at all", code="token_malformed") from error


def _said(claims: dict[str, Any], server: AudienceName) -> Grant:
    agent = claims["act"]["sub"] if "act" in claims else ""
    actor = Actor(
        kind="agent" if agent else "user",
        agent=agent,
        run_id=claims["run"],
        case_id=claims["case"],
        step=claims["step"]["name"],
        steps_taken=claims["step"]["taken"],
    )
    principal = Principal.model_validate(claims["principal"])
    return Grant(principal=principal, actor=actor, server=server, scopes=tuple(claims["scope"].split()))


class ConsentingLedger(ApprovalLedger):
    """Nobody has to agree: what is asked for is approved, and what was not even asked for is good to be used."""

    async def request(self, call: ActionCall, rule: ApprovalRule, *, caller: Caller) -> Approval:
        asked = await super().request(call, rule, caller=caller)
        async with self._database.write() as connection:
            await self._set_state(connection, asked, "approved")
        return asked.model_copy(update={"state": "approved"})

    async def consume(self, call: ActionCall, *, caller: Caller, connection: AsyncConnection) -> Approval:
        known = await self._latest(connection, call_digest(call))
        if known is None:
            known = await self._create(connection, call, ANYBODY, caller)
        one = approvals.c.approval_id == known.approval_id
        await connection.execute(update(approvals).where(one).values(state="consumed"))
        return known.model_copy(update={"state": "consumed"})

    async def asked_in_earnest(self, call: ActionCall, rule: ApprovalRule, *, caller: Caller) -> Approval:
        """As the real ledger: it waits for people. For what a control needs to be pending."""
        return await super().request(call, rule, caller=caller)


class UncheckedDrafting(DraftingTools):
    """The drafting tools without citation gate, without the rules' outcome, and without a look at what is executed."""

    async def _own_problems(
        self, recommendation: Recommendation
    ) -> tuple[tuple[str, ...], tuple[VerifiedCitation, ...]]:
        return (), ()

    async def _check_execution(self) -> None:
        return


class UnenforcedServices(Services):
    """The parts over a data folder, three of them replaced."""

    @cached_property
    def engine(self) -> PolicyEngine:
        return AllowingEngine(super().engine)

    @cached_property
    def tokens(self) -> BelievingTokens:
        return BelievingTokens(self.signing_key, self.clock)

    @cached_property
    def approvals(self) -> ConsentingLedger:
        return ConsentingLedger(self.database, self.audit, self.clock)


class UnpinnedServers:
    """Takes every server for the one that was reviewed."""

    async def require(self, server: str, shown: Sequence[object], identity: object, *, agent: str) -> None:
        return


class UnenforcedWorld(ServerWorld):
    """Servers that enforce nothing."""

    factories: ClassVar[type[ServerFactory]] = ServerFactory

    def __init__(self, services: UnenforcedServices) -> None:
        super().__init__(services)
        from commands.review_requests import ReviewRequests

        drafting = UncheckedDrafting(services, Guard(services, server="drafting")).specs()
        self.factory: ServerFactory = self.factories(
            services, tools={"drafting": drafting}, reviews=ReviewRequests(services)
        )


@asynccontextmanager
async def opened_unenforced(
    home: Path, *, policies: Path = POLICIES, clock: Clock | None = None
) -> AsyncGenerator[UnenforcedWorld, None]:
    """As `evals.world.opened_servers`, with nothing enforced."""
    services = UnenforcedServices(Settings(home=home, policies=policies), clock=clock or ManualClock(NOW_NS))
    try:
        yield UnenforcedWorld(services)
    finally:
        await services.close()


class OtherFilters(Corpus):
    """Searches, reads and verifies under other filters than it is given."""

    def __init__(self, folder: Path, changed: Mapping[str, Any], *, embedder: str = "") -> None:
        super().__init__(folder, embedder=embedder)
        self._changed = dict(changed)

    def _other(self, filters: SearchFilters) -> SearchFilters:
        return filters.model_copy(update=self._changed)

    def search(self, query: str, filters: SearchFilters, *, limit: int = 10) -> SearchResult:
        return super().search(query, self._other(filters), limit=limit)

    def clause(self, filters: SearchFilters, *, document_id: str, label: str) -> ClauseInContext:
        return super().clause(self._other(filters), document_id=document_id, label=label)

    def verify(self, citation: Citation, filters: SearchFilters) -> VerifiedCitation:
        return super().verify(citation, self._other(filters))


class CarelessServices(UnenforcedServices):
    """Those, and the rules of today whatever day is asked for."""

    @cached_property
    def corpus(self) -> Corpus:
        named = self.settings
        return OtherFilters(named.index, {"as_of": today(self.clock)}, embedder=named.embedder)


class TellingServer(GuardedServer):
    """Says of a failed call all that there is to say, as a server does that was left in its debug mode."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            raise ToolError("".join(traceback.format_exception(error.__cause__ or error))) from error


class TellingServers(ServerFactory):
    """Builds servers that tell."""

    def _build(self, name: ServerName, tokens: TokenSource, **transport: Any) -> GuardedServer:
        guard, spec = self._parts(name)
        return TellingServer(spec=spec, guard=guard, tokens=tokens, services=self._services, **transport)


class CarelessWorld(UnenforcedWorld):
    """Servers that enforce nothing, and watch neither the day nor their words."""

    factories = TellingServers


@asynccontextmanager
async def opened_careless(
    home: Path, *, policies: Path = POLICIES, clock: Clock | None = None
) -> AsyncGenerator[CarelessWorld, None]:
    """As `opened_unenforced`, for what looks at the words of refusals and at the days of clauses, too."""
    services = CarelessServices(Settings(home=home, policies=policies), clock=clock or ManualClock(NOW_NS))
    try:
        yield CarelessWorld(services)
    finally:
        await services.close()
