"""Makes, names, signs and reads manifests, and reads the switches between releases.

The id is the digest of the manifest: the same pieces under the same report are the same release. The signature is made
with the key that signs the head of the audit, so a manifest from elsewhere is not followed.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from casewright.audit.signing import Verifier
from casewright.canonical import canonical_json, digest
from casewright.contracts.release import ReleaseManifest, ReleaseMove
from casewright.errors import StorageError

_LABEL = b"casewright release\n"


def content(manifest: ReleaseManifest) -> dict[str, Any]:
    """A manifest as JSON: what it is named by, signed and kept as; without what it does not say."""
    return manifest.model_dump(mode="json", exclude_none=True)


def id_of(manifest: ReleaseManifest) -> str:
    """`rel-` and the beginning of the manifest's digest."""
    return f"rel-{digest(content(manifest))[:16]}"


def signed_text(manifest: ReleaseManifest) -> bytes:
    """What is signed: nothing else that the key signs begins so."""
    return _LABEL + canonical_json(content(manifest))


def read_manifest(release_id: str, text: str, signature: str, verifier: Verifier) -> ReleaseManifest:
    """A manifest as it is kept.

    Raises:
        StorageError: it is no manifest, has another id, or is not signed by this data folder's key.
    """
    try:
        manifest = ReleaseManifest.model_validate_json(text)
    except ValidationError as error:
        raise StorageError(f"the manifest of {release_id!r} cannot be read; restore the database") from error
    if id_of(manifest) != release_id or not verifier.verify(signed_text(manifest), signature):
        raise StorageError(
            f"the manifest of {release_id!r} is not the one that was signed; restore the database from a backup"
        )
    return manifest


def read_move(values: Mapping[str, Any]) -> ReleaseMove:
    """A switch as it is kept.

    Raises:
        StorageError: it is none.
    """
    try:
        return ReleaseMove.model_validate(dict(values))
    except ValidationError as error:
        raise StorageError(
            f"the switch {values.get('seq')!r} between releases cannot be read; restore the database from a backup"
        ) from error
