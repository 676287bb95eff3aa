"""What a document version may not say beside the other versions of its document. Pure; called by ingest.

Dates that cannot both be true, supersession that goes round, and a change to an approved text by
someone who may not approve: each sets the new file aside and leaves what is there untouched.
"""

from collections.abc import Sequence

from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.rows import IndexedVersion


def refuse_contradiction(new: IndexedVersion, others: Sequence[IndexedVersion]) -> None:
    """Hold a version against the others of its document, an earlier text of itself among them.

    Raises:
        UnreadableDocumentError: with the version it contradicts.
    """
    before = {version.version: version for version in others}
    earlier = before.pop(new.version, None)
    if earlier is not None and earlier.approval == "approved" and new.approval != "approved":
        raise UnreadableDocumentError(
            f"version {new.version!r} of {new.document_id!r} is approved with another text; give the change a version "
            "of its own, or let someone who may approve ingest it"
        )
    if new.status == "published":
        _refuse_same_place(new, tuple(before.values()))
    _refuse_circle(new, {name: version.supersedes for name, version in before.items()})
    superseded = before.get(new.supersedes)
    if superseded is not None and superseded.range.order > new.range.order:
        raise UnreadableDocumentError(
            f"it supersedes version {superseded.version!r}, which begins later than it; correct effective_from or "
            "'supersedes'"
        )
    for other in before.values():
        if other.supersedes == new.version and new.range.order > other.range.order:
            raise UnreadableDocumentError(
                f"version {other.version!r} supersedes it and begins earlier than it; correct effective_from of one or "
                "'supersedes' of the other"
            )


def _refuse_same_place(new: IndexedVersion, others: Sequence[IndexedVersion]) -> None:
    for other in others:
        if other.status == "published" and other.range.order == new.range.order:
            raise UnreadableDocumentError(
                f"version {other.version!r} of {new.document_id!r} begins on the same day; give the one that corrects "
                "the other a higher 'correction' or a later 'published' date"
            )


def _refuse_circle(new: IndexedVersion, supersedes: dict[str, str]) -> None:
    walked, at = [new.version], new.supersedes
    while at and at in supersedes and at not in walked:
        walked.append(at)
        at = supersedes[at]
    if at == new.version:
        raise UnreadableDocumentError(
            f"its versions supersede one another in a circle ({' > '.join([*walked, at])}); correct 'supersedes'"
        )
