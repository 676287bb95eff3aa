"""The public half of the signing key, as a file: enough to check an exported audit anywhere.

It is *not* secret; what matters is that it comes from somewhere else than the export it checks.
"""

import base64
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casewright.errors import InputError, StorageError


class PublicKey:
    """Checks Ed25519 signatures; see `casewright.audit.signing.Verifier`."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def load(cls, path: Path) -> "PublicKey":
        """The key in a PEM file.

        Raises:
            InputError: there is none, or it is not the public key of an audit.
        """
        try:
            key = serialization.load_pem_public_key(path.read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(
                f"the public key {str(path)!r} cannot be read ({error}); name the file that "
                "`casewright audit export --public-key` wrote"
            ) from error
        if not isinstance(key, Ed25519PublicKey):
            raise InputError(f"{str(path)!r} is not an Ed25519 public key; name the one that signed the audit")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write the key as PEM (SubjectPublicKeyInfo).

        Raises:
            StorageError: the file cannot be written.
        """
        pem = self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        try:
            path.write_bytes(pem)
        except OSError as error:
            raise StorageError(f"the public key {str(path)!r} cannot be written: {error}; name another file") from error

    def verify(self, message: bytes, signature: str) -> bool:
        """Whether the signature is this key's over exactly this message; False for anything malformed."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError):
            return False
        return True
