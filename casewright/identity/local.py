"""The identities of a local installation: development and demonstration only.

`identities.json` in the data folder lists them; anybody who can read the folder can act as any
of them, so a shared installation uses an OIDC issuer instead. Each command names the identity
it acts as; the file's `defaults` say who that is when `--as` is absent, by kind of work.
"""

import json
from pathlib import Path
from typing import Literal, Protocol

from pydantic import ValidationError

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.contracts.principal import Principal
from casewright.errors import InputError, NotFoundError, StorageError

Duty = Literal["review", "authoring", "audit"]


class Directory(Protocol):
    """Finds people by id; a removed person is not found."""

    def find(self, identity: str) -> Principal: ...


class LocalIdentities(Contract):
    """The content of `identities.json`."""

    people: tuple[Principal, ...]
    defaults: dict[Duty, str]

    def find(self, identity: str) -> Principal:
        """The person with this id.

        Raises:
            NotFoundError: nobody has it.
        """
        for person in self.people:
            if person.id == identity:
                return person
        known = ", ".join(person.id for person in self.people)
        raise NotFoundError(f"there is no local identity {identity!r}; known are: {known}")

    def acting(self, identity: str | None, *, duty: Duty) -> Principal:
        """Who a command acts as: the one named, else the default for this kind of work."""
        if identity is not None:
            return self.find(identity)
        if not self.people:
            raise InputError("local identities are not in use here; present a token of the issuer in CASEWRIGHT_TOKEN")
        if duty not in self.defaults:
            raise InputError(f"no default identity for {duty!r} is set up; name one with --as")
        return self.find(self.defaults[duty])


NOBODY = LocalIdentities(people=(), defaults={})
"""The local identities where an issuer vouches for people."""


def load_identities(path: Path) -> LocalIdentities:
    """Read `identities.json`.

    Raises:
        StorageError: it is missing or malformed.
    """
    try:
        return LocalIdentities.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise StorageError(f"there are no identities at {str(path)!r}; run `casewright init` first") from error
    except (OSError, ValidationError) as error:
        raise StorageError(f"the identities in {str(path)!r} cannot be read: {error}; restore or delete it") from error


def save_identities(path: Path, identities: LocalIdentities) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    text = json.dumps(identities.model_dump(mode="json"), indent=2, ensure_ascii=False)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(path)


def sample_identities() -> LocalIdentities:
    """The people of the sample organisation: two tenants, every role."""
    return LocalIdentities(
        people=(
            _person("rosa", "harborline", "reviewer"),
            _person("tomas", "harborline", "reviewer"),
            _person("selma", "harborline", "supervisor", labels=("fraud-ops",), clearance=Classification.RESTRICTED),
            _person("idris", "harborline", "supervisor", labels=("fraud-ops",), clearance=Classification.RESTRICTED),
            _person("avery", "harborline", "auditor", clearance=Classification.RESTRICTED),
            _person("petra", "harborline", "policy_author"),
            _person("lena", "millbrook", "reviewer"),
            _person("marc", "millbrook", "supervisor", clearance=Classification.RESTRICTED),
        ),
        defaults={"review": "rosa", "authoring": "petra", "audit": "avery"},
    )


def _person(
    identity: str,
    tenant: str,
    role: str,
    *,
    labels: tuple[str, ...] = (),
    clearance: Classification = Classification.CONFIDENTIAL,
) -> Principal:
    return Principal(id=identity, tenant=tenant, roles=(role,), clearance=clearance, labels=labels)
