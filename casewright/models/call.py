"""One call of one task: what is fixed when it begins, and the record of how it went. The gateway makes them."""

import time
from dataclasses import dataclass, field
from typing import Generic

from casewright.models.accounting import CallRecord
from casewright.models.attempts import AttemptLog
from casewright.models.fallback import Failure, Found
from casewright.models.layer import CallContext
from casewright.models.prompts import REPAIR_PROMPT, PromptLibrary
from casewright.models.provider import TextListener
from casewright.models.retry import Deadline
from casewright.models.task import InputT, OutputT, Task


@dataclass(frozen=True, kw_only=True)
class Call(Generic[InputT, OutputT]):
    """Begun; `log` and the notes of `context` fill while it goes on."""

    task: Task[InputT, OutputT]
    value: InputT
    """Valid for the task."""
    context: CallContext
    listener: TextListener | None
    deadline: Deadline
    """For all that it takes with providers outside of this process."""
    log: AttemptLog = field(default_factory=AttemptLog)
    started_ns: int = field(default_factory=time.monotonic_ns)

    def record(self, prompts: PromptLibrary, found: Found[OutputT], *, cut_off: str = "") -> CallRecord:
        """What came of it; `cut_off`: why it ended before anybody could say so."""
        prompt, log, answer = prompts.for_task(self.task), self.log, found.answer
        reasons = [*map(told, found.failures), *(f"{name}: it was slower" for name in found.overtaken)]
        return CallRecord(
            task=self.task.name,
            task_version=self.task.version,
            risk=self.task.risk,
            prompt_id=prompt.head.id,
            prompt_version=prompt.head.version,
            prompt_hash=prompt.sha256,
            repair_prompt_hash=prompts.get(REPAIR_PROMPT).sha256 if log.repairs else "",
            provider=found.provider,
            model=answer.model if answer else "",
            request_ids=log.request_ids,
            input_tokens=log.usage.input_tokens,
            output_tokens=log.usage.output_tokens,
            cache_read_tokens=log.usage.cache_read_tokens,
            cache_write_tokens=log.usage.cache_write_tokens,
            duration_ms=(time.monotonic_ns() - self.started_ns) // 1_000_000,
            calls=log.calls,
            repairs=log.repairs,
            degraded=bool(answer and reasons),
            outcome="answered" if answer else "failed",
            reason="; ".join([*reasons, *([cut_off] if cut_off else [])]),
            run_id=self.context.run_id,
            case_id=self.context.case_id,
            tenant=self.context.tenant,
            agent=self.context.agent,
            call_id=self.context.call_id,
            attempts=log.attempts,
            cache=answer.cache if answer else "off",
            left_out=log.left_out,
            estimated_tokens=self.context.notes.estimated_tokens,
            estimated_cost_micro=self.context.notes.estimated_cost_micro,
            sent=tuple(self.context.notes.sent),
            cassettes=tuple(self.context.notes.cassettes),
        )


def told(failure: Failure) -> str:
    """A failure in words."""
    return f"{failure.provider}: {failure.because.reason}"
