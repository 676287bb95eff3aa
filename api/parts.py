"""What the routes of one API process share: the stores, what people ask of runs, and the limits.

Built once by `api.app.create_app` and found through the request's application; nothing here is of one request.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from api.idempotency import IdempotencyKeys
from api.limits import ApiLimits
from api.pages import Cursors
from api.readiness import ReadinessLook
from casewright.services import Services
from graphs.records import RunRecords
from graphs.requests import RunRequests

if TYPE_CHECKING:
    from api.events import EventFeed


@dataclass(frozen=True, kw_only=True)
class Parts:
    services: Services
    records: RunRecords
    requests: RunRequests
    keys: IdempotencyKeys
    cursors: Cursors
    limits: ApiLimits
    readiness: ReadinessLook
    feed: "EventFeed"


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers this request."""
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(parts_of)]
