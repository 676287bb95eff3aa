"""Sentences of an answer as events of its run: `sentence` when one is verified, `withdrawn` when some are taken back.

Each event is a transaction of its own, so whoever follows the run sees a sentence at once. Nothing is written to a
run that has ended. Used by `graphs.answering` and by `casewright ask`; what may be shown is decided in
`agents.sentences`.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from agents.sentences import ShownSentence
from casewright.storage.database import Database
from graphs.records import ENDED, RunRecords

ASKED_AGAIN = "the question is asked again from its beginning"
NOT_ANSWERED = "the question was not answered this time"


class SentenceEvents:
    """The outlet of one question."""

    def __init__(self, database: Database, records: RunRecords, *, tenant: str, run_id: str) -> None:
        self._database = database
        self._records = records
        self._tenant = tenant
        self._run_id = run_id

    async def show(self, number: int, sentence: ShownSentence) -> None:
        """Tell the next sentence with its quotes."""
        citations = [citation.model_dump(mode="json") for citation in sentence.citations]
        await self._tell("sentence", {"number": number, "text": sentence.text, "citations": citations})

    async def withdraw(self, first: int, because: str) -> None:
        """Take back the sentences from number `first` on."""
        await self._tell("withdrawn", {"first": first, "because": because})

    async def withdraw_standing(self, because: str, *, connection: AsyncConnection) -> None:
        """Take back whatever an attempt that ended left standing, within the caller's write transaction."""
        if await self._standing(connection):
            body: dict[str, object] = {"first": 1, "because": because}
            await self._records.note(self._run_id, "withdrawn", body, connection=connection)

    async def _standing(self, connection: AsyncConnection) -> int:
        """How many sentences stand now."""
        standing = 0
        for event in await self._records.events(self._run_id, connection=connection):
            if event.kind == "sentence":
                standing = int(event.body["number"])
            elif event.kind == "withdrawn":
                standing = int(event.body["first"]) - 1
        return standing

    async def _tell(self, kind: str, body: dict[str, object]) -> None:
        async with self._database.write() as connection:
            row = await self._records.get(self._tenant, self._run_id, connection=connection)
            if row.status not in (*ENDED, "failed"):
                await self._records.note(self._run_id, kind, body, connection=connection)
