"""Whether one claim says no more and no less than its quotes and facts.

Four questions: are its values there, are its modal verbs and limits there, is no condition
left out, is it about what it quotes. A claim that repeats whole quoted sentences needs no
further check. It does *not* verify the quotes themselves; the gate does.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from casewright.cases.spellings import amount_spellings
from casewright.contracts.recommendation import FactRef, Finding, ProposedAction
from casewright.corpus.sentences import sentences
from casewright.drafts.folding import folded
from casewright.drafts.values import Value, supported_by, values_in
from casewright.drafts.wording import Mark, Unit, units

MINIMUM_SHARED = 0.5
"""Share of a claim's content words that its quotes, facts or action must hold."""
MINIMUM_SHARED_BY_A_RULE = 0.7
"""The same for a sentence that states a duty or a permission; there the action does not count."""
_RETELLS = 0.5
"""From this share of words on, a claim tells a quoted sentence in other words."""
_NEARLY = 0.7
"""From this share of the longer one's words on, a claim is an altered copy of a sentence."""
_KNOWN_KINDS = frozenset({"amount", "date", "identifier"})
"""Kinds of case values that a claim may state without naming their path."""
_ACTION_WORDS = "proposed action case"


@dataclass(frozen=True, kw_only=True)
class SupportContext:
    """What stands behind every claim of one recommendation."""

    action: ProposedAction
    case_id: str
    known_values: frozenset[str]
    resolve_fact: Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Support:
    """A claim and what it stands on, prepared for comparison."""

    said: str
    """The claim, folded."""
    claim: str
    """The claim without the names of the clauses it cites."""
    quotes: tuple[str, ...]
    units: tuple[Unit, ...]
    facts: tuple[str, ...]
    """Values of the named facts that hold."""
    fact_values: frozenset[Value]
    """What the claim may state on the strength of the case."""
    values: frozenset[Value]
    """Everything the claim may state."""
    words: frozenset[str]
    """Stems a claim may use beside those of its quotes."""
    action_words: frozenset[str]

    @classmethod
    def of(cls, finding: Finding, context: SupportContext) -> "Support":
        quotes = tuple(citation.quote for citation in finding.citations)
        held = tuple(fact for fact in finding.facts if context.resolve_fact(fact.path) == fact.value)
        facts = tuple(fact.value for fact in held)
        action_words = Unit.of(f"{_ACTION_WORDS} {context.action.kind.replace('_', ' ')}").content
        names = " ".join(re.sub(r"[/_]", " ", fact.path) for fact in held)
        fact_values = _known(context).union(*(_fact_values(fact, context.resolve_fact) for fact in held))
        said = folded(finding.claim)
        return cls(
            said=said,
            claim=_without_references(said, finding),
            quotes=quotes,
            units=units(quotes),
            facts=facts,
            fact_values=fact_values,
            values=fact_values.union(*(supported_by(quote) for quote in quotes)),
            words=Unit.of(f"{names} {' '.join(facts)}").content | action_words,
            action_words=action_words,
        )

    def problems(self) -> Iterator[str]:
        """Everything in the claim that is not backed."""
        yield from self._foreign_letters()
        if self._is_verbatim(self.said) or self._is_verbatim(self.claim):
            return
        yield from (
            f"the {value.kind} {value.text!r} is in none of its quotes or facts"
            for value in sorted(values_in(self.claim) - self.values)
        )
        for sentence in sentences(self.claim):
            unit = Unit.of(sentence)
            yield from (problem for mark in unit.marks() for problem in self._mark_problem(mark))
            yield from self._dropped_conditions(unit)
            yield from self._altered_copy(unit)
            yield from self._unrelated(unit)

    def _is_verbatim(self, text: str) -> bool:
        """Whether the text is whole quotes or whole sentences of them, one after the other."""
        rest = text.casefold()
        whole = [folded(quote) for quote in self.quotes]
        pieces = sorted({piece.casefold() for quote in whole for piece in (quote, *sentences(quote))}, key=len)
        while rest:
            found = next((piece for piece in reversed(pieces) if _starts_with(rest, piece)), None)
            if not found:
                return False
            rest = rest[len(found) :].strip()
        return bool(pieces)

    def _foreign_letters(self) -> Iterator[str]:
        """Letters outside ASCII may look like others: a word with one must be a quoted word."""
        allowed = {word for text in (*self.quotes, *self.facts) for word in _words(text)}
        for word in dict.fromkeys(_words(self.claim)):
            if not word.isascii() and word not in allowed:
                yield f"{word!r} has letters that can be taken for others and is in none of its quotes or facts"

    def _mark_problem(self, mark: Mark) -> Iterator[str]:
        sources = self.units if mark.is_modal else (*self.units, *(Unit.of(fact) for fact in self.facts))
        if not any(unit.states(mark) for unit in sources):
            yield f"{str(mark)!r} is not what its quotes say; use their own words"

    def _dropped_conditions(self, claim: Unit) -> Iterator[str]:
        told = claim.content - self.action_words
        if not told or not self.units:
            return
        shared = max(len(told & unit.content) for unit in self.units)
        if shared < _RETELLS * len(told):
            return
        closest = [unit for unit in self.units if len(told & unit.content) == shared]
        dropped = min((unit.conditions - claim.conditions for unit in closest), key=lambda found: found.total())
        if dropped:
            names = ", ".join(repr(word) for word in sorted(dropped))
            yield f"it leaves out {names} of the sentence it retells; keep the condition"

    def _altered_copy(self, claim: Unit) -> Iterator[str]:
        """A sentence that is nearly a quoted one has its small words and values, all of them."""
        near = [unit for unit in self.units if _is_near(claim.content, unit.content)]
        if not near or any(self._says_the_same(claim, unit) for unit in near):
            return
        yield "it is nearly a quoted sentence with another number, modal verb or condition; repeat it word for word"

    def _says_the_same(self, claim: Unit, unit: Unit) -> bool:
        added = claim.values - unit.values - self.fact_values
        return claim.small_words == unit.small_words and unit.values <= claim.values and not added

    def _unrelated(self, claim: Unit) -> Iterator[str]:
        if not self.units:
            return
        is_rule = any(mark.is_modal for mark in claim.marks())
        told = claim.content
        held = (self.words - self.action_words if is_rule else self.words).union(*(unit.content for unit in self.units))
        if len(told & held) < (MINIMUM_SHARED_BY_A_RULE if is_rule else MINIMUM_SHARED) * len(told):
            missing = ", ".join(sorted(told - held)[:8])
            yield f"most of its words are in none of its quotes or facts ({missing}); cite the clause that says it"


