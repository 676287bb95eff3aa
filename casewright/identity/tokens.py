"""Tokens: minted by an authority for one audience, verified on every transport alike.

A token is a JWT signed with Ed25519 (RFC 8037). A delegated token names the user as `sub` and
the agent in `act` (RFC 8693), one audience, one run and one case, and lives for minutes.
`TokenAuthority` is the seam: the local authority signs with the key made by `init`. Beside an outside
issuer it only makes tokens by exchange (`identity.exchange`), and each names that issuer in `idp`.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import jwt
from pydantic import ValidationError

from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.principal import Actor, AudienceName, Caller, Principal
from casewright.errors import InputError, UnauthenticatedError
from casewright.identity.keys import SigningKey

ALGORITHM = "EdDSA"
LOCAL_ISSUER = "casewright:local"
MAX_TOKEN_BYTES = 8_192
DELEGATED_SECONDS = 600
REQUIRED_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "jti"]


def audience(server: AudienceName) -> str:
    """The audience of the tokens of a server, or of the orchestrator."""
    return f"casewright:{server}"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token is to say."""

    principal: Principal
    actor: Actor
    server: AudienceName
    scopes: tuple[str, ...]
    seconds: int = DELEGATED_SECONDS


class TokenAuthority(Protocol):
    """Mints tokens (or exchanges them) and verifies them."""

    def mint(self, grant: Grant) -> str: ...

    async def verify(self, token: str, *, server: AudienceName) -> Caller:
        """The caller a token stands for at `server`.

        Raises:
            UnauthenticatedError: missing, malformed, expired, forged, or for another audience.
        """
        ...


class LocalTokenAuthority:
    """Signs with the installation's own key: for local identities, or what an issuer's tokens are exchanged for."""

    def __init__(self, key: SigningKey, clock: Clock, *, vouched_by: str = "") -> None:
        """An authority of one kind; it refuses the tokens of the other.

        Args:
            vouched_by: the issuer that vouches for everybody; empty: the local identities stand for themselves.
        """
        self._key = key
        self._clock = clock
        self._vouched_by = vouched_by

    def mint(self, grant: Grant) -> str:
        """Sign a token for one audience.

        Raises:
            InputError: an issuer vouches for people here, and this is a local identity or may call anything.
        """
        if self._vouched_by and not _is_vouched(grant.principal, grant.scopes):
            raise InputError(
                f"{grant.principal.id!r} is a local identity, and CASEWRIGHT_IDENTITY=oidc; present a token of "
                f"{self._vouched_by!r} in CASEWRIGHT_TOKEN"
            )
        now = self._clock.now_ns() // NANOSECONDS
        claims: dict[str, Any] = {
            "iss": LOCAL_ISSUER,
            "sub": grant.principal.id,
            "aud": audience(grant.server),
            "iat": now,
            "exp": now + grant.seconds,
            "jti": secrets.token_urlsafe(12),
            "principal": grant.principal.model_dump(mode="json"),
            "run": grant.actor.run_id,
            "case": grant.actor.case_id,
            "step": {"name": grant.actor.step, "taken": grant.actor.steps_taken},
            "scope": " ".join(grant.scopes),
        }
        if self._vouched_by:
            claims["idp"] = self._vouched_by
        if grant.actor.kind == "agent":
            claims["act"] = {"sub": grant.actor.agent}
        return jwt.encode(claims, self._key.private_key, algorithm=ALGORITHM)

    async def verify(self, token: str, *, server: AudienceName) -> Caller:
        if not token:
            raise UnauthenticatedError("no token was given", code="token_missing")
        if len(token) > MAX_TOKEN_BYTES:
            raise UnauthenticatedError("the token is too long", code="token_malformed")
        claims = self._claims(token, server)
        if claims.get("idp", "") != self._vouched_by:
            raise UnauthenticatedError("the token is of another way to sign in", code="token_origin")
        try:
            caller = _caller(claims)
        except (KeyError, TypeError, AttributeError, ValidationError) as error:
            raise UnauthenticatedError("the token lacks what a caller needs", code="token_malformed") from error
        if self._vouched_by and not _is_vouched(caller.principal, caller.scopes):
            raise UnauthenticatedError("nobody vouched for the token's person", code="token_origin")
        return caller

    def _claims(self, token: str, server: AudienceName) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token,
                self._key.public_key,
                algorithms=[ALGORITHM],
                audience=audience(server),
                issuer=LOCAL_ISSUER,
                # PyJWT reads the machine's clock; ours decides, so that it can be a manual one.
                options={"require": REQUIRED_CLAIMS, "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidAudienceError as error:
            raise UnauthenticatedError(f"the token is not for {server!r}", code="token_audience") from error
        except jwt.PyJWTError as error:
            raise UnauthenticatedError("the token is not valid", code="token_invalid") from error
        self._check_times(claims)
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock.now_ns() // NANOSECONDS
        expires, issued = claims["exp"], claims["iat"]
        if type(expires) is not int or type(issued) is not int:
            raise UnauthenticatedError("the token's times are not whole numbers", code="token_malformed")
        if now >= expires:
            raise UnauthenticatedError("the token has expired", code="token_expired")
        if issued > now + 60:
            raise UnauthenticatedError("the token is from the future", code="token_invalid")


def _is_vouched(principal: Principal, scopes: tuple[str, ...]) -> bool:
    """Whether this can come from an issuer's token: nobody local, and tools by name."""
    return principal.authentication != "local" and "*" not in scopes


def _caller(claims: dict[str, Any]) -> Caller:
    principal = Principal.model_validate(claims["principal"])
    if principal.id != claims["sub"]:
        raise UnauthenticatedError("the token contradicts itself", code="token_malformed")
    agent = claims["act"]["sub"] if "act" in claims else ""
    kind: Literal["user", "agent"] = "agent" if "act" in claims else "user"
    if kind == "agent" and not agent:
        raise UnauthenticatedError("the token names an actor without a name", code="token_malformed")
    step = claims["step"]
    return Caller(
        principal=principal,
        actor=Actor(
            kind=kind,
            agent=agent,
            run_id=claims["run"],
            case_id=claims["case"],
            step=step["name"],
            steps_taken=step["taken"],
        ),
        audience=claims["aud"],
        scopes=tuple(claims["scope"].split()),
        token_id=claims["jti"],
        expires_at=claims["exp"],
    )
