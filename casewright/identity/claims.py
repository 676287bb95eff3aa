"""What an issuer's claims mean here: which person, tenant, roles, clearance, labels and scopes.

The mapping is a reviewed JSON file, `ClaimsMapping`. Whatever it does not name, and whatever a
claim says that is not known here, gives nothing: a role is dropped, a clearance is `public`, a
strength is `password` at the age of the epoch. Only person and tenant have to be there. It checks
no signature and no time: `identity.oidc` does, before.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, cast

from pydantic import Field, ValidationError, model_validator

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.contracts.principal import AudienceName, Principal
from casewright.errors import InputError, UnauthenticatedError
from casewright.identity.vocabulary import ANY_TOOL, Vocabulary

ClaimPath = str | tuple[str, ...]
"""A claim by its exact name, or the way to one inside others: `["realm_access", "roles"]`."""
MAX_VALUES = 200
MAX_NAME = 200
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
_CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class ClaimsMapping(Contract):
    """The content of the file that CASEWRIGHT_OIDC_CLAIMS names."""

    subject: ClaimPath = "sub"
    """The person's id, as in `assigned_to` of cases; choose one that is never given to anybody else."""
    tenant: ClaimPath
    tenants: dict[str, str] = Field(default_factory=dict)
    """Our tenant by the claim's value; empty: the value itself is the tenant."""
    roles: tuple[ClaimPath, ...]
    role_names: dict[str, str] = Field(default_factory=dict)
    """Our role by the claim's value; empty: the value itself, if it is a role of the policies."""
    clearance: ClaimPath | None = None
    clearances: dict[str, Classification] = Field(default_factory=dict)
    labels: ClaimPath | None = None
    label_names: dict[str, str] = Field(default_factory=dict)
    scope: tuple[ClaimPath, ...] = ("scope", "scp")
    scope_names: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Our scopes (tools, `server:read`, `server:write`) by the claim's value, beside our own names."""
    strong_acr: tuple[str, ...] = ()
    """Values of `acr` that mean more than one factor."""
    strong_amr: tuple[str, ...] = ("mfa",)
    """Values of `amr` that mean more than one factor (RFC 8176)."""
    case: ClaimPath | None = None
    """The claim that names the one case of a token; absent: a person names it by an exchange."""
    id_claim: str = "jti"
    """The token's own id, which has to be there; some issuers call it otherwise (`uti`)."""
    audiences: dict[AudienceName, tuple[str, ...]] = Field(default_factory=dict[AudienceName, tuple[str, ...]])
    """What the issuer writes into `aud` for a server, beside its address and name; each for one server only."""
    other_audiences: tuple[str, ...] = ()
    """Audiences of other services that may stand beside ours in `aud`; without one, ours stands alone."""
    standing_seconds: int = Field(default=28_800, ge=60, le=604_800)
    """How long a run may go on for a person after they were last seen with a valid token."""

    @model_validator(mode="after")
    def _one_server_each(self) -> Self:
        named = [audience for listed in self.audiences.values() for audience in listed] + list(self.other_audiences)
        if len(set(named)) != len(named) or any(name.startswith("casewright:") for name in named):
            raise ValueError("an audience belongs to one server, and casewright: names are given already")
        return self


def load_mapping(path: Path) -> ClaimsMapping:
    """The mapping of a file.

    Raises:
        InputError: it cannot be read or says something unknown.
    """
    try:
        return ClaimsMapping.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"CASEWRIGHT_OIDC_CLAIMS={str(path)!r} cannot be used: {error}; docs/identity.md has an example"
        ) from error


def person(claims: Mapping[str, Any], mapping: ClaimsMapping, vocabulary: Vocabulary) -> Principal:
    """The person whom verified claims stand for.

    Raises:
        UnauthenticatedError: they name no person or no tenant of ours.
    """
    return Principal(
        id=_subject(claims, mapping),
        tenant=_tenant(claims, mapping),
        roles=_roles(claims, mapping, vocabulary),
        clearance=_clearance(claims, mapping),
        labels=_labels(claims, mapping),
        authenticated_at=_authenticated_at(claims),
        authentication=_strength(claims, mapping),
    )


def scopes(claims: Mapping[str, Any], mapping: ClaimsMapping, vocabulary: Vocabulary, server: str) -> tuple[str, ...]:
    """The tools of a server that verified claims open, sorted; never `*`."""
    granted = {word for path in mapping.scope for word in _words(_at(claims, path))}
    ours = {name for word in granted for name in (word, *mapping.scope_names.get(word, ()))} - {ANY_TOOL}
    return tuple(sorted({tool for name in ours for tool in vocabulary.tools_named(name, server)}))


