"""Whether the caller of a review tool may do a deed: the same deeds as over the API, decided by the policy.

What may not be read reads like what is not there. It decides nothing itself.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from casewright.contracts.explanation import Explanation
from casewright.contracts.principal import Caller
from casewright.errors import DeniedError, NotFoundError
from casewright.services import Services
from servers.guard import current_call
from servers.permission import Deed, Permission, permitted
from servers.readable import LIST_RUNS, READ, START, permit_on_run
from servers.resources import load_case
from servers.review.reviews import Review, Reviews
from servers.shown import shown_report
from servers.shown_records import record_reader


def session_of(caller: Caller) -> str:
    """What decisions are recorded under: the session that the token names."""
    return caller.actor.run_id


@contextmanager
def hidden() -> Generator[None]:
    """Let what is not there read like what may not be read.

    Raises:
        DeniedError: it is one of both.
    """
    try:
        yield
    except NotFoundError as error:
        raise DeniedError(str(error), code="absent") from error


async def permit_case(services: Services, caller: Caller, case_id: str) -> None:
    """Permission to read a case and to begin its review.

    Raises:
        DeniedError: the policy says no, or there is no such case; audited.
    """
    case = await load_case(services, caller.principal.tenant, case_id)
    for deed in (READ, START):
        asked = Deed(name=deed.name, verb=deed.verb, risk=deed.risk, resource=case, case_id=case_id)
        await permitted(services, caller.principal, asked, session=session_of(caller), bound=caller.actor.case_id)


async def permit_listing(services: Services, caller: Caller) -> None:
    """Permission to list runs and what waits at all.

    Raises:
        DeniedError: the policy says no; audited.
    """
    await permitted(services, caller.principal, LIST_RUNS, session=session_of(caller))


async def permitted_reviews(services: Services, reviews: Iterable[Review]) -> list[Review]:
    """Those of them that the caller may read; decided once for each case."""
    caller, known = current_call().caller, dict[str, bool]()
    found: list[Review] = []
    for review in reviews:
        if review.case_id not in known:
            try:
                await _permit(services, caller, review, READ)
            except DeniedError:
                known[review.case_id] = False
            else:
                known[review.case_id] = True
        if known[review.case_id]:
            found.append(review)
    return found


async def permit_review(services: Services, reviews: Reviews, run_id: str, *deeds: Deed) -> Review:
    """The review as it stands now, if the caller may read it and do these deeds on it.

    Raises:
        DeniedError: the policy says no, or there is no such review; audited.
    """
    return (await _readable(services, reviews, run_id, *deeds))[0]


async def explained_review(services: Services, reviews: Reviews, run_id: str) -> Explanation:
    """The explanation of a review, as far as the caller may read its case.

    Raises:
        DeniedError: the policy says no, or there is no such review; audited.
    """
    review, permission = await _readable(services, reviews, run_id)
    reader = await record_reader(services, review, current_call().caller.principal, permission)
    return reader.explanation(await reviews.explain(review))


async def _readable(
    services: Services, reviews: Reviews, run_id: str, *deeds: Deed
) -> tuple[Review, Permission | None]:
    caller = current_call().caller
    with hidden():
        review = await reviews.find(caller.principal.tenant, run_id)
    permission = await _permit(services, caller, review, READ)
    for deed in deeds:
        await _permit(services, caller, review, deed)
    if review.report is None or permission is None:
        return review, permission
    own = review.subject == caller.principal.id
    report = await shown_report(services, review.report, permission, own=own)
    return replace(cast(Any, review), report=report), permission


async def _permit(services: Services, caller: Caller, review: Review, deed: Deed) -> Permission | None:
    bound = caller.actor.case_id
    return await permit_on_run(services, caller.principal, review, deed, session=session_of(caller), bound=bound)
