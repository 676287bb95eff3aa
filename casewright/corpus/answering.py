"""Choose the sentences that answer a question, verbatim, from a search result.

Deterministic and extractive: whole sentences with what leads into them, nothing composed.
An insufficient result gives no answer. Called by the offline model provider.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from casewright.canonical import sha256_text
from casewright.contracts.clause import ClauseHit, SearchResult
from casewright.contracts.recommendation import Citation
from casewright.corpus.asking import asks_amount, asks_duty, asks_meaning, asks_time
from casewright.corpus.embedding import default_embedder
from casewright.corpus.sentences import sentences
from casewright.corpus.words import Question, read_question, stems

_COUNT = r"(?:\d[\d,]*|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty-five|sixty|ninety)"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_TIME = re.compile(
    rf"\b{_COUNT}(?:[- ](?:business|calendar))?[- ](?:minute|hour|day|week|month|year)s?\b"
    rf"|\b\d+(?:st|nd|rd|th) day\b|\b{_MONTH} \d{{1,2}}\b",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[$€£]\s?\d|\b\d+(?:\.\d+)?\s?(?:%|percent|dollars)\b", re.IGNORECASE)
_MODAL = re.compile(r"\b(?:must|shall|may|need not|is required|are required|is prohibited|cannot)\b", re.IGNORECASE)
_DEFINITION = re.compile(r"\b(?:means?|includes?|is defined|refers to)\b", re.IGNORECASE)
_KINDS = (
    (asks_time, _TIME, 0.3),
    (asks_amount, _MONEY, 0.3),
    (asks_duty, _MODAL, 0.1),
    (asks_meaning, _DEFINITION, 0.2),
)
"""What a question asks for, what a sentence of that kind has, and what that is worth; a time is a span or a date."""
_LEANS_BACK = re.compile(
    r"(?:it|this|that|these|those|such|they|he|she|however|in that case|if so|otherwise)\b", re.IGNORECASE
)
_QUALIFIES = re.compile(
    r"(?:however|except|unless|but|notwithstanding|this (?:paragraph|section|rule|limit) does not)\b", re.IGNORECASE
)
_RANK_PRIOR = 0.15
_KEEP_SHARE = 0.8
_NEW_COVERAGE = 0.12


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    hit: ClauseHit
    quote: str
    covered: frozenset[str]
    score: float
    with_lead: bool


def select_answer(question: str, result: SearchResult, *, limit: int = 3) -> tuple[Citation, ...]:
    """At most `limit` citations that answer the question, the most telling first; none when insufficient."""
    if not result.sufficient or limit < 1:
        return ()
    asked = read_question(question, default_embedder())
    ranked = sorted(
        (candidate for hit in result.hits for candidate in _candidates(question, asked, hit)),
        key=lambda candidate: (-candidate.score, candidate.hit.rank),
    )
    chosen: list[Citation] = []
    for candidate in _worth_saying(asked, ranked):
        needed = [citation for citation in _cite(candidate) if not _said(citation, chosen)]
        if len(chosen) + len(needed) <= limit or not chosen:
            chosen += needed
    return tuple(chosen[:limit])


def _said(citation: Citation, chosen: Sequence[Citation]) -> bool:
    """Whether a chosen quote of the same clause has these words already."""
    clause = (citation.document_id, citation.label)
    return any(clause == (other.document_id, other.label) and citation.quote in other.quote for other in chosen)


def _candidates(question: str, asked: Question, hit: ClauseHit) -> Sequence[_Candidate]:
    whole = sentences(hit.text)
    title = whole[0] if whole else ""
    leads = hit.leads
    lead = leads[-1] if leads else ""
    context = hit.heading.rpartition(" > ")[2]
    found: list[_Candidate] = []
    for index, sentence in enumerate(whole):
        if len(whole) > 1 and len(sentence.split()) < 5:
            continue
        said = f"{lead} {sentence}".strip()
        covered = asked.covered(stems(f"{said} {title}"))
        score = 0.8 * asked.coverage(stems(f"{said} {title}")) + 0.2 * asked.coverage(stems(f"{context} {said}"))
        score += _kind_bonus(question, said) + _RANK_PRIOR / hit.rank + (1.0 if hit.exact_reference else 0.0)
        score -= 0.5 if len(said.split()) < 7 else 0.0
        found.append(
            _Candidate(
                hit=hit, quote=_with_neighbours(whole, index), covered=covered, score=score, with_lead=bool(lead)
            )
        )
    return found


def _kind_bonus(question: str, said: str) -> float:
    """What a sentence of the kind that is asked for is worth: a duration for "how long"."""
    return sum(bonus for asks, has, bonus in _KINDS if asks(question) and has.search(said))


def _with_neighbours(whole: Sequence[str], index: int) -> str:
    """The sentence with the one it leans on and the ones that qualify it."""
    start, end = index, index + 1
    if start > 0 and _LEANS_BACK.match(whole[start]):
        start -= 1
    while end < len(whole) and _QUALIFIES.match(whole[end]):
        end += 1
    return " ".join(whole[start:end])


def _worth_saying(asked: Question, ranked: Sequence[_Candidate]) -> Sequence[_Candidate]:
    """The best candidate, and those nearly as good that add something."""
    kept: list[_Candidate] = []
    covered: set[str] = set()
    total = sum(asked.weights.values()) or 1.0
    for candidate in ranked:
        new = sum(asked.weights[each] for each in candidate.covered - covered) / total
        near = bool(kept) and candidate.score >= _KEEP_SHARE * kept[0].score
        if not kept or (near and (new >= _NEW_COVERAGE or candidate.hit.exact_reference or len(kept) < 2)):
            kept.append(candidate)
            covered |= candidate.covered
    return kept


def _cite(candidate: _Candidate) -> Sequence[Citation]:
    """The citation, after the clause that leads into it where there is one."""
    hit = candidate.hit
    own = Citation(
        document_id=hit.document_id, version=hit.version, label=hit.label, quote=candidate.quote, sha256=hit.sha256
    )
    if not candidate.with_lead:
        return (own,)
    lead = hit.leads[-1]
    led_by = Citation(
        document_id=hit.document_id, version=hit.version, label=hit.parents[-1], quote=lead, sha256=sha256_text(lead)
    )
    return (led_by, own)
