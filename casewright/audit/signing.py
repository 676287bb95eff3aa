"""The signature under the audit head, as a seam.

The keys are *not* kept here: identity owns them and passes a signer in.
"""

from typing import Protocol


class Verifier(Protocol):
    """Checks signatures; enough to verify an export offline."""

    def verify(self, message: bytes, signature: str) -> bool:
        """Whether `signature` is ours over exactly `message`; False for anything malformed."""
        ...


class Signer(Verifier, Protocol):
    """Signs, and checks what it signed."""

    def sign(self, message: bytes) -> str:
        """A signature over `message`, as text."""
        ...