def advertised_scopes(mapping: ClaimsMapping, vocabulary: Vocabulary, server: str) -> tuple[str, ...]:
    """What a client may ask the issuer for, to reach a server: the issuer's own names where the mapping has some."""
    ours = vocabulary.scope_names(server)
    theirs = tuple(name for name, opened in mapping.scope_names.items() if set(opened) & set(ours))
    return theirs or ours[:2]


def named_case(claims: Mapping[str, Any], mapping: ClaimsMapping) -> str:
    """The case that the issuer put into the token; empty: none.

    Raises:
        UnauthenticatedError: the claim is there and is no case id.
    """
    value = _at(claims, mapping.case) if mapping.case is not None else None
    if value is None:
        return ""
    if not isinstance(value, str) or not _CASE.fullmatch(value):
        raise UnauthenticatedError("the token names a case that is none", code="token_malformed")
    return value


def token_id(claims: Mapping[str, Any], mapping: ClaimsMapping) -> str:
    """The token's own id, for the audit.

    Raises:
        UnauthenticatedError: the issuer gave it none.
    """
    value = claims.get(mapping.id_claim)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise UnauthenticatedError("the token has no id", code="token_malformed")
    return value


def _subject(claims: Mapping[str, Any], mapping: ClaimsMapping) -> str:
    value = _at(claims, mapping.subject)
    if not isinstance(value, str) or not _is_name(value):
        raise UnauthenticatedError("the token names no person", code="token_subject")
    return value


def _is_name(value: str) -> bool:
    """Whether two spellings of it cannot look alike: composed, visible, without spaces."""
    shown = all(unicodedata.category(character)[0] not in "CZ" for character in value)
    return 0 < len(value) <= MAX_NAME and shown and value == unicodedata.normalize("NFKC", value) and value != ANY_TOOL


def _tenant(claims: Mapping[str, Any], mapping: ClaimsMapping) -> str:
    value = _at(claims, mapping.tenant)
    if isinstance(value, list) and len(cast(list[Any], value)) == 1:
        value = cast(list[Any], value)[0]
    tenant = (mapping.tenants.get(value) if mapping.tenants else value) if isinstance(value, str) else None
    if tenant is None or not _TENANT.fullmatch(tenant):
        raise UnauthenticatedError("the token names no tenant of ours", code="token_tenant")
    return tenant


def _roles(claims: Mapping[str, Any], mapping: ClaimsMapping, vocabulary: Vocabulary) -> tuple[str, ...]:
    named = {word for path in mapping.roles for word in _words(_at(claims, path))}
    return tuple(sorted(_translated(named, mapping.role_names) & vocabulary.roles))


def _labels(claims: Mapping[str, Any], mapping: ClaimsMapping) -> tuple[str, ...]:
    named = set(_words(_at(claims, mapping.labels))) if mapping.labels is not None else set[str]()
    return tuple(sorted(label for label in _translated(named, mapping.label_names) if _LABEL.fullmatch(label)))


def _translated(words: set[str], names: Mapping[str, str]) -> set[str]:
    return {names[word] for word in words if word in names} if names else words


def _clearance(claims: Mapping[str, Any], mapping: ClaimsMapping) -> Classification:
    """The lowest that any value of the claim means: two values are a contradiction, not a sum."""
    if mapping.clearance is None:
        return Classification.PUBLIC
    levels = mapping.clearances or {level.value: level for level in Classification}
    found = [levels.get(word, Classification.PUBLIC) for word in _words(_at(claims, mapping.clearance))]
    return min(found, key=list(Classification).index, default=Classification.PUBLIC)


def _strength(claims: Mapping[str, Any], mapping: ClaimsMapping) -> Literal["password", "mfa", "service"]:
    client = claims.get("client_id", claims.get("azp"))
    if client is not None and client == claims.get("sub"):
        return "service"
    amr = cast(list[Any], claims.get("amr")) if isinstance(claims.get("amr"), list) else []
    strong = claims.get("acr") in mapping.strong_acr or any(method in mapping.strong_amr for method in amr)
    return "mfa" if strong else "password"


def _authenticated_at(claims: Mapping[str, Any]) -> int:
    """When the person proved who they are; not said, or later than the token itself: the epoch."""
    value, issued = claims.get("auth_time"), claims.get("iat")
    if type(value) is not int or type(issued) is not int:
        return 0
    return value if 0 <= value <= issued else 0


def _at(claims: Mapping[str, Any], path: ClaimPath) -> Any:
    found: Any = claims
    for name in (path,) if isinstance(path, str) else path:
        if not isinstance(found, Mapping):
            return None
        found = cast(Mapping[str, Any], found).get(name)
    return found


def _words(value: Any) -> Iterable[str]:
    """The words of a claim: a list of texts, or one text with spaces; anything else has none."""
    if isinstance(value, str):
        return value.split(" ")[:MAX_VALUES] if value else ()
    if not isinstance(value, list):
        return ()
    return [word for word in cast(list[Any], value)[:MAX_VALUES] if isinstance(word, str) and word]
