"""Answers a question about the rules with verified quotes, or says what was missing.

It acts for a person without a case. An answer whose quotes the server does not verify is not
given: the question is then abstained from, with that as the reason. While the model writes, the
sentences whose quotes are verified are shown at the outlet.
"""

from dataclasses import dataclass

from agents.sentences import Outlet, QuoteVerifier, SentenceStream, ShownSentence
from agents.toolbox import Toolbox
from casewright.contracts.clause import SearchResult
from casewright.contracts.recommendation import VerifiedCitation
from casewright.models.accounting import CallRecord
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.question import ANSWER_QUESTION, AnswerInput, AnswerOutput

HITS = 12


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer made of quotes, or an abstention."""

    text: str
    abstained: bool
    reason: str
    sentences: tuple[ShownSentence, ...]
    citations: tuple[VerifiedCitation, ...]
    index_version: str
    record: CallRecord


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question, and who sees sentences of its answer before it is whole."""

    question: str
    as_of: str
    """The day whose rules apply, YYYY-MM-DD."""
    outlet: Outlet


async def answer(tools: Toolbox, gateway: Gateway, context: CallContext, asked: Asked) -> Answer:
    """Search, have the answer written, and verify every quote."""
    arguments = {"query": asked.question, "as_of": asked.as_of, "limit": HITS}
    result = await tools.call("search_policies", arguments, SearchResult)
    verifier = QuoteVerifier(tools, result, asked.as_of)
    stream = SentenceStream(verifier, result, asked.outlet)
    value = AnswerInput(question=asked.question, result=result)
    found = await gateway.run(ANSWER_QUESTION, value, context=context, listener=stream)
    output = found.output
    citations = await verifier.verified(output.citations)
    unverified = [f"{item.label}: {item.problem}" for item in citations if not item.verified]
    abstained = output.abstained or bool(unverified)
    reason = "; ".join(unverified) or output.reason
    sentences = () if abstained else await _shown(verifier, output)
    await stream.settle(sentences, because=_because(found.record, reason if abstained else ""))
    return Answer(
        text=" ".join(sentence.text for sentence in sentences),
        abstained=abstained,
        reason=reason,
        sentences=sentences,
        citations=() if abstained else citations,
        index_version=result.index_version,
        record=found.record,
    )


async def _shown(verifier: QuoteVerifier, output: AnswerOutput) -> tuple[ShownSentence, ...]:
    return tuple(
        [ShownSentence(text=one.text, citations=await verifier.verified(one.citations)) for one in output.sentences]
    )


def _because(record: CallRecord, abstention: str) -> str:
    """Why the answer may be another one than was shown while it was written."""
    if abstention:
        return f"the question is not answered: {abstention}"
    return "another model answered in the end" if record.degraded else ""
