"""Sentences made of case facts and nothing else: "Transaction: 125.50 USD on 2026-03-02 ...".

Only values go in, in the order of a fixed pattern; a value that is long, odd or speaks in modal
words is left out, because a statement of facts must not carry a rule or someone's prose.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casewright.drafts.values import values_in
from casewright.drafts.wording import Unit
from casewright.models.recommendation import CaseFact, DraftFinding
from casewright.models.support import currency, has_hidden_characters, spellings, unsupported

_SAFE_VALUE = re.compile(r"[\w.,:/+ -]{1,60}")
_NOUNS = {
    "transactions": "Transaction",
    "notices": "Notice",
    "accounts": "Account",
    "evidence": "Evidence",
    "timeline": "Event",
    "communications": "Communication",
    "parties": "Party",
}
_OWN_IDS = {
    "transactions": "transaction_id",
    "notices": "notice_id",
    "accounts": "account_id",
    "evidence": "evidence_id",
    "timeline": "event_id",
    "communications": "communication_id",
    "parties": "party_id",
}
_SHOWN = (
    "amount_minor",
    "claimed_amount_minor",
    "posted_on",
    "channel",
    "country",
    "kind",
    "transaction_id",
    "received_on",
    "statement_sent_on",
    "loss_discovered_on",
    "written_confirmation_on",
    "first_deposit_on",
    "opened_on",
)
"""Fields worth stating beside those that a rule names, in the order they are said."""
_WORDED = {"first_deposit_on": "initial deposit on", "transaction_id": "on transaction"}
"""Field names that read better so, or would read as a number."""
_MOST_STATEMENTS = 12
_COMPUTED = ("deadlines/", "limits/", "outcome/")
"""Results of rules: said beside the rule that gives them, not among what happened."""


@dataclass(frozen=True, kw_only=True)
class _Said:
    words: str
    paths: tuple[str, ...]


def fact_findings(facts: Sequence[CaseFact], named: Iterable[str]) -> list[DraftFinding]:
    """One statement for each thing that a fact in `named` belongs to; all things when none is."""
    wanted = frozenset(named)
    groups: dict[str, list[CaseFact]] = {}
    for fact in facts:
        if fact.path.startswith(_COMPUTED):
            continue
        groups.setdefault(_group(fact.path), []).append(fact)
    relevant = [group for group in groups.values() if any(fact.path in wanted for fact in group)]
    findings: list[DraftFinding] = []
    for group in relevant or list(groups.values()):
        finding = _statement(group, wanted)
        if finding is not None:
            findings.append(finding)
    return findings[:_MOST_STATEMENTS]


def stated(noun: str, fact: CaseFact) -> DraftFinding | None:
    """Say one fact after its noun; nothing when its value, or the noun, is more than a name or a value."""
    if not _sayable(fact) or not noun.isascii() or values_in(noun) or Unit.of(noun).marks():
        return None
    return _finding(noun, [_Said(words=spellings(fact.path, fact.value)[-1], paths=(fact.path,))])


def _statement(group: Sequence[CaseFact], named: frozenset[str]) -> DraftFinding | None:
    collection = group[0].path.split("/", 1)[0]
    by_field = {_field(fact.path): fact for fact in group}
    own_id = by_field.pop(_OWN_IDS.get(collection, ""), None)
    chosen = [name for name in by_field if name in _SHOWN or by_field[name].path in named]
    chosen.sort(key=lambda name: (_SHOWN.index(name) if name in _SHOWN else len(_SHOWN), name))
    said = [_say(by_field[name], by_field.get("currency")) for name in chosen if _sayable(by_field[name])]
    if not said:
        return None
    noun = _NOUNS.get(collection, "Case")
    if own_id is None or not _sayable(own_id):
        return _finding(noun, said)
    return _finding(f"{noun} {own_id.value}", [*said, _Said(words="", paths=(own_id.path,))])


def _say(fact: CaseFact, currency_fact: CaseFact | None) -> _Said:
    name = _field(fact.path)
    if name.endswith("_minor") and re.fullmatch(r"-?\d{1,15}", fact.value):
        lead = "" if name == "amount_minor" else name.removesuffix("_minor").replace("_", " ") + " "
        amount = f"{lead}{currency(int(fact.value))}"
        if currency_fact is not None and _sayable(currency_fact):
            return _Said(words=f"{amount} {currency_fact.value}", paths=(fact.path, currency_fact.path))
        return _Said(words=amount, paths=(fact.path,))
    if name in ("channel", "country", "kind"):
        return _Said(words=fact.value, paths=(fact.path,))
    if name in _WORDED:
        return _Said(words=f"{_WORDED[name]} {fact.value}", paths=(fact.path,))
    return _Said(words=f"{name.replace('_', ' ')} {fact.value}", paths=(fact.path,))


def _finding(noun: str, said: Sequence[_Said]) -> DraftFinding | None:
    if not said or not noun:
        return None
    paths = tuple(dict.fromkeys(path for one in said for path in one.paths))
    return DraftFinding(
        claim=f"{noun}: {', '.join(one.words for one in said if one.words)}.", citations=(), fact_paths=paths
    )


def _sayable(fact: CaseFact) -> bool:
    plain = _SAFE_VALUE.fullmatch(fact.value) is not None and not has_hidden_characters(fact.value)
    return plain and not speaks(fact.value) and not unsupported(_field(fact.path), (fact.value,))


def speaks(text: str) -> bool:
    """True when `text` holds a modal or restricting word."""
    return any(not token[0].isdigit() for token in unsupported(text, ()))


def _group(path: str) -> str:
    head, _, _ = path.rpartition("/")
    return head


def _field(path: str) -> str:
    return path.rpartition("/")[2]
