"""A policy folder as a signed OPA bundle: what an OPA server loads and checks before it decides.

The layout and the signature follow OPA's bundle format: a gzipped tar with `.manifest` (revision
and roots) and `.signatures.json`, one JWT over the SHA-256 of every other file. Tests are left
out. Equal policies, data and key give equal bytes. It is deliberately *not* a check of policies;
`casewright policy build` vets a folder first.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from casewright.access.bundle import Bundle
from casewright.errors import InputError

SCOPE = "casewright-policies"
"""The scope in the signature; OPA compares it, so that a key's other signatures are no bundles."""
DATA_ROOT = "data"
_SMALLEST_RSA_BITS = 2048
_COORDINATE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class BundleKey:
    """A private key that OPA can verify: RSA (RS256) or P-256 (ES256). OPA accepts no EdDSA."""

    private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    keyid: str
    """The name under which OPA's configuration holds the public key."""

    @property
    def algorithm(self) -> Literal["RS256", "ES256"]:
        return "RS256" if isinstance(self.private_key, rsa.RSAPrivateKey) else "ES256"

    @property
    def public_pem(self) -> str:
        """The public key, as OPA's configuration takes it."""
        key = self.private_key.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, message: bytes) -> bytes:
        """The JWS signature (RFC 7518, 3.3 and 3.4); with ECDSA the deterministic one of RFC 6979."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return self.private_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        found = self.private_key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return b"".join(part.to_bytes(_COORDINATE_BYTES, "big") for part in decode_dss_signature(found))


def load_key(path: Path, *, keyid: str) -> BundleKey:
    """The private key in a PEM file.

    Raises:
        InputError: it is missing, unreadable, locked by a password, or of a kind that OPA does not verify.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise InputError(f"there is no key at {str(path)!r}; make one with --new-key") from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{str(path)!r} is no private key in PEM without a password: {error}; name another") from error
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_BITS:
        return BundleKey(private_key=key, keyid=keyid)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return BundleKey(private_key=key, keyid=keyid)
    raise InputError(
        f"{str(path)!r} holds a key that OPA does not verify; use P-256 (--new-key makes one) or RSA from 2048 bits"
    )


def new_key(path: Path, *, keyid: str) -> BundleKey:
    """Make a P-256 key and write it for its owner alone; an existing file is never overwritten.

    Raises:
        InputError: the file is there already or cannot be written.
    """
    key = BundleKey(private_key=ec.generate_private_key(ec.SECP256R1()), keyid=keyid)
    pem = key.private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"a new key cannot be written to {str(path)!r}: {error}; name another file") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return key


def signed_bundle(bundle: Bundle, key: BundleKey) -> bytes:
    """The bytes of the bundle. Its revision is the revision of the policy folder."""
    files = _files(bundle)
    files[".signatures.json"] = _json({"signatures": [_signature(files, key)]})
    return _archive(files)


def _files(bundle: Bundle) -> dict[str, bytes]:
    """Everything that is signed, by path."""
    roots = sorted({module.path.partition("/")[0] for module in bundle.modules} | {DATA_ROOT})
    files = {module.path: module.text.encode() for module in bundle.modules}
    files["data.json"] = _json(json.loads(bundle.data_json))
    files[".manifest"] = _json({"revision": bundle.revision, "roots": roots, "rego_version": 1})
    return files


def _json(value: object) -> bytes:
    """JSON with sorted keys, byte for byte as OPA writes a structured file before it hashes it.

    OPA's encoder (Go's) escapes the two line separators that JavaScript does not take; integers
    and all other text look alike.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def _signature(files: dict[str, bytes], key: BundleKey) -> str:
    listed = [
        {"name": name, "hash": hashlib.sha256(files[name]).hexdigest(), "algorithm": "SHA-256"}
        for name in sorted(files)
    ]
    header = {"alg": key.algorithm, "kid": key.keyid, "typ": "JWT"}
    claims = {"files": listed, "keyid": key.keyid, "scope": SCOPE}
    message = b".".join(_base64url(_json(part)) for part in (header, claims))
    return (message + b"." + _base64url(key.sign(message))).decode()


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _archive(files: dict[str, bytes]) -> bytes:
    """A gzipped tar in which nothing depends on the day, the machine or the person."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(f"/{name}")
            entry.size, entry.mode, entry.mtime = len(files[name]), 0o644, 0
            archive.addfile(entry, io.BytesIO(files[name]))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(plain.getvalue())
    return packed.getvalue()
