"""What a model provider is: one request in, one reply or one reason for none out.

A provider makes the call and nothing else. Retries, repair, fallback and accounting belong to
the gateway. A failure is a value, so that it cannot be forgotten on the way.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.models.task import TaskRisk


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as the provider counted them; all zero for the offline provider."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message of the exchange."""

    role: Literal["user", "assistant"]
    text: str


class TextListener(Protocol):
    """Hears a reply while it is written. It never raises for what it hears, and nothing it hears is the answer:
    that is the whole reply, validated.
    """

    async def begin(self) -> None:
        """A reply begins; whatever was heard before belongs to another one."""
        ...

    async def hear(self, text: str) -> None:
        """Take the next piece of the reply's text."""
        ...


@dataclass(frozen=True, kw_only=True)
class DataLabel:
    """What is known of what a request carries: from stores and code, never from a caller or a model."""

    classification: Classification
    sealed: bool
    """True: something of it is sealed, or comes from evidence that is restricted."""
    redacted: bool
    """True: personal values stand in it as placeholders."""


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """One call. Remote providers read the text, the offline provider reads `input`."""

    task: str
    task_version: int
    risk: TaskRisk
    data_class: Classification
    """Of everything that is sent: the task's or the case's, whichever is stricter."""
    personal_data: bool
    """True: it may tell something about a person."""
    max_cost_micro: int
    """What it may cost at most, in millionths of the currency of `prices.toml`."""
    input: Contract
    output: type[Contract]
    """The reply must be one JSON document of this model."""
    system: str
    turns: tuple[Turn, ...]
    max_output_tokens: int
    timeout_seconds: float
    listener: TextListener | None = None
    """Who hears the reply's text as it comes, from a provider that streams; who changes the text of a reply on its
    way has to change what is heard alike."""
    label: DataLabel | None = None
    """Set by the layer of protection; None: nobody knows what it carries, so it does not leave."""


@dataclass(frozen=True, kw_only=True)
class ModelReply:
    """A reply as it came; not yet parsed, not yet believed."""

    text: str
    model: str
    usage: Usage
    request_id: str = ""
    cut_off: bool = False
    """True: the output limit ended it, so the text is not whole."""
    calls: int = 1
    """Requests that were sent to get it."""


@dataclass(frozen=True, kw_only=True)
class NoReply:
    """Why there is no reply. `reason` carries no prompt text and no reply text."""

    reason: str
    retryable: bool
    retry_after_seconds: float | None = None
    """What the other side asked for; absent: it did not say."""
    request_id: str = ""
    usage: Usage = field(default_factory=Usage)
    calls: int = 1
    """Requests that were sent; none: something before the provider stopped it."""
    denied: str = ""
    """Code of the decision that forbade the request, such as `switched_off`; empty: nobody forbade it."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What the gateway has to know before it asks."""

    structured_output: bool
    """True: the provider holds the model to the JSON schema; else the prompt must ask for it."""
    leaves_process: bool
    """True: the input is sent to someone else."""
    streaming: bool = False
    """True: a request's listener hears the reply as it is written; else it hears nothing."""
    tools: bool = False
    """True: it can be held to call a tool."""
    prompt_caching: bool = False
    """True: a stable beginning of the prompt costs less the second time."""
    token_counting: bool = False
    """True: it says beforehand how many tokens a request is; see `CountsTokens`."""
    region: str = ""
    """Where the input is worked on, as the installation names it; empty: nobody said, so nothing that needs a region
    may go there."""
    max_input_tokens: int | None = None
    """More than this it does not read; None: only the task's own limit holds."""


class Provider(Protocol):
    """A source of replies."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str:
        """The model that is asked; a reply may name it more exactly."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        """Answer one request within its `timeout_seconds`."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """A provider that can say beforehand how many tokens a request is."""

    async def count(self, request: ModelRequest) -> int | None:
        """Input tokens of the request as its service counts them, what a cache will give included; None: it could
        not be told within the request's time.
        """
        ...
