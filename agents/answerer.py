"""Answers a question about the rules with verified quotes, or says what was missing.

It acts for a person without a case. An answer whose quotes the server does not verify is not
given: the question is then abstained from, with that as the reason.
"""

from dataclasses import dataclass

from agents.toolbox import Toolbox
from casewright.contracts.clause import ClauseHit, SearchResult
from casewright.contracts.recommendation import VerifiedCitation
from casewright.models.accounting import CallRecord
from casewright.models.excerpt import Quotation
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.question import ANSWER_QUESTION, AnswerInput

HITS = 12


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer made of quotes, or an abstention."""

    text: str
    abstained: bool
    reason: str
    citations: tuple[VerifiedCitation, ...]
    index_version: str
    record: CallRecord


async def answer(tools: Toolbox, gateway: Gateway, context: CallContext, *, question: str, as_of: str) -> Answer:
    """Search, have the answer chosen, and verify every quote."""
    arguments = {"query": question, "as_of": as_of, "limit": HITS}
    result = await tools.call("search_policies", arguments, SearchResult)
    asked = await gateway.run(ANSWER_QUESTION, AnswerInput(question=question, result=result), context=context)
    output = asked.output
    hits = {hit.clause_id: hit for hit in result.hits}
    citations = tuple([await _verified(tools, hits[quoted.clause_id], quoted, as_of) for quoted in output.citations])
    unverified = [f"{item.label}: {item.problem}" for item in citations if not item.verified]
    abstained = output.abstained or bool(unverified)
    reason = "; ".join(unverified) or output.reason
    return Answer(
        text="" if abstained else " ".join(output.sentences),
        abstained=abstained,
        reason=reason,
        citations=() if abstained else citations,
        index_version=result.index_version,
        record=asked.record,
    )


async def _verified(tools: Toolbox, hit: ClauseHit, quoted: Quotation, as_of: str) -> VerifiedCitation:
    arguments = {
        "document_id": hit.document_id,
        "version": hit.version,
        "label": hit.label,
        "quote": quoted.quote,
        "as_of": as_of,
    }
    return await tools.call("verify_quote", arguments, VerifiedCitation)
