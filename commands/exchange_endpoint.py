"""`POST /token` beside the servers: token exchange over HTTP (RFC 8693), where an issuer is configured.

A person shows the token that their issuer gave them for the orchestrator, or for one server, and
gets a short one for one server and one case. Every refusal of a token reads the same; the reason
goes to the audit.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from casewright.audit.entry import AuditEntry
from casewright.errors import InputError, UnauthenticatedError
from casewright.identity.exchange import Exchanged
from casewright.identity.oidc import server_of
from casewright.services import Services
from servers.wire import Refused, WireLimits, whole_body

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type
MAX_FORM_BYTES = 32_768
LIMITS = WireLimits(body_bytes=MAX_FORM_BYTES)
TAKEN = {"subject_token", "subject_token_type", "grant_type", "requested_token_type"} | {
    "audience",
    "resource",
    "scope",
    "case",
}
NO_STORE = {"cache-control": "no-store"}


def token_endpoint(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint over one set of services."""

    async def exchange(request: Request) -> Response:
        try:
            form = await _form(request)
            server = server_of(form.get("resource") or form.get("audience", ""), services.settings.identity)
        except _TargetlessError as error:
            return _refused("invalid_request", str(error))
        except Refused as refused:
            return refused.response
        except InputError as error:
            return _refused("invalid_target", str(error))
        scopes = tuple(form.get("scope", "").split())
        try:
            made = await services.person_exchange.exchange(
                form["subject_token"], server, case_id=form.get("case", ""), scopes=scopes
            )
        except UnauthenticatedError as error:
            body = {"server": server, "code": error.code, "what": "exchange"}
            await services.audit.append(AuditEntry(kind="call.denied", tenant="", subject="", body=body))
            return _refused("invalid_request", "the subject token is not valid here")
        await record_exchange(services, made)
        document = {
            "access_token": made.token,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": made.seconds,
            "scope": " ".join(made.scopes),
        }
        return JSONResponse(document, headers=NO_STORE)

    return exchange


async def record_exchange(services: Services, made: Exchanged) -> None:
    """Put into the audit that somebody has a token now, for what and how long; never the token."""
    entry = AuditEntry(
        kind="identity.used",
        tenant=made.principal.tenant,
        subject=made.principal.id,
        run_id=made.run_id,
        case_id=made.case_id,
        body={"what": "exchange", "server": made.server, "scopes": list(made.scopes), "seconds": made.seconds},
    )
    await services.audit.append(entry)


class _TargetlessError(InputError):
    """Correct the request: it is no token exchange."""


async def _form(request: Request) -> dict[str, str]:
    """The parameters, each once.

    Raises:
        _TargetlessError: they are not those of an exchange of an access token.
        Refused: the form did not arrive in time.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "")
    if kind != "application/x-www-form-urlencoded" or not (length.isascii() and length.isdigit()):
        raise _TargetlessError("send a form, application/x-www-form-urlencoded, with its length")
    if int(length) > MAX_FORM_BYTES:
        raise _TargetlessError(f"send at most {MAX_FORM_BYTES} bytes")
    body = await whole_body(request.headers, request.receive, LIMITS)
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    form = dict(pairs)
    if len(form) != len(pairs) or request.url.query or "authorization" in request.headers:
        raise _TargetlessError("send each parameter once, in the form alone")
    if unknown := sorted(set(form) - TAKEN):
        raise _TargetlessError(f"{unknown[0][:100]!r} is not taken here; there are {', '.join(sorted(TAKEN))}")
    if form.get("grant_type") != GRANT_TYPE:
        raise _TargetlessError(f"grant_type is {GRANT_TYPE} here")
    if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN or form.get("subject_token_type") != ACCESS_TOKEN:
        raise _TargetlessError(f"subject_token_type and what is asked for are {ACCESS_TOKEN}")
    if not form.get("subject_token"):
        raise _TargetlessError("subject_token is missing")
    if bool(form.get("resource")) == bool(form.get("audience")):
        raise _TargetlessError("name the server by resource or by audience")
    return form


def _refused(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400, headers=NO_STORE)
