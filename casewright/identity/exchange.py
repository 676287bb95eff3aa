"""Exchanges what a person may for a short token of one server, one case and one actor (RFC 8693).

No token is ever passed on: what reaches a server was made for that server alone. An exchange only
narrows. The principal is what the person has *now* and had when they asked, the tools are those
that were asked for, that the person may use and, for an agent, that the policies give it; the token
ends with minutes, with the person's own token, or with their standing, whichever is first.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.case import Classification
from casewright.contracts.principal import Actor, AudienceName, Principal, ServerName
from casewright.errors import DeniedError, UnauthenticatedError
from casewright.identity.claims import ClaimsMapping
from casewright.identity.oidc import PersonVerifier, Vouched, tools_at
from casewright.identity.standing import KeptStandings, Standing, Standings
from casewright.identity.tokens import DELEGATED_SECONDS, Grant, TokenAuthority
from casewright.identity.vocabulary import ANY_TOOL, VocabularyFile

PERSONAL_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """A token that was made for one server."""

    token: str
    principal: Principal
    server: AudienceName
    case_id: str
    run_id: str
    scopes: tuple[str, ...]
    seconds: int


class TokenExchange:
    """Makes tokens from the standing of people; holds none."""

    def __init__(self, authority: TokenAuthority, standings: Standings, names: VocabularyFile, clock: Clock) -> None:
        self._authority = authority
        self._standings = standings
        self._names = names
        self._clock = clock

    def delegate(self, principal: Principal, actor: Actor, server: ServerName, tools: Iterable[str]) -> str:
        """A token with which an agent acts for the person, at one server, in one run and case.

        Raises:
            NotFoundError: the person stands with us no more.
            DeniedError: the actor is no agent in a run on a case, or the person is not who they were.
        """
        if actor.kind != "agent" or not (actor.agent and actor.run_id and actor.case_id):
            raise DeniedError("only an agent in a run on a case is delegated to", code="agent_unbound")
        standing = self._standings.standing(principal.id)
        allowed = self._names.current().agent_tools(actor.agent, server)
        scopes = narrower_tools(tools, allowed, _own(standing.tools, server))
        return self._mint(standing, principal, actor, server, scopes, DELEGATED_SECONDS).token

    def own_tools(self, principal: Principal, server: str) -> tuple[str, ...]:
        """The tools that a person may use at a server; `*` for a local identity.

        Raises:
            NotFoundError: the person stands with us no more.
        """
        return _own(self._standings.standing(principal.id).tools, server)

    def personal(self, principal: Principal, actor: Actor, server: ServerName, *, seconds: int) -> Exchanged:
        """A person's own token for one server; it holds whatever tools they may use there.

        Raises:
            NotFoundError: the person stands with us no more.
            DeniedError: the actor is an agent, or the person is not who they were.
        """
        if actor.kind != "user" or actor.agent:
            raise DeniedError("a person's own token names no agent", code="actor_malformed")
        standing = self._standings.standing(principal.id)
        if standing.tools == (ANY_TOOL,):  # a local identity: development, where nothing ends earlier
            standing = standing.model_copy(update={"until": standing.until + seconds})
        return self._mint(standing, principal, actor, server, _own(standing.tools, server), seconds)

    def orchestrator(self, principal: Principal, session: str, *, seconds: int) -> Exchanged:
        """A local identity's own token for the API; it names no case and opens no tool of a server.

        Args:
            session: what it is recorded under where it is used.

        Raises:
            NotFoundError: there is no such person any more.
            DeniedError: an issuer vouches for people here; its own token is what the API takes.
        """
        standing = self._standings.standing(principal.id)
        if standing.tools != (ANY_TOOL,):
            raise DeniedError("the API takes the issuer's own token", code="token_origin")
        standing = standing.model_copy(update={"until": standing.until + seconds})
        return self._mint(standing, principal, Actor(kind="user", run_id=session), "orchestrator", (), seconds)

    def _mint(
        self,
        standing: Standing,
        principal: Principal,
        actor: Actor,
        server: AudienceName,
        scopes: tuple[str, ...],
        seconds: int,
    ) -> Exchanged:
        left = standing.until - self._clock.now_ns() // NANOSECONDS
        if left <= 0:
            raise UnauthenticatedError("the time for which this person is believed is over", code="token_expired")
        grant = Grant(
            principal=narrower(principal, standing.principal),
            actor=actor,
            server=server,
            scopes=scopes,
            seconds=min(seconds, left),
        )
        return Exchanged(
            token=self._authority.mint(grant),
            principal=grant.principal,
            server=server,
            case_id=actor.case_id,
            run_id=actor.run_id,
            scopes=scopes,
            seconds=grant.seconds,
        )


class PersonExchange:
    """Exchanges an issuer's token: for a standing with us, or for a token of one server and case."""

    def __init__(
        self,
        people: PersonVerifier,
        authority: TokenAuthority,
        standings: KeptStandings,
        mapping: ClaimsMapping,
        clock: Clock,
    ) -> None:
        self._people = people
        self._authority = authority
        self._standings = standings
        self._mapping = mapping
        self._clock = clock

    async def sign_in(self, token: str) -> Principal:
        """The person whose token for the orchestrator this is; runs may go on for them for a while.

        Raises:
            UnauthenticatedError: it is not valid, or is meant for a server.
        """
        return (await self.vouched(token)).principal

    async def vouched(self, token: str) -> Vouched:
        """What the token says that somebody signs in with; see `sign_in`.

        Raises:
            UnauthenticatedError: it is not valid, or is meant for a server.
        """
        found = await self._people.verify(token, self._people.orchestrator())
        until = self._clock.now_ns() // NANOSECONDS + self._mapping.standing_seconds
        self._standings.remember(Standing(principal=found.principal, tools=found.tools, until=until))
        return found

    async def exchange(
        self, token: str, server: ServerName, *, case_id: str = "", scopes: tuple[str, ...] = ()
    ) -> Exchanged:
        """A short token for one server and one case, for a token of the orchestrator or of that very server.

        Args:
            scopes: tools to ask for; none: all that the person's token opens there.

        Raises:
            UnauthenticatedError: the person's token is not valid, ends now, or names another case.
        """
        audiences = (*self._people.orchestrator(), *self._people.audiences(server))
        found = await self._people.verify(token, audiences)
        if found.case_id and case_id not in ("", found.case_id):
            raise UnauthenticatedError("the token is for another case", code="token_case")
        return self._mint(found, server, found.case_id or case_id, scopes)

    def _mint(self, found: Vouched, server: ServerName, case_id: str, asked: tuple[str, ...]) -> Exchanged:
        left = found.expires_at - self._clock.now_ns() // NANOSECONDS
        if left <= 0:
            raise UnauthenticatedError("the token has expired", code="token_expired")
        own = tools_at(server, found.tools)
        scopes = narrower_tools(asked, own) if asked else own
        actor = Actor(kind="user", run_id=found.session_id, case_id=case_id)
        seconds = min(PERSONAL_SECONDS, left)
        grant = Grant(principal=found.principal, actor=actor, server=server, scopes=scopes, seconds=seconds)
        return Exchanged(
            token=self._authority.mint(grant),
            principal=found.principal,
            server=server,
            case_id=case_id,
            run_id=actor.run_id,
            scopes=scopes,
            seconds=seconds,
        )


