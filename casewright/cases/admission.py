"""May this case be stored? Fill in what the importer settles, check what a model cannot.

It decides nothing about access; `casewright.cases.store` calls it for every imported row.
"""

from collections import Counter
from collections.abc import Iterator

from casewright.canonical import digest
from casewright.cases.collections import COLLECTIONS, Item, item_fields, item_id, items_of
from casewright.cases.provenance import RECORDED_PREFIX, labelled
from casewright.cases.records import RelabelledItem
from casewright.contracts.case import CaseFile
from casewright.contracts.principal import Principal
from casewright.errors import InputError


def admitted(case: CaseFile, *, importer: Principal) -> CaseFile:
    """The case in the importer's tenant with trust labels set by code.

    Raises:
        InputError: another tenant's case, ids that repeat or are reserved, references to
            items the case does not hold, or a character that no database stores.
    """
    if case.tenant is not None and case.tenant != importer.tenant:
        raise InputError(
            f"case {case.case_id!r} names the tenant {case.tenant!r}, and {importer.id!r} imports for "
            f"{importer.tenant!r}; leave the tenant out or import it as an identity of that tenant"
        )
    for problem in (
        *_repeated_ids(case),
        *_reserved_ids(case),
        *_dangling_references(case),
        *_unstorable_text(case),
    ):
        raise InputError(f"case {case.case_id!r}: {problem}")
    return case.model_copy(
        update={
            "tenant": importer.tenant,
            "communications": tuple(labelled(item) for item in case.communications),
            "evidence": tuple(labelled(item) for item in case.evidence),
        }
    )


def content_digest(case: CaseFile) -> str:
    """SHA-256 that names an admitted case's content."""
    return digest(case.model_dump(mode="json"))


def relabelled(before: CaseFile, after: CaseFile) -> tuple[RelabelledItem, ...]:
    """The items of `after` that carry less trust than `before` claimed."""
    return tuple(
        RelabelledItem(path=f"{before.case_id}/{name}/{item_id(old)}", claimed=old.trust.value, given=new.trust.value)
        for name, pairs in (
            ("communications", zip(before.communications, after.communications, strict=True)),
            ("evidence", zip(before.evidence, after.evidence, strict=True)),
        )
        for old, new in pairs
        if old.trust != new.trust
    )


def _repeated_ids(case: CaseFile) -> Iterator[str]:
    for name in COLLECTIONS:
        counts = Counter(item_id(item) for item in items_of(case, name))
        for found, times in counts.items():
            if times > 1:
                yield f"{name} holds the id {found!r} {times} times; give each item its own id"


def _reserved_ids(case: CaseFile) -> Iterator[str]:
    for name in ("timeline", "notes"):
        for item in items_of(case, name):
            if item_id(item).startswith(RECORDED_PREFIX):
                yield f"{name} uses the id {item_id(item)!r}; ids that start with {RECORDED_PREFIX!r} are reserved"


def _dangling_references(case: CaseFile) -> Iterator[str]:
    accounts = {account.account_id for account in case.accounts}
    transactions = {transaction.transaction_id for transaction in case.transactions}
    for transaction in case.transactions:
        if transaction.account_id is not None and transaction.account_id not in accounts:
            yield (
                f"transaction {transaction.transaction_id!r} names the account {transaction.account_id!r}, "
                "which the case does not hold; add the account or leave the reference out"
            )
    for item in case.evidence:
        if item.transaction_id is not None and item.transaction_id not in transactions:
            yield (
                f"evidence {item.evidence_id!r} names the transaction {item.transaction_id!r}, "
                "which the case does not hold; add the transaction or leave the reference out"
            )


def _unstorable_text(case: CaseFile) -> Iterator[str]:
    everything: list[tuple[str, CaseFile | Item]] = [("case", case)]
    for name in COLLECTIONS:
        everything += [(f"{name}/{item_id(item)}", item) for item in items_of(case, name)]
    for path, holder in everything:
        for field in item_fields(type(holder)):
            value = getattr(holder, field)
            if isinstance(value, str) and not _storable(value):
                yield f"{path}/{field} holds a NUL or a lone surrogate; remove the damaged character"


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
