"""Serves the development issuer on this machine; see `casewright.identity.dev_issuer` for what it is not."""

import html
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from casewright.errors import InputError
from casewright.identity.dev_issuer import NAME, DevelopmentIssuer

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
PAGE_HEADERS = {**NO_STORE, "content-security-policy": "default-src 'none'; form-action *; frame-ancestors 'none'"}
Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(issuer: DevelopmentIssuer) -> Starlette:
    """Every endpoint under the issuer's name, and its metadata at both well-known addresses."""

    async def metadata(_request: Request) -> Response:
        return JSONResponse(issuer.metadata())

    async def keys(_request: Request) -> Response:
        return JSONResponse(issuer.key_set())

    async def rotate(_request: Request) -> Response:
        return JSONResponse({"kid": issuer.rotate()})

    async def ask(request: Request) -> Response:
        handle = issuer.begin(dict(request.query_params))
        return HTMLResponse(_page(issuer, handle), headers=PAGE_HEADERS)

    async def pick(request: Request) -> Response:
        form = await _form(request)
        found, code = issuer.pick(form.get("request", ""), form.get("person", ""))
        answer = urlencode({"code": code, "state": found.state, "iss": issuer.issuer})
        separator = "&" if "?" in found.redirect_uri else "?"
        return RedirectResponse(f"{found.redirect_uri}{separator}{answer}", 303, headers=NO_STORE)

    async def token(request: Request) -> Response:
        form = await _form(request)
        match form.get("grant_type"):
            case "authorization_code":
                return JSONResponse(issuer.redeem(form), headers=NO_STORE)
            case "client_credentials":
                return JSONResponse(issuer.service(form), headers=NO_STORE)
            case _:
                return JSONResponse({"error": "unsupported_grant_type"}, 400, headers=NO_STORE)

    routes = [
        Route(f"/{NAME}/.well-known/openid-configuration", metadata),
        Route(f"/.well-known/oauth-authorization-server/{NAME}", metadata),
        Route(f"/{NAME}/jwks", keys),
        Route(f"/{NAME}/rotate", rotate, methods=["POST"]),
        Route(f"/{NAME}/authorize", _answering(ask)),
        Route(f"/{NAME}/authorize", _answering(pick), methods=["POST"]),
        Route(f"/{NAME}/token", _answering(token), methods=["POST"]),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts])


def _answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its mistakes told to the client."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except InputError as error:
            code = "invalid_grant" if request.url.path.endswith("/token") else "invalid_request"
            return JSONResponse({"error": code, "error_description": str(error)}, 400, headers=NO_STORE)

    return answered


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=20))


def _page(issuer: DevelopmentIssuer, handle: str) -> str:
    rows = "".join(_button(person.id, person.tenant, ", ".join(person.roles)) for person in issuer.people.people)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Development issuer</title></head><body>"
        "<h1>Development issuer: not for production</h1><p>Nobody proves anything here. Who are you?</p>"
        f"<form method='post' action='{html.escape(issuer.issuer)}/authorize'>"
        f"<input type='hidden' name='request' value='{html.escape(handle)}'>{rows}</form></body></html>"
    )


def _button(identity: str, tenant: str, roles: str) -> str:
    shown: dict[str, Any] = {"id": html.escape(identity), "what": html.escape(f"{roles} of {tenant}")}
    return "<p><button name='person' value='{id}'>{id}</button> {what}</p>".format(**shown)
