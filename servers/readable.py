"""Whether a person may read a run, or say something of it: asked of the policy, on the run's case.

A question about the rules belongs to no case; its asker and auditors read it. For commands and the API.
"""

from typing import Protocol

from casewright.contracts.decision import ResourceInput
from casewright.contracts.principal import Principal
from casewright.errors import DeniedError
from casewright.services import Services
from servers.permission import Deed, Permission, permitted
from servers.resources import load_case


class RunIdentity(Protocol):
    """What is asked of a run's row."""

    @property
    def run_id(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def case_id(self) -> str: ...
    @property
    def subject(self) -> str: ...


READ = Deed(name="read_run", verb="read")
LIST_RUNS = Deed(name="list_runs", verb="list")
START = Deed(name="start_review", verb="write", risk="medium")
STEER = Deed(name="steer_run", verb="write", risk="medium")
ANSWER = Deed(name="answer_question", verb="write", risk="medium")
GIVE_FEEDBACK = Deed(name="give_feedback", verb="check")


def ask_deed(principal: Principal) -> Deed:
    """Asking about the rules of the person's own tenant."""
    rules = ResourceInput(kind="corpus", exists=True, tenant=principal.tenant, classification="public")
    return Deed(name="ask", verb="search", resource=rules)


async def permit_on_run(
    services: Services, principal: Principal, run: RunIdentity, deed: Deed, *, session: str, bound: str = ""
) -> Permission | None:
    """Decide and record; None: it is a question of their own, which is about no case.

    Args:
        bound: as `servers.permission.permitted` takes it.

    Raises:
        DeniedError: the policy says no, the run is another tenant's, or it is another person's question.
    """
    if run.tenant != principal.tenant:
        raise DeniedError(f"there is no run {run.run_id!r}", code="not_found")
    if not run.case_id:
        _check_own_question(principal, run)
        return None
    case = await load_case(services, run.tenant, run.case_id)
    on_case = Deed(name=deed.name, verb=deed.verb, risk=deed.risk, resource=case, case_id=run.case_id)
    return await permitted(services, principal, on_case, session=session, bound=bound)


async def is_permitted_on_run(
    services: Services, principal: Principal, run: RunIdentity, deed: Deed, *, session: str
) -> bool:
    """The same for lists: what is refused is left out."""
    try:
        await permit_on_run(services, principal, run, deed, session=session)
    except DeniedError:
        return False
    return True


def is_own(principal: Principal, run: RunIdentity) -> bool:
    """Whether a question about the rules is the person's own, or theirs to audit."""
    return principal.id == run.subject or "auditor" in principal.roles


def _check_own_question(principal: Principal, run: RunIdentity) -> None:
    if not is_own(principal, run):
        raise DeniedError(f"run {run.run_id!r} is another person's question", code="not_own_question")