def narrower(asked: Principal, own: Principal) -> Principal:
    """What both have: the rights of `asked` as far as they are the person's `own` now.

    Raises:
        DeniedError: they are not the same person of the same tenant.
    """
    if (asked.id, asked.tenant) != (own.id, own.tenant):
        raise DeniedError(f"{asked.id!r} is not the person who is known by this name now", code="principal_changed")
    levels = list(Classification)
    return Principal(
        id=own.id,
        tenant=own.tenant,
        roles=tuple(role for role in own.roles if role in asked.roles),
        clearance=min(asked.clearance, own.clearance, key=levels.index),
        labels=tuple(label for label in own.labels if label in asked.labels),
        authenticated_at=min(asked.authenticated_at, own.authenticated_at),
        authentication=own.authentication if asked.authentication == own.authentication else "password",
    )


def narrower_tools(asked: Iterable[str], *limits: Iterable[str]) -> tuple[str, ...]:
    """The tools asked for that every limit has, sorted; `*` in a limit sets none, and asked for it gives nothing."""
    found = set(asked) - {ANY_TOOL}
    for limit in map(frozenset, limits):
        found = found if ANY_TOOL in limit else found & limit
    return tuple(sorted(found))


def _own(tools: tuple[str, ...], server: str) -> tuple[str, ...]:
    return (ANY_TOOL,) if tools == (ANY_TOOL,) else tools_at(server, tools)
