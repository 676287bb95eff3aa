"""The quotes that carry a rule: the best whole sentence of a clause, with what it completes.

An item of a list says little without its lead-in, and a lead-in little without an item; so both
are quoted, each from its own clause.
"""

import re
from collections.abc import Sequence

from casewright.contracts.recommendation import ClauseRef
from casewright.models.excerpt import ClauseExcerpt, Quotation, quotable, quote_problem
from casewright.models.extractive.matching import best, overlap, terms

_OPEN_ENDS = (":", "\u2014", "\u2013", " if", " unless", " that", " when")
_POINTS_BACK = re.compile(
    r"(?:it|this|that|these|those|such|they|he|she|in that case|if so|otherwise)\b", re.IGNORECASE
)
_MOST_PARENTS = 3


def rule_quotes(clause_ref: ClauseRef, because: str, clauses: Sequence[ClauseExcerpt]) -> tuple[Quotation, ...]:
    """Quotes for one rule, outermost first; empty when its clause is not among `clauses`."""
    clause = next((one for one in clauses if _is(one, clause_ref)), None)
    if clause is None or not quotable(clause):
        return ()
    sentences = quotable(clause)
    chosen = _with_antecedent(clause, sentences, best(because, sentences))
    quotes = [*_lead_ins(clause, clauses), Quotation(clause_id=clause.clause_id, quote=chosen)]
    if chosen.rstrip().endswith(_OPEN_ENDS):
        quotes += _item(clause, because, clauses)
    return tuple(dict.fromkeys(quotes))


def _with_antecedent(clause: ClauseExcerpt, sentences: Sequence[str], at: int) -> str:
    """The sentence; with the one before it when it begins by pointing back."""
    chosen = sentences[at]
    if at == 0 or not _POINTS_BACK.match(chosen):
        return chosen
    start = clause.text.find(sentences[at - 1])
    end = clause.text.find(chosen, start) + len(chosen)
    both = clause.text[start:end]
    return chosen if quote_problem(clause, both) else both


def _is(clause: ClauseExcerpt, reference: ClauseRef) -> bool:
    return clause.document_id == reference.document_id and clause.label == reference.label


def _lead_ins(clause: ClauseExcerpt, clauses: Sequence[ClauseExcerpt]) -> list[Quotation]:
    if not clause.lead_in.strip():
        return []
    parents = [one for one in _siblings(clause, clauses) if quotable(one) and one.text.strip() in clause.lead_in]
    parents.sort(key=lambda one: (clause.lead_in.find(one.text.strip()), one.clause_id))
    return [Quotation(clause_id=one.clause_id, quote=quotable(one)[-1]) for one in parents[-_MOST_PARENTS:]]


def _item(clause: ClauseExcerpt, because: str, clauses: Sequence[ClauseExcerpt]) -> list[Quotation]:
    items = [
        one
        for one in _siblings(clause, clauses)
        if clause.text.strip() and clause.text.strip() in one.lead_in and quotable(one)
    ]
    if not items:
        return []
    texts = [one.text for one in items]
    chosen = items[best(because, texts)]
    if not overlap(terms(because), chosen.text):
        return []
    return [Quotation(clause_id=chosen.clause_id, quote=quotable(chosen)[0])]


def _siblings(clause: ClauseExcerpt, clauses: Sequence[ClauseExcerpt]) -> list[ClauseExcerpt]:
    return [
        one
        for one in clauses
        if one.clause_id != clause.clause_id and (one.document_id, one.version) == (clause.document_id, clause.version)
    ]
