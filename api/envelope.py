"""What stands around every answer: the request's id, the security headers, and the last net for failures.

The outermost of the API's own layers. It lets nothing out but problem documents, also where a part
behind it fails in a way nobody thought of. It decides nothing.
"""

import logging
import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiProblemError, problem_answer

REQUEST_ID = "x-request-id"
SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
"""What may be taken over from a client: it is written into logs and the audit."""
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_log = logging.getLogger("casewright.api")


class Envelope:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = chosen_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ApiProblemError as problem:
            await problem_answer(problem, request_id)(scope, receive, send_with_headers)
        except Exception as error:
            _log.error("request %s failed: %r", request_id, error, exc_info=error)
            if started:
                raise  # half an answer cannot be mended; the server ends the connection
            failed = ApiProblemError("internal", "the reason is in the server's log, under the request id")
            await problem_answer(failed, request_id)(scope, receive, send_with_headers)


def chosen_id(headers: Headers) -> str:
    """The client's id for the request if it is a sane one and the only one, else a new one."""
    given = headers.getlist(REQUEST_ID)
    if len(given) == 1 and SANE_ID.fullmatch(given[0]):
        return given[0]
    return f"req-{secrets.token_hex(10)}"
