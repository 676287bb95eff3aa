"""How people prove who they are: the local identities, or the tokens of one OIDC issuer.

Read from the environment by `Settings.load`, once. Half a configuration is refused, and so is one
for an issuer while the mode is `local`: a server that was meant to ask an issuer must never fall
back to anything else. What the claims mean stands in a file of its own (`identity.claims`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from casewright.contracts.principal import ServerName
from casewright.errors import InputError

Mode = Literal["local", "oidc"]
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What may be allowed at all: asymmetric signatures only."""
DEFAULT_ALGORITHMS = ("RS256", "ES256", "EdDSA")
MAX_SKEW_SECONDS = 300
PREFIX = "CASEWRIGHT_OIDC_"


@dataclass(frozen=True, kw_only=True)
class IssuerSettings:
    """The one issuer whose tokens stand for people."""

    issuer: str
    """Compared letter by letter with `iss`."""
    keys: str
    """A URL or a file with the JWKS; empty: found by discovery."""
    claims: Path
    """The JSON file that says what the claims mean here."""
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    skew_seconds: int = 60
    typed: bool = True
    """Whether only tokens of type `at+jwt` (RFC 9068) are taken."""


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """Who vouches for people, and under which address clients know us."""

    issuer: IssuerSettings | None = None
    """None: the local identities, for development and a single machine."""
    public_url: str = ""
    """The address of the servers as clients see it, without a final slash; empty: the one listened on."""

    @property
    def mode(self) -> Mode:
        return "local" if self.issuer is None else "oidc"

    def resource(self, server: ServerName) -> str:
        """The address of a server, which is also an audience of its tokens (RFC 8707); empty: none is known."""
        return f"{self.public_url}/{server}/mcp" if self.public_url else ""


def identity_settings(environment: Mapping[str, str]) -> IdentitySettings:
    """Identity settings from the environment.

    Raises:
        InputError: a variable is missing, malformed, or contradicts the mode; it is named.
    """
    mode = environment.get("CASEWRIGHT_IDENTITY", "local")
    public_url = _public_url(environment.get("CASEWRIGHT_PUBLIC_URL", ""))
    if mode == "oidc":
        return IdentitySettings(issuer=_issuer(environment), public_url=public_url)
    if mode != "local":
        raise InputError(f"CASEWRIGHT_IDENTITY={mode!r} is unknown; it is 'local' or 'oidc'")
    if left := sorted(name for name in environment if name.startswith(PREFIX)):
        raise InputError(
            f"{left[0]} is set, but CASEWRIGHT_IDENTITY is not 'oidc'; set CASEWRIGHT_IDENTITY=oidc, or unset {left[0]}"
        )
    return IdentitySettings(public_url=public_url)


def _issuer(environment: Mapping[str, str]) -> IssuerSettings:
    known = {f"{PREFIX}{name}" for name in ("ISSUER", "JWKS", "CLAIMS", "ALGORITHMS", "SKEW_SECONDS", "TOKEN_TYPE")}
    if odd := sorted(name for name in environment if name.startswith(PREFIX) and name not in known):
        raise InputError(f"{odd[0]} is unknown; there are {', '.join(sorted(known))}")
    issuer = secure_url("CASEWRIGHT_OIDC_ISSUER", _needed(environment, "CASEWRIGHT_OIDC_ISSUER"))
    claims = Path(_needed(environment, "CASEWRIGHT_OIDC_CLAIMS")).expanduser().resolve()
    return IssuerSettings(
        issuer=issuer,
        keys=_keys(environment.get("CASEWRIGHT_OIDC_JWKS", "")),
        claims=claims,
        algorithms=_algorithms(environment.get("CASEWRIGHT_OIDC_ALGORITHMS", ",".join(DEFAULT_ALGORITHMS))),
        skew_seconds=_skew(environment.get("CASEWRIGHT_OIDC_SKEW_SECONDS", "60")),
        typed=_typed(environment.get("CASEWRIGHT_OIDC_TOKEN_TYPE", "at+jwt")),
    )


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise InputError(f"CASEWRIGHT_IDENTITY=oidc needs {name}; set it, or set CASEWRIGHT_IDENTITY=local")
    return value


def secure_url(name: str, value: str) -> str:
    """An HTTPS address (HTTP on loopback only) without user, query or fragment.

    Raises:
        InputError: it is not one; `name` says where it was given.
    """
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError(f"{name}={value!r} is no URL: {error}; correct it") from error
    if parts.scheme not in ("https", "http") or not host or any(character.isspace() for character in value):
        raise InputError(f"{name}={value!r} is no https URL; write for example https://id.example.com/realm")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise InputError(f"{name}={value!r} may carry no user, query or fragment; leave them out")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(f"{name}={value!r} is not https; plain http is for loopback only")
    return value


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _public_url(value: str) -> str:
    return secure_url("CASEWRIGHT_PUBLIC_URL", value).rstrip("/") if value else ""


def _keys(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return secure_url("CASEWRIGHT_OIDC_JWKS", value)
    return str(Path(value).expanduser().resolve()) if value else ""


def _algorithms(value: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if odd := [name for name in named if name not in ALGORITHMS]:
        raise InputError(f"CASEWRIGHT_OIDC_ALGORITHMS names {odd[0]!r}; allowed are {', '.join(ALGORITHMS)}")
    if not named:
        raise InputError(f"CASEWRIGHT_OIDC_ALGORITHMS={value!r} names none; allowed are {', '.join(ALGORITHMS)}")
    return named


def _skew(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or int(value) > MAX_SKEW_SECONDS:
        raise InputError(
            f"CASEWRIGHT_OIDC_SKEW_SECONDS={value!r} is not a whole number from 0 to {MAX_SKEW_SECONDS}; correct it"
        )
    return int(value)


def _typed(value: str) -> bool:
    if value not in ("at+jwt", "any"):
        raise InputError(f"CASEWRIGHT_OIDC_TOKEN_TYPE={value!r} is unknown; it is 'at+jwt' or 'any'")
    return value == "at+jwt"
