"""Answers `draft.recommendation` with facts, quoted rules, deadlines and the given conclusion.

A claim is either the quoted sentences themselves or a statement of fact values, so nothing can
be said that is not in front of the reader. What would not hold is left out, and a rule whose
clause was not given becomes an open question.
"""

from collections.abc import Sequence

from casewright.contracts.recommendation import ClauseRef, Deadline, Limit
from casewright.models.excerpt import Quotation
from casewright.models.extractive.rules import rule_quotes
from casewright.models.extractive.statements import fact_findings, stated
from casewright.models.recommendation import (
    MAXIMUM_CITATIONS,
    MAXIMUM_FINDINGS,
    CaseFact,
    DraftFinding,
    DraftInput,
    DraftOutput,
    check_draft,
)
from casewright.models.support import currency, has_hidden_characters

_ACTIONS = {
    "issue_provisional_credit": "issue a provisional credit",
    "issue_final_credit": "issue a final credit",
    "deny_claim": "deny the claim",
    "request_information": "request information",
    "send_adverse_action_notice": "send an adverse action notice",
    "close_duplicate": "close the case as a duplicate",
    "escalate": "escalate the case",
    "no_action": "leave the case as it is",
}
_COMPUTED = ("deadlines/", "limits/")
"""Facts that code computed from the case; they are said beside their rules."""
_LONGEST_QUESTION = 600
_LONGEST_REASON = 1_000
_MOST_QUESTIONS = 40


def draft(value: DraftInput) -> DraftOutput:
    """Findings in the order facts, rules, deadlines and limits, conclusion."""
    named = [path for basis in value.outcome.basis for path in basis.facts]
    facts = fact_findings([fact for fact in value.facts if not fact.path.startswith(_COMPUTED)], named)
    rules, unquoted = _rules(value)
    dated, undated = _computed(value)
    conclusion = _conclusion(value, [citation for finding in rules for citation in finding.citations])
    body = _backed([*facts, *rules, *dated], value)[: MAXIMUM_FINDINGS - 1]
    return DraftOutput(
        findings=(*body, *_backed([conclusion], value)),
        reason=_reason(value),
        open_questions=_questions(value, [*unquoted, *undated]),
    )


def _rules(value: DraftInput) -> tuple[list[DraftFinding], list[ClauseRef]]:
    findings: list[DraftFinding] = []
    unquoted: list[ClauseRef] = []
    for basis in value.outcome.basis:
        quotes = rule_quotes(basis.clause, basis.because, value.clauses)
        if quotes:
            findings.append(_quoted(quotes))
        else:
            unquoted.append(basis.clause)
    return findings, unquoted


def _computed(value: DraftInput) -> tuple[list[DraftFinding], list[ClauseRef]]:
    findings: list[DraftFinding] = []
    unquoted: list[ClauseRef] = []
    for item in (*value.deadlines, *value.limits):
        quotes = rule_quotes(item.clause, _subject(item), value.clauses)
        if quotes:
            findings.append(_quoted(quotes))
        else:
            unquoted.append(item.clause)
        findings += _result(item, value.facts)
    return findings, unquoted


def _subject(item: Deadline | Limit) -> str:
    if isinstance(item, Deadline):
        return f"{item.title} {item.because} {item.count} {item.unit.replace('_', ' ')}"
    return f"{item.title} {item.because} {currency(item.amount_minor)}"


def _result(item: Deadline | Limit, facts: Sequence[CaseFact]) -> list[DraftFinding]:
    """The computed date or amount, where it was handed over as a fact."""
    if isinstance(item, Deadline):
        path, wanted = f"deadlines/{item.id}/due_on", item.due_on.isoformat()
    else:
        path, wanted = f"limits/{item.id}/amount_minor", str(item.amount_minor)
    fact = next((one for one in facts if one.path == path and one.value == wanted), None)
    if fact is None:
        return []
    said = stated(item.title, fact) or stated("Due date" if isinstance(item, Deadline) else "Limit", fact)
    return [said] if said else []


def _quoted(quotes: Sequence[Quotation]) -> DraftFinding:
    kept = tuple(quotes)[:MAXIMUM_CITATIONS]
    return DraftFinding(claim=" ".join(quote.quote for quote in kept), citations=kept, fact_paths=())


def _conclusion(value: DraftInput, quotes: Sequence[Quotation]) -> DraftFinding:
    said = f"Proposed action: {_ACTIONS[value.outcome.action]}"
    amount = str(value.outcome.amount_minor)
    paths = [fact.path for fact in value.facts if fact.path.endswith("_minor") and fact.value == amount]
    citations = tuple(dict.fromkeys(quotes))[:MAXIMUM_CITATIONS]
    if value.outcome.amount_minor and paths:
        return DraftFinding(
            claim=f"{said} of {currency(value.outcome.amount_minor)} {value.currency}.",
            citations=citations,
            fact_paths=tuple(paths[:1]),
        )
    given = {fact.path for fact in value.facts}
    named = tuple(dict.fromkeys(path for basis in value.outcome.basis for path in basis.facts if path in given))
    if not citations and not named:
        named = tuple(fact.path for fact in value.facts[:1])
    return DraftFinding(claim=f"{said}.", citations=citations, fact_paths=named[:20])


def _backed(findings: Sequence[DraftFinding], value: DraftInput) -> list[DraftFinding]:
    """Those that would pass the task's own check, each once."""
    kept = list(dict.fromkeys(findings))
    return [one for one in kept if not check_draft(value, DraftOutput(findings=(one,), reason="-", open_questions=()))]


def _reason(value: DraftInput) -> str:
    given = [_as_part(_visible(basis.because)) for basis in value.outcome.basis]
    because = "; ".join(dict.fromkeys(one for one in given if one))
    said = f"Proposed action: {_ACTIONS[value.outcome.action]}"
    return f"{said}, because {because}"[: _LONGEST_REASON - 1] + "." if because else f"{said}."


def _questions(value: DraftInput, unquoted: Sequence[ClauseRef]) -> tuple[str, ...]:
    asked = [*value.outcome.questions]
    asked += [f"{item.title}: {item.why}" for item in value.missing]
    asked += [
        f"The clause {one.label} of {one.document_id} was not among the clauses found, so it is not quoted."
        for one in unquoted
    ]
    short = [_visible(question)[:_LONGEST_QUESTION] for question in asked]
    return tuple(dict.fromkeys(one for one in short if one.strip()))[:_MOST_QUESTIONS]


def _as_part(sentence: str) -> str:
    """A sentence as a part of another one."""
    text = sentence.strip().removesuffix(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _visible(text: str) -> str:
    """`text` without characters that a reader cannot see."""
    return "".join(character for character in text if not has_hidden_characters(character))
