"""Tokens of an outside issuer: verified here, never minted here (RFC 9068, RFC 8725).

An issuer's token stands for a person, or for a service as such. It may name no agent, run or step:
those are said only by our own token authority, which in turn says nothing of a person whom the
issuer did not vouch for. `IssuerAuthority` holds the two apart by `iss`, and is what servers verify
with; `PersonVerifier` alone is what the token exchange trusts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.principal import SERVERS, Actor, AudienceName, Caller, Principal, ServerName
from casewright.errors import InputError, UnauthenticatedError, UnavailableError
from casewright.identity.claims import ClaimsMapping, named_case, person, scopes, token_id
from casewright.identity.jose import read_claims_unverified, read_header, verify_signature
from casewright.identity.keyset import IssuerKeys
from casewright.identity.settings import IdentitySettings, IssuerSettings
from casewright.identity.tokens import LOCAL_ISSUER, MAX_TOKEN_BYTES, Grant, LocalTokenAuthority, audience
from casewright.identity.vocabulary import VocabularyFile

ORCHESTRATOR = "casewright:orchestrator"
"""The audience of a token that is meant to be exchanged, not shown to a server."""
MAX_LIFETIME_SECONDS = 86_400
FOREIGN_CLAIMS = ("act", "may_act", "run", "agent", "step", "principal", "idp")
"""What only our own authority says."""
BOUND_TO_A_KEY = "cnf"
"""A token that works only together with a proof of possession (RFC 7800), which we do not check."""


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """What an issuer's valid token says."""

    principal: Principal
    tools: tuple[str, ...]
    """Tools as `server/tool` that its scopes open, at every server."""
    session_id: str
    case_id: str
    token_id: str
    expires_at: int
    """Seconds since the epoch; without any skew."""


class PersonVerifier:
    """Verifies tokens of the one configured issuer."""

    def __init__(
        self, settings: IdentitySettings, mapping: ClaimsMapping, keys: IssuerKeys, names: VocabularyFile, clock: Clock
    ) -> None:
        if settings.issuer is None:
            raise InputError("no issuer is configured; set CASEWRIGHT_IDENTITY=oidc and CASEWRIGHT_OIDC_ISSUER")
        self._settings = settings
        self._issuer: IssuerSettings = settings.issuer
        self._mapping = mapping
        self._keys = keys
        self._names = names
        self._clock = clock

    @property
    def keys(self) -> IssuerKeys:
        return self._keys

    def audiences(self, server: ServerName) -> tuple[str, ...]:
        """What `aud` may be at a server: its address (RFC 8707) where one is known, its name, and what is mapped."""
        known = (self._settings.resource(server), audience(server), *self._mapping.audiences.get(server, ()))
        return tuple(name for name in known if name)

    def orchestrator(self) -> tuple[str, ...]:
        """What `aud` may be for an exchange."""
        known = (self._settings.public_url, ORCHESTRATOR, *self._mapping.audiences.get("orchestrator", ()))
        return tuple(name for name in known if name)

    async def verify(self, token: str, audiences: tuple[str, ...]) -> Vouched:
        """Whom the token stands for, if it is meant for one of these audiences.

        Raises:
            UnauthenticatedError: it is not valid here and now; the code says why, for the audit.
        """
        claims = await self._signed_claims(token)
        self._check_times(claims)
        self._check_audience(claims, audiences)
        if odd := [name for name in (*FOREIGN_CLAIMS, BOUND_TO_A_KEY) if name in claims]:
            raise UnauthenticatedError(
                f"the token carries {odd[0]!r}, which its issuer may not say", code="token_actor"
            )
        names = self._names.current()
        identifier = token_id(claims, self._mapping)
        return Vouched(
            principal=person(claims, self._mapping, names),
            tools=tuple(
                f"{server}/{tool}" for server in names.tools for tool in scopes(claims, self._mapping, names, server)
            ),
            session_id=_session(claims, identifier),
            case_id=named_case(claims, self._mapping),
            token_id=identifier,
            expires_at=claims["exp"],
        )

    async def _signed_claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise UnauthenticatedError("the token is too long", code="token_malformed")
        header = read_header(token, typed=self._issuer.typed)
        if header.algorithm not in self._issuer.algorithms:
            raise UnauthenticatedError("the token's algorithm is not allowed", code="token_algorithm")
        claims = read_claims_unverified(token)
        if claims.get("iss") != self._issuer.issuer:
            raise UnauthenticatedError("the token is of another issuer", code="token_issuer")
        try:
            key = await self._keys.find(header)
        except UnavailableError as error:
            raise UnauthenticatedError(str(error), code="issuer_unavailable") from error
        if key is None:
            raise UnauthenticatedError("the token names a key that its issuer does not publish", code="token_key")
        verify_signature(token, header, key)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now, skew = self._clock.now_ns() // NANOSECONDS, self._issuer.skew_seconds
        expires, issued, not_before = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
        if type(expires) is not int or type(issued) is not int or type(not_before) is not int:
            raise UnauthenticatedError("the token's times are not whole numbers", code="token_malformed")
        if now >= expires + skew:
            raise UnauthenticatedError("the token has expired", code="token_expired")
        if issued > now + skew or not_before > now + skew:
            raise UnauthenticatedError("the token is from the future", code="token_early")
        if not 0 < expires - issued <= MAX_LIFETIME_SECONDS:
            raise UnauthenticatedError("the token lives too long", code="token_lifetime")

    def _check_audience(self, claims: Mapping[str, Any], audiences: tuple[str, ...]) -> None:
        """Ours alone, or beside audiences that the mapping names; a token for two of our servers is for none."""
        named = claims.get("aud")
        listed = cast(list[Any], named) if isinstance(named, list) else [named]
        strange = [entry for entry in listed if entry not in audiences and entry not in self._mapping.other_audiences]
        if strange or not any(entry in audiences for entry in listed):
            raise UnauthenticatedError("the token is not for this server", code="token_audience")


