"""Which sealed states of questions to a client's user were answered already: each is good for one answer.

A state is sealed for minutes and carried by the client, so whoever sees it can send it again. It stands
beside the idempotency keys of its person, under a name that none of those can guess, and is forgotten
with them. It is *not* what seals a state: that is `servers.asking`.
"""

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.principal import Principal
from casewright.errors import ConflictError
from casewright.storage.database import Database
from casewright.storage.run_tables import idempotency_keys

KEPT_SECONDS = 24 * 3_600
"""Longer than any state is good for."""


class SpentStates:
    """The states that were answered, by person."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def spend(self, principal: Principal, state_digest: str) -> None:
        """Use a state up; of two who do so at once one succeeds.

        Args:
            state_digest: SHA-256 of the sealed state, in hexadecimal.

        Raises:
            ConflictError: it was used before.
        """
        now = self._clock.now_ns()
        mine = (idempotency_keys.c.tenant == principal.tenant, idempotency_keys.c.subject == principal.id)
        row = {
            "tenant": principal.tenant,
            "subject": principal.id,
            "key": f"state:{state_digest}",
            "request_digest": state_digest,
            "state": "done",
            "at_ns": now,
            "status": 0,
            "headers": "{}",
            "body": "",
        }
        try:
            async with self._database.write() as connection:
                old = idempotency_keys.c.at_ns < now - KEPT_SECONDS * NANOSECONDS
                await connection.execute(delete(idempotency_keys).where(*mine, old))
                await connection.execute(insert(idempotency_keys).values(row))
        except IntegrityError as error:
            raise ConflictError(
                "this question was answered already; make the call again to see how it stands"
            ) from error
