"""What changed between two versions of a draft, as a unified diff that people can read.

Every part that is executed or shown is in the text; nothing here is ever parsed again.
"""

import difflib

from casewright.contracts.recommendation import DraftVersion, Recommendation


def unified(old: DraftVersion, new: DraftVersion) -> str:
    """A unified diff of two versions; empty when nothing changed."""
    lines = difflib.unified_diff(
        text_lines(old.recommendation),
        text_lines(new.recommendation),
        fromfile=f"{old.draft_id} version {old.version}",
        tofile=f"{new.draft_id} version {new.version}",
        lineterm="",
    )
    return "\n".join(lines)


def text_lines(recommendation: Recommendation) -> list[str]:
    """The recommendation line by line: action first, then every finding with its backing."""
    action = recommendation.action
    lines = [
        f"case: {recommendation.case_id}",
        f"as of: {recommendation.as_of.isoformat()}",
        f"action: {action.kind}",
        f"amount: {action.amount_minor} minor units of {action.currency}",
        f"reason: {action.reason}",
        f"risk: {recommendation.risk}",
        f"model: {recommendation.model}",
        f"index: {recommendation.index_version}",
    ]
    for number, finding in enumerate(recommendation.summary, start=1):
        lines.append(f"finding {number}: {finding.claim}")
        for citation in finding.citations:
            lines.append(f"  {citation.document_id}@{citation.version}#{citation.label}: “{citation.quote}”")
        lines.extend(f"  fact {fact.path} = {fact.value}" for fact in finding.facts)
    lines.extend(f"question: {question}" for question in recommendation.open_questions)
    return [line.replace("\n", " ").replace("\r", " ") for line in lines]
