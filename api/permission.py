"""Asks the policy for the routes, and lets no answer out for which nobody asked.

`Asker` is one person with one request. `GovernedRoute` is the class of every route: it holds back
an answer without a decision, repeats the answer of an idempotency key, and says watermarks. What
reads like an absence from outside is a denial in the audit.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.auth import SignedIn
from api.idempotency import Attempt, keyed_answer
from api.parts import Parts, parts_of
from casewright.contracts.principal import Principal
from casewright.errors import DeniedError, NotFoundError
from servers.permission import Deed, Permission, Witnessed, permitted, witnessed
from servers.resources import load_case

WATERMARK = "casewright-watermark"
"""Header with what the answer is to be marked with where it is shown; percent-encoded UTF-8."""


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks, with one request."""

    parts: Parts
    signed_in: SignedIn
    request_id: str

    @property
    def principal(self) -> Principal:
        return self.signed_in.principal

    @property
    def session(self) -> str:
        """What decisions are recorded under."""
        return f"api-{self.request_id}"

    async def allowed(self, deed: Deed) -> Permission:
        """Decide and record.

        Raises:
            DeniedError: the policy says no; audited with its reasons.
        """
        return await permitted(self.parts.services, self.principal, deed, session=self.session)

    async def allowed_on_case(self, deed: Deed, case_id: str) -> Permission:
        """The same for a deed on a case, as the case is now.

        Raises:
            DeniedError: the policy says no, or the tenant has no such case.
        """
        case = await load_case(self.parts.services, self.principal.tenant, case_id)
        return await self.allowed(_on_case(deed, case_id, case))

    async def readable(self, deed: Deed, case_id: str) -> Permission:
        """The same where the answer must not tell that there is something.

        Raises:
            NotFoundError: the policy says no, or the tenant has no such case.
        """
        try:
            return await self.allowed_on_case(deed, case_id)
        except DeniedError as error:
            raise NotFoundError(f"there is no case {case_id!r} for {self.principal.id!r}") from error

    async def again(self, deed: Deed) -> None:
        """Ask again for a deed that was permitted before, on the case as it is now.

        Raises:
            DeniedError: it is permitted no more.
        """
        resource = deed.resource
        if resource.kind in ("case", "draft", "action"):
            case = await load_case(self.parts.services, self.principal.tenant, resource.id)
            said = {"kind": resource.kind, "author": resource.author, "run_id": resource.run_id}
            amount = {"action": resource.action, "amount_minor": resource.amount_minor}
            resource = case.model_copy(update=said | amount)
        await self.allowed(_on_case(deed, deed.case_id, resource))


def _on_case(deed: Deed, case_id: str, resource: Any) -> Deed:
    return Deed(
        name=deed.name, verb=deed.verb, risk=deed.risk, resource=resource, case_id=case_id, arguments=deed.arguments
    )


def asker(request: Request) -> Asker:
    """Who asks; the sign-in has let them through before."""
    state = request.scope["state"]
    return Asker(parts=parts_of(request), signed_in=state["signed_in"], request_id=state["request_id"])


AskerDep = Annotated[Asker, Depends(asker)]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class UndecidedError(Exception):
    """A route answered and nobody had asked the policy: a defect, and nothing leaves the server."""


class GovernedRoute(APIRoute):
    """A route whose answer stands on a decision."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def governed(request: Request) -> Response:
            async def work() -> Attempt:
                with witnessed() as decided:
                    response = await handle(request)
                _check_decided(request, decided)
                _mark(response, decided)
                return Attempt(response=response, decided=tuple(decided))

            if request.method != "POST":
                return (await work()).response
            return await keyed_answer(request, parts_of(request).keys, work, asker(request).again)

        return governed


def _check_decided(request: Request, decided: list[Witnessed]) -> None:
    if not decided:
        raise UndecidedError(f"{request.method} {request.scope['path']!r} answered without a decision")


def _mark(response: Response, decided: list[Witnessed]) -> None:
    marks = {item.permission.duties.watermark for item in decided if item.permission is not None} - {""}
    if marks:
        response.headers[WATERMARK] = quote("; ".join(sorted(marks)), safe=" ;,.:@/-_")