def _is_near(claim: frozenset[str], quoted: frozenset[str]) -> bool:
    longer = max(len(claim), len(quoted))
    return longer > 0 and len(claim & quoted) >= _NEARLY * longer


def _starts_with(text: str, piece: str) -> bool:
    return bool(piece) and text.startswith(piece) and not text[len(piece) : len(piece) + 1].isalnum()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", folded(text).casefold())


def _without_references(claim: str, finding: Finding) -> str:
    """The claim without the names of the clauses it cites; they are no numbers of the rule."""
    for citation in finding.citations:
        named = [citation.document_id, f"{citation.document_id} {citation.version}"]
        if re.search(r"[^\d.]", citation.label):
            named.append(citation.label)
        for name in sorted(map(folded, named), key=len, reverse=True):
            claim = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w(%])", " ", claim)
        label = re.escape(folded(citation.label))
        claim = re.sub(rf"(?i)\b(?:clause|section|paragraph|article)\s{label}(?![\w(%.])", " ", claim)
    return " ".join(claim.split())


def _fact_values(fact: FactRef, resolve_fact: Callable[[str], str | None]) -> frozenset[Value]:
    """What a claim may state on the strength of one fact; minor units also as an amount."""
    parent, _, field = fact.path.rpartition("/")
    identifiers = {value for value in values_in(fact.path.replace("/", " ")) if value.kind == "identifier"}
    stated = supported_by(fact.value) | identifiers
    if not field.endswith("_minor") or not re.fullmatch(r"-?\d{1,15}", fact.value):
        return frozenset(stated)
    currency = resolve_fact(f"{parent}/currency") or resolve_fact("case/currency") or ""
    spelled = amount_spellings(int(fact.value), currency) if currency else frozenset[str]()
    return frozenset(stated).union(*(supported_by(spelling) for spelling in spelled))


def _known(context: SupportContext) -> frozenset[Value]:
    stated = {value for text in context.known_values for value in values_in(text) if value.kind in _KNOWN_KINDS}
    return frozenset(stated | values_in(context.case_id))