class IssuerAuthority:
    """Two issuers, each for what it may say: the outside one for people, our own for what was exchanged."""

    def __init__(self, people: PersonVerifier, exchanged: LocalTokenAuthority) -> None:
        self._people = people
        self._exchanged = exchanged

    def mint(self, grant: Grant) -> str:
        return self._exchanged.mint(grant)

    async def verify(self, token: str, *, server: AudienceName) -> Caller:
        if not token:
            raise UnauthenticatedError("no token was given", code="token_missing")
        if server == "orchestrator":  # whoever comes with a token of the issuer is signed in (`PersonExchange`)
            raise UnauthenticatedError(
                "a token for the orchestrator is not verified as a server's", code="token_origin"
            )
        if len(token) > MAX_TOKEN_BYTES:
            raise UnauthenticatedError("the token is too long", code="token_malformed")
        if read_claims_unverified(token).get("iss") == LOCAL_ISSUER:
            return await self._exchanged.verify(token, server=server)
        found = await self._people.verify(token, self._people.audiences(server))
        return Caller(
            principal=found.principal,
            actor=Actor(kind="user", run_id=found.session_id, case_id=found.case_id),
            audience=audience(server),
            scopes=tools_at(server, found.tools),
            token_id=found.token_id,
            expires_at=found.expires_at,
        )


def tools_at(server: str, tools: tuple[str, ...]) -> tuple[str, ...]:
    """The tools of one server among `server/tool` names."""
    return tuple(name.removeprefix(f"{server}/") for name in tools if name.startswith(f"{server}/"))


def server_of(resource: str, settings: IdentitySettings) -> ServerName:
    """The server with this audience or address.

    Raises:
        InputError: there is none.
    """
    for server in SERVERS:
        if resource in (server, audience(server)) or (settings.public_url and resource == settings.resource(server)):
            return server
    raise InputError(f"{resource[:200]!r} is no server here; there are {', '.join(map(audience, SERVERS))}")


def _session(claims: Mapping[str, Any], identifier: str) -> str:
    """What binds a person's retrievals and drafts: the session at the issuer if it names one, else the token."""
    session = claims.get("sid")
    named = session if isinstance(session, str) and session else identifier
    text = "\n".join((str(claims["iss"]), str(claims.get("sub")), named))
    return f"session-{sha256(text.encode()).hexdigest()[:32]}"
