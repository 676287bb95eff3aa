"""An outside issuer for tests: real keys of every kind, its key set in a file, and tokens of any shape.

Nothing here is a double of our code: servers read the file as they would any issuer's key set.
"""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from casewright.clock import NANOSECONDS, Clock, ManualClock
from casewright.config import Settings
from casewright.identity.settings import IdentitySettings, IssuerSettings
from casewright.services import Services
from tests.support.installation import NOW_NS, POLICIES

ISSUER = "https://id.example/realm"
PUBLIC_URL = "https://cases.example"
NOW = NOW_NS // NANOSECONDS
MAPPING: dict[str, Any] = {
    "tenant": "tenant",
    "roles": ["roles"],
    "clearance": "clearance",
    "labels": "labels",
    "strong_acr": ["urn:two-factors"],
}
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class SigningPair:
    """A private key, how it signs, and its public half as a JWK."""

    key_id: str
    algorithm: str
    sign: Sign
    public: dict[str, Any]


def elliptic(key_id: str) -> SigningPair:
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ECAlgorithm(ECAlgorithm.SHA256)
    public: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return SigningPair(key_id, "ES256", lambda message: algorithm.sign(message, key), {**public, "kid": key_id})


def edwards(key_id: str) -> SigningPair:
    key = ed25519.Ed25519PrivateKey.generate()
    public: dict[str, Any] = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return SigningPair(key_id, "EdDSA", key.sign, {**public, "kid": key_id})


def rivest(key_id: str, *, bits: int = 2048) -> SigningPair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return SigningPair(key_id, "RS256", lambda message: algorithm.sign(message, key), {**public, "kid": key_id})


def encoded(part: Mapping[str, Any] | bytes) -> str:
    """One part of a token; bytes go in as they are."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes, sign: Sign) -> str:
    """A signed token of any header and claims."""
    message = f"{encoded(header)}.{encoded(claims)}"
    return f"{message}.{encoded(sign(message.encode()))}"


@dataclass
class Issuer:
    """Publishes some keys in a file, and signs with them."""

    folder: Path
    key: SigningPair = field(default_factory=lambda: elliptic("now"))
    others: tuple[SigningPair, ...] = ()

    def __post_init__(self) -> None:
        self.publish(self.key, *self.others)
        self.mapping.write_text(json.dumps(MAPPING))

    @property
    def keys(self) -> Path:
        return self.folder / "keys.json"

    @property
    def mapping(self) -> Path:
        return self.folder / "claims.json"

    def publish(self, *pairs: SigningPair) -> None:
        self.keys.write_text(json.dumps({"keys": [pair.public for pair in pairs]}))

    def settings(self, **changes: Any) -> IdentitySettings:
        given: dict[str, Any] = {"issuer": ISSUER, "keys": str(self.keys), "claims": self.mapping, **changes}
        return IdentitySettings(issuer=IssuerSettings(**given), public_url=PUBLIC_URL)

    def services(self, home: Path, clock: Clock | None = None, *, policies: Path = POLICIES) -> Services:
        settings = Settings(home=home, policies=policies, identity=self.settings())
        return Services(settings, clock=clock or ManualClock(NOW_NS))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token for case-facts says of the reviewer rosa; None takes a claim out."""
        whole: dict[str, Any] = {
            "iss": ISSUER,
            "sub": "rosa",
            "aud": "casewright:case-facts",
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 300,
            "jti": secrets.token_hex(8),
            "tenant": "harborline",
            "roles": ["reviewer"],
            "clearance": "confidential",
            "scope": "case-facts:read",
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def header(self, **changes: Any) -> dict[str, Any]:
        whole = {"alg": self.key.algorithm, "kid": self.key.key_id, "typ": "at+jwt", **changes}
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token that is right but for what is named."""
        return compact(self.header(**(header or {})), self.claims(**claims), self.key.sign)
