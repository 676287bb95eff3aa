"""Strong entity tags: the SHA-256 of the bytes of an answer, to read less and to change only what was read.

A tag names content, not time: the same content has the same tag in every process (RFC 9110, section 8.8.3).
"""

import hashlib
import json
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.errors import ApiProblemError, ProblemField

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The `ETag` that was read; refused with 412 if the thing has changed.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="An `ETag` that is known; answered with 304 if it still holds.",
    ),
]


def _says_if_match(_if_match: IfMatch = None) -> None:
    """Names the header in the document; `check_match` reads it."""


def _says_if_none_match(_if_none_match: IfNoneMatch = None) -> None:
    """Names the header in the document; `tagged` reads it."""


CONDITIONAL = Depends(_says_if_match)
"""Of a route that changes something: it takes `If-Match`."""
TAGGED = Depends(_says_if_none_match)
"""Of a route that reads something: it takes `If-None-Match`."""


def content_of(document: BaseModel | dict[str, Any]) -> bytes:
    """The bytes of an answer."""
    content = document.model_dump(mode="json") if isinstance(document, BaseModel) else document
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def tag_of(document: BaseModel | dict[str, Any]) -> str:
    """The strong tag of a document, with its quotation marks."""
    return f'"{hashlib.sha256(content_of(document)).hexdigest()[:40]}"'


def tagged(
    request: Request, document: BaseModel | dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """The document with its tag, or 304 where the client has it already."""
    content = content_of(document)
    tag = f'"{hashlib.sha256(content).hexdigest()[:40]}"'
    said = {**(headers or {}), "etag": tag}
    known = request.headers.get("if-none-match", "")
    if request.method == "GET" and status == 200 and (known.strip() == "*" or tag in _weak(known)):
        return Response(status_code=304, headers=said)
    return Response(content, status, headers=said, media_type="application/json")


def check_match(request: Request, document: BaseModel | dict[str, Any], *, required: bool = False) -> None:
    """Refuse a change of something other than what was read.

    Raises:
        ApiProblemError: 412, it is another by now; 428, nothing was said although it has to be.
    """
    known = request.headers.get("if-match", "").strip()
    if not known:
        if required:
            field = ProblemField(where="header.if-match", what="the ETag of what you decide on")
            raise ApiProblemError("if-match-needed", "read it first, and send its ETag as If-Match", errors=(field,))
        return
    if known != "*" and tag_of(document) not in _tags(known):
        raise ApiProblemError("changed", "it is not what you read any more; read it again, then decide")


def _tags(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]


def _weak(header: str) -> list[str]:
    """Tags to compare weakly, as If-None-Match asks for (RFC 9110, section 13.1.2)."""
    return [part.removeprefix("W/") for part in _tags(header)]
