"""Keeps what an agent knows of a case out of its searches: the corpus is open to every reader, and so is a query.

It asks the store, not the agent, what is personal in the agent's case. People may search for what they like: they know
what they type, and read the answer themselves.
"""

from casewright.contracts.principal import Caller
from casewright.errors import InputError
from casewright.services import Services


async def refuse_case_data(services: Services, caller: Caller, query: str) -> None:
    """Return if nothing in `query` is a personal value, of the agent's case or by its form.

    Raises:
        InputError: something is; the message names its kind and does not repeat it.
        StorageError: the case cannot be read.
    """
    actor = caller.actor
    if actor.kind == "user":
        return
    # Imported here: a server lists its tools without them.
    from casewright.cases.protected import StoredKnowledge
    from casewright.models.layer import CallContext
    from casewright.models.protection.placeholders import PLACEHOLDER, Placeholders

    context = CallContext(run_id="", case_id=actor.case_id, tenant=caller.principal.tenant, agent=actor.agent)
    known = await StoredKnowledge(services.cases).of(context)
    redacted = Placeholders(known.people if known else ()).redact(query)
    kinds = sorted(
        {one.strip("[]").rpartition("_")[0].lower().replace("_", " ") for one in PLACEHOLDER.findall(redacted)}
    )
    if kinds:
        raise InputError(f"the query carries personal data ({', '.join(kinds)}); search for subjects alone")
