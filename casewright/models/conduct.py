"""How the gateway goes about its calls: how long, how often, how many at once, in a race or one after another.

All of it is the installation's to say (see `casewright.models.model_settings`); nothing here depends on a task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from casewright.models.breaker import Breakers
from casewright.models.layer import AnswerCache
from casewright.models.retry import RetryPolicy


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """Limits and habits of one gateway."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    call_seconds: float = 60.0
    """The most that one request may take."""
    reserve_seconds: float = 10.0
    """What each model that may still have to be asked is left of the task's time, or its equal share of it."""
    task_seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    """By the task's name: its time, where the installation gives it another one."""
    hedge_after_seconds: float | None = None
    """After which the next model of the tier is asked as well, and the first valid answer counts; None: never."""
    requests_at_once: int = 32
    """That one provider is sent."""
    breakers: Breakers | None = None
    """Which models are left alone because they keep failing; None: none is."""
    answers: AnswerCache | None = None
    """Where answers of deterministic tasks are kept; None: nowhere."""
