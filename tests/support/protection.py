"""Doubles around the protection: a provider that keeps what it is sent, and a case that is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from casewright.contracts.case import Classification
from casewright.models.layer import CallContext
from casewright.models.protection.knowledge import CaseKnowledge
from casewright.models.protection.known import KnownValue
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage

CONTEXT = CallContext(run_id="run-1", case_id="HL-1", tenant="harborline", agent="intake")
HERE = Capabilities(structured_output=True, leaves_process=False)
REMOTE = Capabilities(structured_output=True, leaves_process=True, region="us")


def in_no_text(_text: str) -> bool:
    """Nothing is withheld."""
    return False


def known_case(
    *people: KnownValue,
    classification: Classification = Classification.CONFIDENTIAL,
    sealed: bool = False,
    withheld: Callable[[str], bool] = in_no_text,
) -> CaseKnowledge:
    """A case of which these people are known."""
    return CaseKnowledge(
        state="1", classification=classification, sealed=sealed, people=people, texts=(), carries_withheld=withheld
    )


@dataclass
class KnownCases:
    """Knows one case; keeps which was asked for."""

    case: CaseKnowledge | None
    asked: list[CallContext] = field(default_factory=list[CallContext])

    async def of(self, context: CallContext) -> CaseKnowledge | None:
        self.asked.append(context)
        return self.case


class RemoteModel:
    """A model that leaves the process: gives its replies in order, one each, and keeps the requests."""

    def __init__(self, *replies: str, capabilities: Capabilities = REMOTE, name: str = "anthropic") -> None:
        self._replies: list[str] = list(replies)
        self._capabilities = capabilities
        self._name = name
        self.requests: list[ModelRequest] = []
        self.counted: list[ModelRequest] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def model(self) -> str:
        return "model-1"

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.requests.append(request)
        assert self._replies, "the model was asked more often than it has replies"
        text = self._replies.pop(0)
        if request.listener is not None:
            await _tell(request, [text[at : at + 5] for at in range(0, len(text), 5)])
        return ModelReply(text=text, model=self.model, usage=Usage())

    async def count(self, request: ModelRequest) -> int | None:
        self.counted.append(request)
        return len(request.turns)

    async def aclose(self) -> None:
        return None


async def _tell(request: ModelRequest, pieces: Sequence[str]) -> None:
    assert request.listener is not None
    await request.listener.begin()
    for piece in pieces:
        await request.listener.hear(piece)
