"""One place among the answers that are kept: what may be taken from there, and what goes in.

It is deliberately *not* the store; see `casewright.models.response_cache`. An answer from there is validated like any
other, and it is only taken where the model might be asked right now.
"""

from typing import Generic

from pydantic import ValidationError

from casewright.errors import DeniedError
from casewright.models.attempts import AttemptLog
from casewright.models.dialogue import Answer
from casewright.models.layer import AnswerCache, AskedTask
from casewright.models.permission import ModelPermission, full_name
from casewright.models.task import InputT, OutputT, Task


class CachedAnswer(Generic[InputT, OutputT]):
    """Of one task, input and model."""

    def __init__(
        self, answers: AnswerCache, permission: ModelPermission, asked: AskedTask, task: Task[InputT, OutputT]
    ) -> None:
        self._answers = answers
        self._permission = permission
        self._asked = asked
        self._task = task

    async def find(self) -> Answer[OutputT] | None:
        """The answer that was kept; None: there is none, it no longer holds, or the model is switched off."""
        asked = self._asked
        try:
            await self._permission.check(asked.context, full_name(asked.provider, asked.model))
        except DeniedError:
            return None  # whoever asks the model is told why
        text = await self._answers.find(asked)
        output = self._valid(text) if text is not None else None
        return Answer(output=output, model=asked.model, cache="hit") if output is not None else None

    async def keep(self, answer: Answer[OutputT], log: AttemptLog) -> Answer[OutputT]:
        """Keep a valid answer, unless some evidence was left out of its question; it says then that it was new."""
        if not log.left_out:
            await self._answers.keep(self._asked, answer.output.model_dump_json())
        return Answer(output=answer.output, model=answer.model, cache="miss")

    def _valid(self, text: str) -> OutputT | None:
        try:
            output = self._task.output.model_validate_json(text)
        except ValidationError:
            return None
        return None if self._task.check(self._asked.value, output) else output  # pyright: ignore[reportArgumentType]
