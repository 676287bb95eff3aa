"""Texts kept under an address that is made from them: once for a tenant, compressed, and found out when changed.

What left the process was redacted before, and is kept readable under its SHA-256. What never leaves (the typed input of
a call, its answer with the values put back, all that the offline provider is given) is sealed with the key of recorded
decisions, under a keyed fingerprint, so that neither the content nor a guess at it can be had without the key. It is
*not* where rows are written or read; see `casewright.models.recording` and `casewright.models.kept_calls`.
"""

import hashlib
import hmac
import zlib
from dataclasses import dataclass

from casewright.audit.sealing import Sealing
from casewright.errors import StorageError

LARGEST_CONTENT = 64 * 1024 * 1024
"""Bytes that a stored body may unfold to; nothing that is written comes near it."""
_HALVES = "surrogatepass"
"""A model may answer with half of a character; it is kept as it came."""
_PLAIN = "sha256:"
_SEALED = "sealed:"
_LEVEL = 1
"""Of zlib: the quickest already makes a quarter of a prompt."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A text with its address."""

    address: str
    text: str


class Contents:
    """Addresses, packs and opens texts under the key of one data folder."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def readable(self, text: str) -> Content:
        """To be kept so that it can be read without the key."""
        return Content(address=f"{_PLAIN}{hashlib.sha256(_bytes(text)).hexdigest()}", text=text)

    def sealed(self, text: str) -> Content:
        """To be kept so that it cannot."""
        return Content(address=self._fingerprint(_bytes(text)), text=text)

    def pack(self, tenant: str, content: Content) -> bytes:
        """The body to store."""
        packed = zlib.compress(_bytes(content.text), _LEVEL)
        if content.address.startswith(_SEALED):
            return self._sealing.seal(packed, about=_about(tenant, content.address)).encode()
        return packed

    def open(self, tenant: str, address: str, body: bytes) -> str:
        """The text that was packed.

        Raises:
            StorageError: the body is not what the address was made from, or the key is another one.
        """
        try:
            packed = body
            if address.startswith(_SEALED):
                packed = self._sealing.open(body.decode("ascii"), about=_about(tenant, address))
            plain = zlib.decompressobj().decompress(packed, LARGEST_CONTENT)
            text = plain.decode("utf-8", _HALVES)
        except (zlib.error, UnicodeDecodeError) as error:
            raise _changed(address) from error
        if not hmac.compare_digest(self._address_like(address, plain), address):
            raise _changed(address)
        return text

    def _address_like(self, address: str, plain: bytes) -> str:
        """The address of the same kind that `plain` has; of an unknown kind: none."""
        if address.startswith(_PLAIN):
            return f"{_PLAIN}{hashlib.sha256(plain).hexdigest()}"
        return self._fingerprint(plain) if address.startswith(_SEALED) else ""

    def _fingerprint(self, plain: bytes) -> str:
        return f"{_SEALED}{self._sealing.fingerprint(plain)}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", _HALVES)


def _about(tenant: str, address: str) -> str:
    return f"{tenant} {address}"


def _changed(address: str) -> StorageError:
    return StorageError(
        f"what is kept under {address!r} is not what was written there; restore the database from a backup, "
        "or remove the recording with `casewright models prune`"
    )
