"""What a person may not see of a case is withheld from the sentences that were drafted for somebody who may.

Sentence by sentence, and on the safe side: one is withheld when it stands on a value that the reader does not get,
when it repeats a text that is redacted for them, when it speaks of sealed evidence, or when it quotes a rule that they
do not find. What was withheld says so. It decides nothing about who sees what: the reader's own view of the case does
(`casewright.cases.views`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from casewright.cases.collections import COLLECTIONS, item_id, items_of
from casewright.cases.facts import resolve_fact
from casewright.cases.views import CLASSIFIED_TEXT, speaks_of
from casewright.contracts.case import CaseFile
from casewright.contracts.recommendation import Citation, Deadline, EvidenceReport, FactRef, Finding, Recommendation

WITHHELD = "Withheld: this sentence speaks of what you may not see."
COMPUTED = ("deadlines/", "limits/", "outcome/")
"""Paths of values that rules computed from the whole case."""
_LONGEST_COPY = 6
"""Consecutive words that may be shared with a long text by chance."""
_LONG = 12
"""Shorter titles and descriptions ("Letter") occur by chance; names and digits are told at any length."""
_NAMING = frozenset({"name", "state", "counterparty", "number_last4"})
_SHORT = 4
"""A shorter text, such as the code of a state, is told by its spelling: "OR", not "or"."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What one reader sees of a case."""

    case: CaseFile
    seen: CaseFile
    computed: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the rules compute from what the reader sees; looked at where sealed evidence is not seen."""
    own: bool = False
    """Whether it was written for the reader: then its words are what they were shown."""
    finds: Callable[[Citation], bool]
    """Whether the reader finds the quoted clause."""

    @property
    def whole(self) -> bool:
        return self.own and self.seen == self.case

    @property
    def partial(self) -> bool:
        """Whether the case holds sealed evidence that the reader does not see."""
        return bool(self.gone & {item.evidence_id for item in self.case.evidence if item.sealed})

    @property
    def gone(self) -> set[str]:
        """Ids of evidence that the reader does not see."""
        return {item.evidence_id for item in self.case.evidence} - {item.evidence_id for item in self.seen.evidence}

    @cached_property
    def tells(self) -> Callable[[str], bool]:
        """Whether a text repeats what the reader does not get."""
        return _telling(self)

    def hides(self, finding: Finding) -> bool:
        """Whether a sentence is not for this reader."""
        if any(self._hides_fact(fact) for fact in finding.facts):
            return True
        is_quote = any(finding.claim in citation.quote for citation in finding.citations)
        return not self.own and not is_quote and self.tells(finding.claim)

    def _hides_fact(self, fact: FactRef) -> bool:
        if fact.path.startswith(COMPUTED):
            return self.partial and self.computed.get(fact.path) != fact.value
        return resolve_fact(self.case, fact.path) != resolve_fact(self.seen, fact.path)


def withheld(recommendation: Recommendation, sight: Sight) -> Recommendation:
    """The recommendation as a reader may have it."""
    if sight.whole:
        return recommendation
    summary = tuple(_shown(finding, sight) for finding in recommendation.summary)
    if sight.own:
        return recommendation.model_copy(update={"summary": summary})
    action = recommendation.action
    if sight.partial or sight.tells(action.reason):
        action = action.model_copy(update={"reason": WITHHELD})
    questions = withheld_texts(recommendation.open_questions, sight)
    return recommendation.model_copy(update={"summary": summary, "action": action, "open_questions": questions})


def withheld_texts(texts: Iterable[str], sight: Sight) -> tuple[str, ...]:
    """Texts of which those that tell are withheld."""
    return tuple(WITHHELD if not sight.own and sight.tells(text) else text for text in texts)


def withheld_evidence(report: EvidenceReport, sight: Sight) -> EvidenceReport:
    """The checklist without the ids of evidence that the reader does not see."""
    gone = sight.gone
    items = tuple(
        item.model_copy(update={"evidence_ids": tuple(known for known in item.evidence_ids if known not in gone)})
        for item in report.items
    )
    return report.model_copy(update={"items": items})


def withheld_deadlines(deadlines: Iterable[Deadline], sight: Sight) -> tuple[Deadline, ...]:
    """The deadlines that the rules give on what the reader sees as well; the others are left out."""
    if sight.own or not sight.partial:
        return tuple(deadlines)
    return tuple(one for one in deadlines if sight.computed.get(f"deadlines/{one.id}/due_on") == one.due_on.isoformat())


def _telling(sight: Sight) -> Callable[[str], bool]:
    hidden = set(_hidden_texts(sight.case, sight.seen))
    short = [re.compile(rf"(?<!\w){re.escape(text)}(?!\w)") for text in hidden if len(text) < _SHORT]
    phrases = {words for text in hidden if len(text) >= _SHORT and len(words := _words(text)) <= _LONGEST_COPY}
    runs = {run for text in hidden for run in _runs(_words(text))}
    speaks = speaks_of(tuple(item for item in sight.case.evidence if item.sealed)) if sight.partial else None

    def tells(text: str) -> bool:
        words = _words(text)
        return (
            any(spelt.search(text) for spelt in short)
            or any(_contains(words, phrase) for phrase in phrases)
            or not runs.isdisjoint(_runs(words))
            or (speaks is not None and speaks(text))
        )

    return tells


def _shown(finding: Finding, sight: Sight) -> Finding:
    """The finding, or what is left of it: quotes of rules that the reader finds."""
    found = tuple(citation for citation in finding.citations if sight.own or sight.finds(citation))
    if found == finding.citations and not sight.hides(finding):
        return finding
    return finding.model_copy(update={"claim": WITHHELD, "facts": (), "citations": found})


def _hidden_texts(case: CaseFile, seen: CaseFile) -> Iterable[str]:
    """Texts and last digits that the person does not get, of the case and of each of its items."""
    for name in CLASSIFIED_TEXT["case"]:
        if getattr(case, name) != getattr(seen, name) and len(getattr(case, name)) >= _LONG:
            yield str(getattr(case, name))
    for name in COLLECTIONS:
        visible = {item_id(item): item for item in items_of(seen, name)}
        for item in items_of(case, name):
            shown = visible.get(item_id(item))
            for told in (*CLASSIFIED_TEXT.get(name, ()), "number_last4"):
                text = str(getattr(item, told, None) or "")
                if told not in _NAMING and len(text) < _LONG:
                    continue
                if text and (shown is None or getattr(shown, told) != text):
                    yield text


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _runs(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[at : at + _LONGEST_COPY] for at in range(len(words) - _LONGEST_COPY + 1)}


def _contains(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    width = len(phrase)
    return bool(phrase) and any(words[at : at + width] == phrase for at in range(len(words) - width + 1))
