"""Questions to the user of the client that calls: asked by the SDK's dependency mechanism, in both eras.

Up to 2025-11-25 the question is a request within the call; from 2026-07-28 on it is the call's result,
and the call is made again with the answer and a sealed state. That state is good for minutes, for the
same call, for the same person, once; and whoever asks decides anew in every round, so that a state
permits nothing. An answer only says what the user said: who may say it is decided by whoever asks.
"""

import hashlib
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast

import jwt
from mcp.server.context import ServerRequestContext
from mcp.server.elicitation import AcceptedElicitation, DeclinedElicitation
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve, build_resolver_plans, resolve_arguments
from mcp.server.request_state import AESGCMRequestStateCodec, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestURLParams, InputRequiredResult
from pydantic import BaseModel

from casewright.canonical import digest
from casewright.contracts.principal import Principal
from casewright.errors import ConflictError, InputError, UnavailableError
from casewright.services import Services
from servers.callers import TokenSource
from servers.client_side import answers_by_retry, can_be_asked, can_open_links, current_client, waiting

STATE_SECONDS = 600
"""How long a question that was handed out can be answered."""
ANSWER_SECONDS = 300
"""How long a question within a call waits for its answer."""
_KEY_LABEL = b"casewright/request-state/v1"
_LINK = "open"
"""Names the offer of an address among the questions of a call."""

FormT = TypeVar("FormT", bound=BaseModel)
_presented: ContextVar[str] = ContextVar("casewright_presented_state", default="")
"""SHA-256 of the sealed state that this request brought; empty: none."""


@dataclass(frozen=True)
class Answered(Generic[FormT]):
    """The user sent the form."""

    form: FormT


@dataclass(frozen=True)
class Unanswered:
    """The user did not, and nothing is concluded from that."""

    why: Literal["declined", "cancelled", "late", "unreachable"]


class SealedStates:
    """The codec of request states; its key is derived from the installation's own when it is first needed.

    Every process of an installation derives the same one, so that any of them takes up what another handed out.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._codec: AESGCMRequestStateCodec | None = None

    def seal(self, payload: bytes) -> str:
        """The state as the client carries it."""
        return self._sealing().seal(payload)

    def unseal(self, token: str) -> bytes:
        """What was sealed; notes which state this request brought.

        Raises:
            InvalidRequestState: it was not sealed here, or it was changed.
        """
        payload = self._sealing().unseal(token)
        _presented.set(hashlib.sha256(token.encode()).hexdigest())
        return payload

    def _sealing(self) -> AESGCMRequestStateCodec:
        if self._codec is None:
            self._codec = AESGCMRequestStateCodec([self._services.signing_key.derived(_KEY_LABEL)])
        return self._codec


def state_security(services: Services, tokens: TokenSource) -> RequestStateSecurity:
    """The policy for the states of one server: sealed, bound to the call and to the person of the token."""

    def person(request: ServerRequestContext[Any, Any]) -> str:
        return _person_of(tokens.token(request))

    return RequestStateSecurity(codec=SealedStates(services), ttl=STATE_SECONDS, bind_principal=person)


async def ask(
    services: Services, person: Principal, message: str, form: type[FormT]
) -> Answered[FormT] | Unanswered | InputRequiredResult:
    """Ask the user of the client of this call; a result is to be given back as it is, and the call comes again.

    Args:
        person: who is asked, from the token; the question names them.
        message: what the user is shown; it has to hold all that the answer is about.
        form: what the user fills in; flat, as elicitation asks for it.

    Raises:
        ConflictError: this state was answered before.
        InputError: the answer does not fit the form.
        UnavailableError: the client cannot be asked; see `can_be_asked`.
    """
    context = current_client()
    if context is None or not can_be_asked():
        raise UnavailableError("the client of this call cannot ask its user")
    asked = f"{message}\n\nYou answer as {person.id!r} of {person.tenant!r}."

    async def question() -> Elicit[FormT]:
        return Elicit(asked, form)

    wanted: dict[str, tuple[Resolve, bool]] = {"answer": (Resolve(question), True)}
    plans = build_resolver_plans(wanted, set())
    try:
        with waiting(ANSWER_SECONDS):
            found = await resolve_arguments(wanted, plans, {}, context)
    except TimeoutError:
        return Unanswered("late")
    except ToolError as error:
        raise InputError(
            "the answer does not fit the question's form; make the call again to be asked again"
        ) from error
    except MCPError:
        return Unanswered("unreachable")
    if isinstance(found, InputRequiredResult):
        return found
    if answers_by_retry(context):
        await _spend(services, person)
    return _outcome(found["answer"])


async def send_to(message: str, url: str) -> InputRequiredResult | None:
    """Offer the user of the client to open an address; whatever they do there is not answered here.

    None: they were offered it, or the client could not. A result is to be given back as it is.
    """
    context = current_client()
    if context is None or not can_open_links():
        return None
    if answers_by_retry(context):
        if _LINK in (context.input_responses or {}):
            return None
        offered = ElicitRequest(params=ElicitRequestURLParams(message=message, url=url))
        return InputRequiredResult(input_requests={_LINK: offered}, request_state=_LINK)
    try:
        with waiting(ANSWER_SECONDS):
            await context.elicit_url(message, url, f"open-{secrets.token_hex(8)}")
    except (TimeoutError, MCPError):
        return None
    return None


def _outcome(found: Any) -> Any:
    match found:
        case AcceptedElicitation():
            return Answered(cast("Any", found).data)
        case DeclinedElicitation():
            return Unanswered("declined")
        case _:
            return Unanswered("cancelled")


async def _spend(services: Services, person: Principal) -> None:
    """Use up the state that this answer came with."""
    from casewright.questions.spent import SpentStates

    presented = _presented.get()
    if not presented:
        raise ConflictError("the answer came without its question; make the call again to be asked again")
    await SpentStates(services.database, services.clock).spend(person, presented)


def _person_of(token: str) -> str:
    """Issuer and subject as the token claims them; the guard verifies the same token before anything is answered."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return digest([str(claims["iss"]), str(claims["sub"])])
