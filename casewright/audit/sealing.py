"""The key over personal data in recorded decisions: seal, open, and fingerprints of what is left out.

AES-256-GCM (NIST SP 800-38D) with a random nonce, bound to the id of the record. The key file
lies beside the database with mode 0600; `casewright init` makes it, or else the first record.
It is *not* the signing key: who may check the audit need not be able to read what is sealed.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casewright.errors import StorageError

KEY_FILE = "records-key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Sealing:
    """Seals and opens with the key at a path; the key is read, or made, when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def beside(cls, folder: Path) -> "Sealing":
        """The key of a data folder."""
        return cls(folder / KEY_FILE)

    def ensure(self) -> None:
        """Make the key unless it is there.

        Raises:
            StorageError: it cannot be made or read.
        """
        _ = self._master

    def seal(self, plain: bytes, *, about: str) -> str:
        """Base64 of nonce and ciphertext; opens only with the same `about`."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, plain, about.encode())).decode()

    def open(self, sealed: str, *, about: str) -> bytes:
        """What was sealed.

        Raises:
            StorageError: it was changed, or sealed with another key.
        """
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise StorageError(
                f"what is sealed in {about!r} does not open: it was changed, or sealed with another key than "
                f"{str(self._path)!r}; run `casewright audit verify`, and restore the key from a backup"
            ) from error

    def fingerprint(self, plain: bytes) -> str:
        """HMAC-SHA-256 under the key, in hexadecimal: equal values show, guessing one needs the key."""
        return hmac.digest(self._fingerprint_key, plain, "sha256").hex()

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(_derived(self._master, b"seal"))

    @cached_property
    def _fingerprint_key(self) -> bytes:
        return _derived(self._master, b"fingerprint")

    @cached_property
    def _master(self) -> bytes:
        try:
            if not self._path.exists():
                _make_key(self._path)
            key = base64.b64decode(self._path.read_bytes(), validate=False)
        except (OSError, binascii.Error) as error:
            raise StorageError(
                f"the key of recorded decisions {str(self._path)!r} cannot be read or made: {error}; "
                "make file and folder accessible to this user, or restore the key from a backup"
            ) from error
        if len(key) != _KEY_BYTES:
            raise StorageError(
                f"{str(self._path)!r} does not hold a key of {_KEY_BYTES} bytes; restore it from a backup"
            )
        return key


def _derived(master: bytes, purpose: bytes) -> bytes:
    """A key of its own for each purpose (HKDF-Expand of RFC 5869, one block)."""
    return hmac.digest(master, b"casewright records " + purpose + b"\x01", hashlib.sha256)


def _make_key(path: Path) -> None:
    """Whole or not at all, also when two processes make it at once: the first one stays."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
