"""What the protection of personal data knows of a case: read from the store, for `casewright.models.protection`.

It reads the whole case, sealed evidence too, because it has to recognise what must not leave; none of it goes further
than that comparison. It is *not* a way to read a case: agents read theirs over the guarded servers. What was recorded
on a revision since it was first asked about (notes, events) is recognised by its form only.
"""

from collections.abc import Iterator
from itertools import chain

from casewright.cases.collections import COLLECTIONS, items_of
from casewright.cases.store import CaseStore
from casewright.cases.views import CLASSIFIED_TEXT, speaks_of
from casewright.contracts.case import CaseFile, Classification, Party
from casewright.models.layer import CallContext
from casewright.models.protection.knowledge import CaseKnowledge
from casewright.models.protection.known import KnownValue

_KEPT = 256


class StoredKnowledge:
    """Knowledge of the cases of a store."""

    def __init__(self, cases: CaseStore) -> None:
        self._cases = cases
        self._kept: dict[tuple[str, str, int], CaseKnowledge] = {}

    async def of(self, context: CallContext) -> CaseKnowledge | None:
        """See `casewright.models.protection.knowledge.Knowledge.of`."""
        head = await self._cases.attributes(context.tenant, context.case_id) if context.case_id else None
        if head is None:
            return None
        key = (context.tenant, context.case_id, head.revision)
        known = self._kept.get(key)
        if known is None:
            stored = await self._cases.load(context.tenant, context.case_id, revision=head.revision)
            if stored is None:
                return None
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            known = self._kept[key] = knowledge_of(stored.case, str(head.revision))
        return known


def knowledge_of(case: CaseFile, state: str) -> CaseKnowledge:
    """What protection knows of one state of a case."""
    withheld = tuple(item for item in case.evidence if item.sealed or item.classification is Classification.RESTRICTED)
    return CaseKnowledge(
        state=state,
        classification=case.classification,
        sealed=case.sealed,
        people=tuple(dict.fromkeys(_people(case))),
        texts=tuple(_texts(case)),
        carries_withheld=speaks_of(withheld) if withheld else _never,
    )


def _people(case: CaseFile) -> Iterator[KnownValue]:
    for party in case.parties:
        yield KnownValue(kind="ORGANISATION" if party.role == "merchant" else "PERSON", text=party.name)
    for transaction in case.transactions:
        if transaction.counterparty:
            yield KnownValue(kind="ORGANISATION", text=transaction.counterparty)
    authors = chain((one.author for one in case.communications), (one.author for one in case.notes))
    for author in authors:
        if author and _is_a_name(author):
            yield KnownValue(kind="PERSON", text=author)


def _is_a_name(author: str) -> bool:
    """A person, not an identity such as `rosa` or a team such as `Disputes team`."""
    words = author.split()
    return 1 < len(words) <= 4 and all(word[0].isupper() for word in words)


def _texts(case: CaseFile) -> Iterator[str]:
    yield from _texts_in("case", case)
    for name in COLLECTIONS:
        for item in items_of(case, name):
            if not isinstance(item, Party):
                yield from _texts_in(name, item)


def _texts_in(name: str, holder: object) -> Iterator[str]:
    for field in CLASSIFIED_TEXT.get(name, ()):
        text: object = getattr(holder, field)
        if isinstance(text, str) and text:
            yield text


def _never(_text: str) -> bool:
    return False
