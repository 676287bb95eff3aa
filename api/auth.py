"""Who is asking: one bearer token in one header, signed in anew with every request.

With an issuer it is the issuer's token for the orchestrator, with local identities one that
`casewright token orchestrator` made. A server's token is never taken. It stands before routing, so
nothing is answered without a token but what `PUBLIC` names. What the person may do is asked by
each route (see `api.permission`).
"""

import logging
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ApiProblemError
from api.limits import ApiLimits, RateLimit
from casewright.contracts.principal import Principal
from casewright.errors import DeniedError, NotFoundError, UnauthenticatedError
from casewright.identity.exchange import narrower
from casewright.services import Services

METADATA = "/.well-known/oauth-protected-resource"
PUBLIC = ("/v1/health", "/v1/ready", METADATA)
"""Answered without a token: liveness, readiness, and where tokens come from (RFC 9728)."""
_log = logging.getLogger("casewright.api")


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A person, as a valid token vouches for them."""

    principal: Principal
    token_id: str
    expires_at: int
    """Seconds since the epoch."""


async def sign_in(services: Services, token: str) -> SignedIn:
    """The person whose token for the orchestrator this is.

    Raises:
        UnauthenticatedError: it is not valid here and now, an agent's, or of somebody who is known no more.
    """
    if services.settings.identity.issuer is not None:
        found = await services.person_exchange.vouched(token)
        return SignedIn(principal=found.principal, token_id=found.token_id, expires_at=found.expires_at)
    caller = await services.tokens.verify(token, server="orchestrator")
    if caller.actor.kind != "user" or caller.actor.agent:
        raise UnauthenticatedError("an agent has nothing to ask here", code="token_actor")
    try:
        principal = narrower(caller.principal, services.standings.find(caller.principal.id))
    except (NotFoundError, DeniedError) as error:
        raise UnauthenticatedError("the token's person is not known any more", code="token_subject") from error
    return SignedIn(principal=principal, token_id=caller.token_id, expires_at=caller.expires_at)


class SignInGate:
    """Lets through what is public, and whoever signs in; counts requests by identity."""

    def __init__(self, app: ASGIApp, services: Services, limits: ApiLimits, base_url: str) -> None:
        self._app = app
        self._services = services
        self._rate = RateLimit(limits.requests_per_minute)
        self._metadata_url = f"{base_url}{METADATA}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            token = self._presented(scope)
            try:
                signed_in = await sign_in(self._services, token)
            except UnauthenticatedError as error:
                _log.info("request %s: a token was refused: %s", scope["state"]["request_id"], error.code)
                raise self._refusal("invalid_token", "the token is not valid here") from error
            scope["state"]["signed_in"] = signed_in
            person = signed_in.principal
            await self._rate.count("identity", f"{person.tenant}/{person.id}")
        await self._app(scope, receive, send)

    def _presented(self, scope: Scope) -> str:
        """The one token of the request (RFC 6750, section 2.1)."""
        shown = Headers(scope=scope).getlist("authorization")
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if len(shown) > 1 or any(name == "access_token" for name, _ in query):
            detail = "send one token, in one Authorization header, and nowhere else"
            raise ApiProblemError("unreadable", detail, self._challenge("invalid_request", detail))
        scheme, _, token = (shown[0] if shown else "").partition(" ")
        if scheme.lower() != "bearer":
            raise self._refusal("", "send a bearer token in the Authorization header")
        return token.strip()

    def _refusal(self, code: str, detail: str) -> ApiProblemError:
        return ApiProblemError("unauthenticated", detail, self._challenge(code, detail if code else ""))

    def _challenge(self, code: str, description: str) -> dict[str, str]:
        """Without an error code where no token was shown (RFC 6750, section 3.1; RFC 9728, section 5.1)."""
        said = {"error": code, "error_description": description, "resource_metadata": self._metadata_url}
        return {"www-authenticate": "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items() if value)}


def protected_resource(services: Services, base_url: str) -> dict[str, object]:
    """The metadata of the API as a protected resource (RFC 9728, section 2)."""
    issuer = services.settings.identity.issuer
    return {
        "resource": base_url,
        "resource_name": "Casewright API",
        "authorization_servers": [issuer.issuer if issuer is not None else base_url],
        "bearer_methods_supported": ["header"],
    }
