"""The policy researcher: finds the clauses in force on the case's date, and reads them.

It looks up every clause that a rule names, and searches for the topics of intake. What a rule
names is always kept; of the rest a model may choose among what was found, nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.toolbox import Toolbox, ToolRefusedError
from casewright.contracts.clause import (
    Clause,
    ClauseHit,
    ClauseInContext,
    ClauseName,
    ClausesInContext,
    SearchResult,
)
from casewright.contracts.recommendation import ClauseRef
from casewright.corpus.citations import sentences
from casewright.models.excerpt import ClauseExcerpt
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.selection import RESEARCH_SELECT, CandidateClause, SelectInput

Handle = tuple[str, str, str]
"""A clause: (document, version, label)."""
UNNAMED = "a rule that names no clause"
"""The gap left by an outcome for which the organisation has no clause, such as an escalation."""
HITS_PER_QUERY = 6
MOST_AT_ONCE = 40
"""Clauses that the server reads in one call."""
CHOSEN_BY_SEARCH = 6


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What to research: the clauses that rules name, and queries."""

    as_of: str
    refs: tuple[ClauseRef, ...]
    queries: tuple[str, ...]
    known: tuple[Handle, ...] = ()
    """Found in an earlier round; then only clauses that rules name since are looked up."""
    index_version: str = ""
    """Of that round."""


@dataclass(frozen=True, kw_only=True)
class ResearchNote:
    """Handles of the clauses to stand on, and what was not found."""

    clauses: tuple[Handle, ...]
    gaps: tuple[str, ...]
    index_version: str
    model: str


async def research(tools: Toolbox, gateway: Gateway, context: CallContext, brief: Brief) -> ResearchNote:
    """Look up the named clauses and search for the rest.

    What an earlier round found is kept: the topics are the same, and reading takes what is in force.
    """
    named, gaps = await _look_up(tools, brief)
    if brief.known:
        handles = tuple(dict.fromkeys([*brief.known, *named]))
        return ResearchNote(clauses=handles, gaps=gaps, index_version=brief.index_version, model="")
    hits, index_version = await _search(tools, brief)
    chosen, model = await _choose(gateway, context, brief, hits)
    handles = list(dict.fromkeys([*named, *chosen]))
    return ResearchNote(clauses=tuple(handles), gaps=gaps, index_version=index_version, model=model)


async def read(tools: Toolbox, clauses: Sequence[Sequence[str]], *, as_of: str) -> tuple[ClauseExcerpt, ...]:
    """The text of clauses by handle, each with its lead-in, ready to be quoted."""
    excerpts: dict[str, ClauseExcerpt] = {}
    names = [ClauseName(document_id=document_id, label=label) for document_id, _version, label in clauses]
    read = await _get(tools, names, as_of)
    if read.absent:
        named = ", ".join(f"{name.document_id} {name.label}" for name in read.absent)
        raise ToolRefusedError(f"these clauses are not in force on {as_of}, or no longer visible: {named}")
    for found in read.found:
        for clause in (*_lead_in_clauses(found), found.clause):
            excerpts.setdefault(clause.clause_id, _excerpt(clause, found if clause is found.clause else None))
    return tuple(excerpts.values())


async def _look_up(tools: Toolbox, brief: Brief) -> tuple[list[Handle], tuple[str, ...]]:
    known = {(document_id, label) for document_id, _version, label in brief.known}
    asked = dict.fromkeys((ref.document_id, ref.label) for ref in brief.refs)
    wanted = [one for one in asked if one not in known]
    names = [ClauseName(document_id=one[0], label=one[1]) for one in wanted if all(one)]
    read = await _get(tools, names, brief.as_of)
    handles = [(found.clause.document_id, found.clause.version, found.clause.label) for found in read.found]
    unnamed = [UNNAMED] if len(names) < len(wanted) else []
    return handles, (*(f"{name.document_id} {name.label}" for name in read.absent), *unnamed)


async def _search(tools: Toolbox, brief: Brief) -> tuple[dict[str, ClauseHit], str]:
    hits: dict[str, ClauseHit] = {}
    index_version = ""
    for query in brief.queries:
        arguments = {"query": query, "as_of": brief.as_of, "limit": HITS_PER_QUERY}
        result = await tools.call("search_policies", arguments, SearchResult)
        index_version = result.index_version
        if result.sufficient:
            for hit in result.hits:
                hits.setdefault(hit.clause_id, hit)
    return hits, index_version


async def _choose(
    gateway: Gateway, context: CallContext, brief: Brief, hits: dict[str, ClauseHit]
) -> tuple[list[Handle], str]:
    if not hits:
        return [], ""
    candidates = tuple(
        CandidateClause(clause_id=hit.clause_id, label=hit.label, lead_in=hit.lead_in, text=hit.text, score=hit.score)
        for hit in hits.values()
    )
    asked = SelectInput(topic="; ".join(brief.queries), clauses=candidates)
    result = await gateway.run(RESEARCH_SELECT, asked, context=context)
    chosen = [hits[clause_id] for clause_id in result.output.clause_ids if clause_id in hits]
    handles = [(hit.document_id, hit.version, hit.label) for hit in chosen[:CHOSEN_BY_SEARCH]]
    return handles, result.record.model


async def _get(tools: Toolbox, names: Sequence[ClauseName], as_of: str) -> ClausesInContext:
    """All of them, in as few calls as the server lets one ask."""
    found: list[ClauseInContext] = []
    absent: list[ClauseName] = []
    for start in range(0, len(names), MOST_AT_ONCE):
        asked = [name.model_dump() for name in names[start : start + MOST_AT_ONCE]]
        answer = await tools.call("get_clauses", {"clauses": asked, "as_of": as_of}, ClausesInContext)
        found += answer.found
        absent += answer.absent
    return ClausesInContext(found=tuple(found), absent=tuple(absent))


def _lead_in_clauses(found: ClauseInContext) -> tuple[Clause, ...]:
    """The clauses above that this one completes: those that end in the middle of a sentence."""
    return tuple(parent for parent in found.parents if parent.text.rstrip().endswith((":", "—", "following", ",")))


def _excerpt(clause: Clause, found: ClauseInContext | None) -> ClauseExcerpt:
    lead_in = " ".join(parent.text for parent in _lead_in_clauses(found)) if found is not None else ""
    return ClauseExcerpt(
        clause_id=clause.clause_id,
        document_id=clause.document_id,
        version=clause.version,
        label=clause.label,
        sha256=clause.sha256,
        text=clause.text,
        sentences=sentences(clause.text),
        lead_in=lead_in,
    )
