"""The signing key: made once, readable by its owner only, and nothing else passes for it."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from casewright.errors import StorageError
from casewright.identity.keys import SigningKey


def test_a_saved_key_is_read_again_and_only_its_owner_may(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = SigningKey.generate()
    key.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.verify(b"text", SigningKey.load(path).sign(b"text"))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    SigningKey.generate().save(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        SigningKey.generate().save(path)
    assert path.read_bytes() == before


def other_kind() -> bytes:
    return X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("content", [b"", b"not a key", other_kind()], ids=["empty", "text", "another kind"])
def test_what_is_no_signing_key_is_refused_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="restore it from a backup"):
        SigningKey.load(path)


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="casewright init"):
        SigningKey.load(tmp_path / "key.pem")


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64!", "A" * 88, "é"])
def test_what_is_no_signature_does_not_verify(signature: str) -> None:
    assert not SigningKey.generate().verify(b"text", signature)
