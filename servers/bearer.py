"""What stands before a server on HTTP: the answers of OAuth 2.1 that only the transport can give.

It refuses a request without one valid bearer token in one header (RFC 6750, section 2.1) and says
where the metadata is (RFC 9728), names the scope that a call lacks, and serves the metadata. It is
deliberately *not* the control: the guard inside the server checks the token and the scope again.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from casewright.audit.entry import AuditEntry
from casewright.contracts.principal import Caller, ServerName
from casewright.errors import UnauthenticatedError
from casewright.services import Services
from servers.callers import verified_request
from servers.wire import Draining, IdentityRate, Refused, Replay, Said, WireLimits, whole_body

MAX_NAME = 100
BAD_REQUEST = 400
TOO_MANY = 429
ENDLESS = frozenset({"subscriptions/listen"})
"""Methods whose answer is a stream without an end."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
WELL_KNOWN = "/.well-known/oauth-protected-resource"
_log = logging.getLogger("casewright.servers")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One server as clients of its issuer see it."""

    server: ServerName
    url: str
    issuer: str
    """Who gives tokens; with local identities the server itself, where nobody can ask for one."""
    scopes: tuple[str, ...]

    @property
    def metadata_url(self) -> str:
        """Where the metadata is: the well-known part between host and path (RFC 9728, section 3.1)."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path}"

    def metadata(self) -> Response:
        """The protected resource metadata (RFC 9728, section 2)."""
        document = {
            "resource": self.url,
            "resource_name": f"Casewright {self.server}",
            "authorization_servers": [self.issuer],
            "scopes_supported": list(self.scopes),
            "bearer_methods_supported": ["header"],
        }
        return JSONResponse(document, headers={"access-control-allow-origin": "*"})

    def challenge(self, status: int, error: str = "", description: str = "", scope: str = "") -> Response:
        """A refusal with its challenge; without an error code when no token was shown (RFC 6750, section 3.1)."""
        said = {"error": error, "error_description": description, "scope": scope or " ".join(self.scopes)}
        parts = [f'{name}="{value}"' for name, value in said.items() if value]
        parts.append(f'resource_metadata="{self.metadata_url}"')
        header = "Bearer " + ", ".join(parts)
        body = {"error": error or "unauthorized", "error_description": description or "a bearer token is needed"}
        return JSONResponse(body, status, headers={"www-authenticate": header, "cache-control": "no-store"})


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all servers of one process have in common."""

    limits: WireLimits
    draining: Draining
    rate: IdentityRate


class BearerGate:
    """Wraps the application of one server."""

    def __init__(self, app: ASGIApp, services: Services, resource: Resource, shared: Shared) -> None:
        self._app = app
        self._services = services
        self._resource = resource
        self._limits = shared.limits
        self._draining = shared.draining
        self._rate = shared.rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        token = self._presented(scope, headers)
        if isinstance(token, Response):
            await token(scope, receive, send)
            return
        try:
            caller = await self._services.tokens.verify(token, server=self._resource.server)
        except UnauthenticatedError as error:
            _log.info("a token at %r was refused: %s", self._resource.server, error.code)
            await self._resource.challenge(401, "invalid_token", "the token is not valid here")(scope, receive, send)
            return
        identity = f"{caller.principal.tenant}/{caller.principal.id}"
        try:
            await self._rate.count(identity)
            body = await whole_body(headers, receive, self._limits) if scope["method"] == "POST" else None
        except Refused as refused:
            if refused.response.status_code != TOO_MANY or await self._rate.is_to_record(identity):
                await self._record(caller, "", refused.response.status_code)
            await refused.response(scope, receive, send)
            return
        except ConnectionError:
            return  # the client went away; there is nobody to answer
        heard = receive if body is None else Replay(body, receive)
        method, tool = ("", "") if body is None else _asked(body)
        if tool and tool not in caller.scopes and "*" not in caller.scopes:
            await (await self._lacking(caller, tool))(scope, heard, send)
            return
        said = Said(send)
        with verified_request(token, caller) as request:
            if body is None or method in ENDLESS:  # a stream of the handshake era, or a subscription
                await self._draining.stream(self._app, scope, heard, said)
            else:
                await self._app(scope, heard, said)
        if said.status >= BAD_REQUEST and not request.reached_guard:
            await self._record(caller, method, said.status)

    async def _record(self, caller: Caller, method: str, status: int) -> None:
        """Put into the audit what was refused before the guard could see it."""
        body = {
            "server": self._resource.server,
            "method": _plain(method),
            "code": "http_refused",
            "detail": str(status),
        }
        _log.info("a request of %r at %r was refused with %d", caller.principal.id, self._resource.server, status)
        await self._services.audit.append(AuditEntry.of_caller("call.denied", caller, body), durable=False)

    def _presented(self, scope: Scope, headers: Headers) -> str | Response:
        """The one token of the request, or why there is none."""
        shown = headers.getlist("authorization")
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        form = headers.get("content-type", "").partition(";")[0].strip().lower() in FORMS
        if len(shown) > 1 or form or any(name == "access_token" for name, _ in query):
            problem = "send one token, in one Authorization header, and nowhere else"
            return self._resource.challenge(400, "invalid_request", problem)
        scheme, _, token = (shown[0] if shown else "").partition(" ")
        if scheme.lower() != "bearer":
            return self._resource.challenge(401)
        return token.strip()

    async def _lacking(self, caller: Caller, tool: str) -> Response:
        """The same for a tool that exists and one that does not; audited as the guard would."""
        body = {"server": self._resource.server, "tool": _plain(tool), "code": "scope_missing", "detail": "http"}
        await self._services.audit.append(AuditEntry.of_caller("call.denied", caller, body))
        needed = tool if tool == _plain(tool) and not set(tool) & set('"\\ ') else ""
        return self._resource.challenge(403, "insufficient_scope", "the token does not cover this call", needed)


def _asked(body: bytes) -> tuple[str, str]:
    """The method of a message and the tool that it calls; empty where there is none, which the server judges."""
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(message, dict):
        return "", ""
    called = cast(Mapping[str, Any], message)
    method, params = called.get("method"), called.get("params")
    if not isinstance(method, str):
        return "", ""
    name = cast(Mapping[str, Any], params).get("name") if isinstance(params, Mapping) else None
    return method, name if method == "tools/call" and isinstance(name, str) else ""


def _plain(name: str) -> str:
    return name[:MAX_NAME].encode("unicode_escape").decode("ascii")
