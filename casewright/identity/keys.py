"""The local Ed25519 key: signs tokens and the audit head.

Made once by `casewright init`, readable by its owner only. Production replaces the token part
by an OIDC issuer (`TokenAuthority` is the seam); the audit head keeps its own key.
"""

import base64
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from casewright.errors import StorageError
from casewright.identity.public_key import PublicKey


def lost_key(path: Path) -> StorageError:
    """What to say when the key is gone while what it signed is still there."""
    return StorageError(
        f"the signing key {str(path)!r} is gone while its database is still there; restore the key file from a "
        "backup. Without it the signatures of the audit cannot be checked and nothing can be added to it, so "
        "nothing is allowed; to begin anew, name another folder with --home and run `casewright init`"
    )


class SigningKey:
    """An Ed25519 private key (RFC 8032)."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """The key at `path`.

        Raises:
            StorageError: it is missing, unreadable, or not an Ed25519 key.
        """
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError as error:
            raise StorageError(f"there is no signing key at {str(path)!r}; run `casewright init` first") from error
        except (OSError, ValueError) as error:
            raise StorageError(
                f"the signing key {str(path)!r} cannot be read ({error}); restore it from a backup, "
                "or name another folder with --home"
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise StorageError(f"the signing key {str(path)!r} is not an Ed25519 key; restore it from a backup")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write the key as PKCS #8 PEM with mode 0600; an existing file is never overwritten."""
        pem = self._private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)

    @property
    def private_key(self) -> Ed25519PrivateKey:
        return self._private_key

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._private_key.public_key()

    def derived(self, label: bytes) -> bytes:
        """32 bytes for one use, named by its label (HKDF-Expand of RFC 5869, one block)."""
        raw = self._private_key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        return hmac.digest(raw, label + b"\x01", hashlib.sha256)

    def sign(self, message: bytes) -> str:
        """Base64 of the 64-byte signature."""
        return base64.b64encode(self._private_key.sign(message)).decode()

    def verify(self, message: bytes, signature: str) -> bool:
        return PublicKey(self.public_key).verify(message, signature)
