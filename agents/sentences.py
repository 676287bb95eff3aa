"""Verified sentences of an answer, shown one by one while the model still writes; the rest is held back.

A sentence is shown when it rests on quotes of what was found and the server has verified each of them. The first one
that does not hold stops the showing: what comes behind it waits for the whole answer, checked and corrected by the
gateway. Whatever was shown and is not in the answer in the end is withdrawn, with the reason. Used by
`agents.answerer`; where sentences go is the outlet's business.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from agents.toolbox import Toolbox
from casewright.contracts.clause import SearchResult
from casewright.contracts.recommendation import VerifiedCitation
from casewright.errors import CasewrightError
from casewright.models.excerpt import Quotation
from casewright.models.question import AnswerSentence, quotable, sentence_problems
from casewright.models.streaming import ListReader

BROKE_OFF = "the model's reply broke off, and it was asked again"
CORRECTED = "the model's answer did not hold, and it was asked to correct it"
SETTLED = "the answer that was checked in the end is another one"
_log = logging.getLogger("casewright.agents")


@dataclass(frozen=True, kw_only=True)
class ShownSentence:
    """A sentence with its quotes, all of them verified."""

    text: str
    citations: tuple[VerifiedCitation, ...]


class Outlet(Protocol):
    """Where sentences are shown."""

    async def show(self, number: int, sentence: ShownSentence) -> None:
        """Show the next sentence; `number` counts from 1."""
        ...

    async def withdraw(self, first: int, because: str) -> None:
        """Take back the sentences from number `first` on."""
        ...


class QuoteVerifier:
    """Has the policy search verify quotes, each of them once."""

    def __init__(self, tools: Toolbox, found: SearchResult, as_of: str) -> None:
        self._tools = tools
        self._clauses = quotable(found)
        self._as_of = as_of
        self._known: dict[Quotation, VerifiedCitation] = {}

    async def verified(self, quotes: Sequence[Quotation]) -> tuple[VerifiedCitation, ...]:
        """What the server says of each quote; all of them are of clauses that were found.

        Raises:
            ToolRefusedError: the server refused or failed.
            BudgetSpentError: no call is left.
        """
        return tuple([await self._verified(quoted) for quoted in quotes])

    async def _verified(self, quoted: Quotation) -> VerifiedCitation:
        if quoted not in self._known:
            clause = self._clauses[quoted.clause_id]
            arguments = {
                "document_id": clause.document_id,
                "version": clause.version,
                "label": clause.label,
                "quote": quoted.quote,
                "as_of": self._as_of,
            }
            self._known[quoted] = await self._tools.call("verify_quote", arguments, VerifiedCitation)
        return self._known[quoted]


class SentenceStream:
    """Listens to a model and shows what can be shown; settles with the answer that was checked."""

    def __init__(self, verifier: QuoteVerifier, found: SearchResult, outlet: Outlet) -> None:
        self._verifier = verifier
        self._found = found
        self._outlet = outlet
        self._shown: list[ShownSentence] = []
        self._reader = ListReader("sentences")
        self._place = 0
        """How many sentences of the present reply were shown, or were standing already."""
        self._holding = not found.sufficient
        self._because = BROKE_OFF

    async def begin(self) -> None:
        """Read another reply from its start; what stands is taken back only where the new one differs."""
        self._because = CORRECTED if self._reader.ended else BROKE_OFF
        self._reader = ListReader("sentences")
        self._place = 0
        self._holding = not self._found.sufficient

    async def hear(self, text: str) -> None:
        """Show the sentences that `text` completes, until one does not hold."""
        for entry in self._reader.feed(text):
            if not self._holding:
                await self._take(entry)

    async def settle(self, sentences: Sequence[ShownSentence], because: str = "") -> None:
        """Show the rest of the answer, and take back what is not in it.

        Args:
            because: why it is another one; empty: nothing more is known.
        """
        self._place, self._because = 0, because or SETTLED
        for sentence in sentences:
            await self._show(sentence)
        await self._cut()

    async def _take(self, entry: object) -> None:
        try:
            sentence = AnswerSentence.model_validate(entry)
            self._holding = bool(sentence_problems(self._found, sentence))
            if self._holding:
                return
            citations = await self._verifier.verified(sentence.citations)
            self._holding = not all(one.verified for one in citations)
            if not self._holding:
                await self._show(ShownSentence(text=sentence.text, citations=citations))
        except ValidationError:
            self._holding = True
        except (CasewrightError, MCPError) as error:
            # The answer meets the same difficulty when it is whole, and fails with it.
            _log.info("sentences are held back: %s", type(error).__name__)
            self._holding = True

    async def _show(self, sentence: ShownSentence) -> None:
        if self._place < len(self._shown) and self._shown[self._place] != sentence:
            await self._cut()
        if self._place == len(self._shown):
            await self._outlet.show(self._place + 1, sentence)
            self._shown.append(sentence)
        self._place += 1

    async def _cut(self) -> None:
        """Take back what stands behind the present place."""
        if self._place < len(self._shown):
            await self._outlet.withdraw(self._place + 1, self._because)
            del self._shown[self._place :]
