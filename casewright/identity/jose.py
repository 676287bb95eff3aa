"""Signed tokens and key sets, read strictly (RFC 7515, 7517, 7519, 8725).

A token names its key by `kid` and nothing else: keys and addresses that it carries itself (`jwk`,
`jku`, `x5u`) are never looked at. A key is bound to the algorithms of its type before any token is
seen. It knows no clock, issuer or claim: `identity.oidc` checks those.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from casewright.errors import UnauthenticatedError

MAX_KEY_SET_KEYS = 64
MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 8_192
MAX_KEY_ID = 256
MAX_OPENINGS = 500
"""Objects and lists in one document; no reader then runs out of stack, whatever its limit."""
ACCESS_TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt"})
UNTYPED = frozenset({"", "jwt"})
_CURVES = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",), "Ed25519": ("EdDSA",)}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_UNREADABLE_HEADERS = ("crit", "b64", "zip", "cty")
"""A header that changes how the token is to be read; we read it one way only."""


class KeySetError(ValueError):
    """Mend the key set: it is not one that tokens may be verified with."""


@dataclass(frozen=True)
class VerificationKey:
    """One public key, and what it may verify."""

    key_id: str
    algorithms: tuple[str, ...]
    key: Any


@dataclass(frozen=True)
class Header:
    """What of a token's header counts."""

    algorithm: str
    key_id: str
    type: str
    """In lower case; empty when absent."""


@dataclass(frozen=True)
class KeySet:
    """The public keys of an issuer at one time."""

    keys: tuple[VerificationKey, ...]

    def find(self, header: Header) -> VerificationKey | None:
        """The key for a token: by its id, or the only one of its algorithm when the token names none."""
        fitting = [key for key in self.keys if header.algorithm in key.algorithms]
        if header.key_id:
            fitting = [key for key in fitting if key.key_id == header.key_id]
        return fitting[0] if len(fitting) == 1 else None


def strict_json(data: bytes) -> Any:
    """JSON in which no object names a member twice, and every number is one.

    Raises:
        ValueError: it is not; also for text that is not UTF-8 or nested too deeply.
    """
    if data.count(b"[") + data.count(b"{") > MAX_OPENINGS:
        raise ValueError("too many levels")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_single, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("too many levels") from error


def read_key_set(data: bytes) -> KeySet:
    """The usable keys of a JWKS; keys for encryption or of other types are left out.

    Raises:
        KeySetError: no key is usable, two share an id, or one is private.
    """
    try:
        document = strict_json(data)
    except ValueError as error:
        raise KeySetError(f"it is not JSON: {error}") from error
    listed: Any = cast(dict[str, Any], document).get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise KeySetError("it has no list of 'keys'")
    entries = cast(list[Any], listed)
    if len(entries) > MAX_KEY_SET_KEYS:
        raise KeySetError(f"it has more than {MAX_KEY_SET_KEYS} keys")
    found = [key for entry in entries if (key := _key(entry)) is not None]
    ids = [key.key_id for key in found]
    if not found:
        raise KeySetError("it has no key for signatures that can be used")
    if len(set(ids)) != len(ids):
        raise KeySetError("two of its keys have the same 'kid'")
    return KeySet(tuple(found))


def read_header(token: str, *, typed: bool) -> Header:
    """The header of a token, before its signature is known to be right.

    Raises:
        UnauthenticatedError: it is malformed, of another type, or asks to be read in another way.
    """
    header = _object(_segments(token)[0], "header")
    algorithm, key_id, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "")
    if not isinstance(algorithm, str) or not isinstance(key_id, str) or not isinstance(kind, str):
        raise _malformed("its header is not one of a signed token")
    if any(name in header for name in _UNREADABLE_HEADERS) or len(key_id) > MAX_KEY_ID:
        raise _malformed("its header asks for what is not done here")
    kind = kind.lower()
    if kind not in ACCESS_TOKEN_TYPES and (typed or kind not in UNTYPED):
        raise UnauthenticatedError("the token is not an access token", code="token_type")
    return Header(algorithm=algorithm, key_id=key_id, type=kind)


def read_claims_unverified(token: str) -> dict[str, Any]:
    """The claims as they stand, to be believed only after `verify_signature`.

    Raises:
        UnauthenticatedError: they are not one JSON object.
    """
    return _object(_segments(token)[1], "claims")


def verify_signature(token: str, header: Header, key: VerificationKey) -> None:
    """Check the signature with this key and this algorithm.

    Raises:
        UnauthenticatedError: it is not the key's.
    """
    if header.algorithm not in key.algorithms:
        raise UnauthenticatedError("the token's algorithm is not the key's", code="token_invalid")
    try:
        jwt.PyJWS(algorithms=[header.algorithm]).decode(token, key.key, algorithms=[header.algorithm])
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise UnauthenticatedError("the token's signature is not right", code="token_invalid") from error


def _key(entry: Any) -> VerificationKey | None:
    if not isinstance(entry, dict):
        raise KeySetError("one of its keys is not an object")
    described = cast(dict[str, Any], entry)
    kind = described.get("kty")
    if kind not in ("RSA", "EC", "OKP") or described.get("use", "sig") != "sig":
        return None
    if "verify" not in described.get("key_ops", ["verify"]):
        return None
    if _SECRET_MEMBERS & set(described):
        raise KeySetError("one of its keys is private; withdraw it and publish public keys only")
    algorithms = _RSA if kind == "RSA" else _CURVES.get(str(described.get("crv")), ())
    if "alg" in described:
        algorithms = tuple(name for name in algorithms if name == described["alg"])
    key_id = described.get("kid", "")
    if not algorithms or not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID:
        return None
    return VerificationKey(key_id, algorithms, _public_key(described, algorithms[0]))


def _public_key(described: Mapping[str, Any], algorithm: str) -> Any:
    try:
        key: Any = jwt.PyJWK(dict(described), algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise KeySetError(f"the key {described.get('kid')!r} cannot be read") from error
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise KeySetError(f"the key {described.get('kid')!r} has {key.key_size} bits; use {MIN_RSA_BITS} or more")
    return key


def _segments(token: str) -> tuple[bytes, bytes]:
    parts = token.split(".")
    if len(parts) != 3:
        raise _malformed("it has not three parts")
    return _decoded(parts[0]), _decoded(parts[1])


def _decoded(segment: str) -> bytes:
    try:
        return base64.b64decode(segment.encode("ascii") + b"=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed("a part is not base64url") from error


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        document = strict_json(data)
    except ValueError as error:
        raise _malformed(f"its {what} is not plain JSON") from error
    if not isinstance(document, dict):
        raise _malformed(f"its {what} is not an object")
    return cast(dict[str, Any], document)


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _malformed(why: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"the token is malformed: {why}", code="token_malformed")
