"""A reply as it is heard while it is written, with its placeholders restored; one cut in two waits for its end."""

import re

from casewright.models.protection.placeholders import LONGEST_PLACEHOLDER, Placeholders
from casewright.models.provider import TextListener

_BEGUN = re.compile(r"\[(?:[A-Z_]+(?:_[1-9]\d*(?:\.\d*)?)?)?\Z")


class RestoringListener:
    """Tells a listener the restored text."""

    def __init__(self, listener: TextListener, placeholders: Placeholders) -> None:
        self._listener = listener
        self._placeholders = placeholders
        self._waiting = ""

    async def begin(self) -> None:
        self._waiting = ""
        await self._listener.begin()

    async def hear(self, text: str) -> None:
        heard = self._waiting + text
        begun = _BEGUN.search(heard, max(0, len(heard) - LONGEST_PLACEHOLDER))
        at = begun.start() if begun else len(heard)
        told, self._waiting = heard[:at], heard[at:]
        if told:
            await self._listener.hear(self._placeholders.restore_json(told))
