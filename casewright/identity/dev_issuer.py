"""An issuer for development and tests: anybody on this machine may be any local identity.

It speaks what a real one speaks (RFC 8414 metadata, JWKS with rotation, authorization code with
PKCE, RFC 9068 access tokens, RFC 8707 resources), so that servers can be tried against it. It is
never for production: nobody proves anything, keys live in memory, and its name says so in every
token. It knows no HTTP: `commands.dev_issuer` serves it, on loopback only.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from jwt.algorithms import ECAlgorithm

from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.principal import Principal
from casewright.errors import InputError
from casewright.identity.local import LocalIdentities
from casewright.identity.settings import is_loopback

NAME = "development-issuer-not-for-production"
"""Part of `iss`, so that no token of it can be taken for another."""
ALGORITHM = "ES256"
TOKEN_SECONDS = 300
CODE_SECONDS = 60
MAX_OPEN_REQUESTS = 100
CLAIMS = {
    "tenant": "tenant",
    "roles": ["roles"],
    "clearance": "clearance",
    "labels": "labels",
}
"""The claims mapping that fits its tokens."""


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What a client asked for, waiting for somebody to say who they are."""

    client_id: str
    redirect_uri: str
    state: str
    challenge: str
    resource: str
    scope: str
    expires_at: int
    person: str = ""
    """Empty until somebody was picked."""


class DevelopmentIssuer:
    """Keys, codes and tokens in memory."""

    def __init__(self, issuer: str, people: LocalIdentities, clock: Clock) -> None:
        self.issuer = issuer
        self.people = people
        self._clock = clock
        self._keys = [_SigningKey.generate()]
        self._requests: dict[str, AuthorizationRequest] = {}
        self._codes: dict[str, AuthorizationRequest] = {}

    def metadata(self) -> dict[str, Any]:
        """For both well-known addresses (RFC 8414, section 2)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def key_set(self) -> dict[str, Any]:
        return {"keys": [key.public() for key in self._keys]}

    def rotate(self) -> str:
        """Sign with a new key; the one before stays published until the next rotation. The new key's id."""
        self._keys = [_SigningKey.generate(), self._keys[0]]
        return self._keys[0].key_id

    def begin(self, asked: Mapping[str, str]) -> str:
        """Keep what a client asks for; the handle under which a person is picked.

        Raises:
            InputError: it is no code request with PKCE for a client on this machine.
        """
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            raise InputError("ask for response_type=code with code_challenge_method=S256")
        redirect, challenge = asked.get("redirect_uri", ""), asked.get("code_challenge", "")
        if not is_loopback(urlsplit(redirect).hostname or "") or len(challenge) != 43 or not asked.get("client_id"):
            raise InputError("client_id, a redirect_uri on loopback and an S256 code_challenge are needed")
        self._drop_expired()
        handle = secrets.token_urlsafe(24)
        self._requests[handle] = AuthorizationRequest(
            client_id=asked["client_id"],
            redirect_uri=redirect,
            state=asked.get("state", ""),
            challenge=challenge,
            resource=asked.get("resource", ""),
            scope=asked.get("scope", ""),
            expires_at=self._now() + CODE_SECONDS,
        )
        return handle

    def pick(self, handle: str, person: str) -> tuple[AuthorizationRequest, str]:
        """The request and a code for it, for the person that was picked.

        Raises:
            InputError: the request is over.
            NotFoundError: there is no such person.
        """
        self._drop_expired()
        found = self._requests.pop(handle, None)
        if found is None:
            raise InputError("this request is over; begin again")
        code = secrets.token_urlsafe(32)
        self._codes[code] = replace(found, person=self.people.find(person).id)
        return found, code

    def redeem(self, form: Mapping[str, str]) -> dict[str, Any]:
        """A token response for a code, once (RFC 6749, section 4.1.3; RFC 7636).

        Raises:
            InputError: the code is unknown, used, or another client's.
        """
        self._drop_expired()
        found = self._codes.pop(form.get("code", ""), None)
        proof = urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if found is None or not secrets.compare_digest(proof, found.challenge):
            raise InputError("the code is not valid")
        if (form.get("client_id"), form.get("redirect_uri")) != (found.client_id, found.redirect_uri):
            raise InputError("the code was given to another client")
        if form.get("resource", found.resource) != found.resource:
            raise InputError("the code was given for another resource")
        person = self.people.find(found.person)
        claims = person_claims(person) | {"auth_time": self._now()}
        return self.response(claims, found.resource, found.scope, found.client_id)

    def service(self, form: Mapping[str, str]) -> dict[str, Any]:
        """A token response for a client itself (RFC 6749, section 4.4): no tenant's person, no role."""
        client = form.get("client_id", "")
        if not client:
            raise InputError("client_id is needed")
        tenant = self.people.people[0].tenant
        return self.response({"sub": client, "tenant": tenant}, form.get("resource", ""), form.get("scope", ""), client)

    def response(self, person: Mapping[str, Any], resource: str, scope: str, client_id: str) -> dict[str, Any]:
        """What the token endpoint answers."""
        token = self.sign({**person, "aud": resource, "scope": scope, "client_id": client_id})
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": scope}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """An access token (RFC 9068) with these claims and what every one has."""
        now, key = self._now(), self._keys[0]
        whole = {
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "jti": secrets.token_urlsafe(16),
            **claims,
        }
        return jwt.encode(whole, key.key, algorithm=ALGORITHM, headers={"kid": key.key_id, "typ": "at+jwt"})

    def _drop_expired(self) -> None:
        now = self._now()
        for kept in (self._requests, self._codes):
            for handle in [handle for handle, found in kept.items() if found.expires_at <= now]:
                del kept[handle]
            while len(kept) > MAX_OPEN_REQUESTS:
                del kept[next(iter(kept))]

    def _now(self) -> int:
        return self._clock.now_ns() // NANOSECONDS


def person_claims(person: Principal) -> dict[str, Any]:
    """The claims that stand for a local identity."""
    return {
        "sub": person.id,
        "tenant": person.tenant,
        "roles": list(person.roles),
        "clearance": person.clearance.value,
        "labels": list(person.labels),
        "amr": ["pwd", "mfa"],
        "sid": f"development-{person.id}",
    }


@dataclass(frozen=True, kw_only=True)
class _SigningKey:
    key_id: str
    key: EllipticCurvePrivateKey

    @classmethod
    def generate(cls) -> "_SigningKey":
        return cls(key_id=secrets.token_hex(8), key=generate_private_key(SECP256R1()))

    def public(self) -> dict[str, Any]:
        described: dict[str, Any] = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**described, "kid": self.key_id, "use": "sig", "alg": ALGORITHM}
