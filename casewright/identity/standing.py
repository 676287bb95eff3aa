"""How a person stands with us: what they may, and until when that is believed without their token.

A run outlives the token of whoever started it, so the person is looked up before each step. With
local identities that is `identities.json`; with an issuer it is what their last valid token said,
kept for a bounded time in one small file per person. Somebody who is not seen again in time, or who
is forgotten by command, stops their runs. It keeps no token.
"""

import json
import os
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pydantic import Field, ValidationError

from casewright.clock import NANOSECONDS, Clock, iso
from casewright.contracts.base import Contract
from casewright.contracts.principal import Principal
from casewright.errors import NotFoundError, StorageError
from casewright.identity.local import Directory
from casewright.identity.tokens import DELEGATED_SECONDS
from casewright.identity.vocabulary import ANY_TOOL


class Standing(Contract):
    """What a person may hand on, and until when."""

    principal: Principal
    tools: tuple[str, ...]
    """Tools as `server/tool`; `*` alone: whatever the policy allows, for local identities only."""
    until: int = Field(strict=True)
    """Seconds since the epoch."""


class Standings(Protocol):
    """Finds how a person stands; also the directory that runs look people up in."""

    def find(self, identity: str) -> Principal: ...

    def standing(self, identity: str) -> Standing:
        """How the person stands now.

        Raises:
            NotFoundError: they are unknown here, or were not seen in time.
        """
        ...


class LocalStandings:
    """The local identities, looked up anew each time; a removed person is not found."""

    def __init__(self, people: Callable[[], Directory], clock: Clock) -> None:
        self._people = people
        self._clock = clock

    def find(self, identity: str) -> Principal:
        return self._people().find(identity)

    def standing(self, identity: str) -> Standing:
        until = self._clock.now_ns() // NANOSECONDS + DELEGATED_SECONDS
        return Standing(principal=self.find(identity), tools=(ANY_TOOL,), until=until)


class KeptStandings:
    """What people's last valid tokens said, in a folder that only its owner reads; another issuer's are not found."""

    def __init__(self, folder: Path, clock: Clock, *, issuer: str) -> None:
        self._folder = folder
        self._issuer = issuer
        self._clock = clock

    def remember(self, standing: Standing) -> None:
        """Keep what a token that was just verified said, whole or not at all."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._path(standing.principal.id)
        temporary = path.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(standing.model_dump(mode="json"), file)
        temporary.replace(path)

    def forget(self, identity: str) -> None:
        """Stop believing what was kept; their runs end at the next step.

        Raises:
            NotFoundError: nothing was kept of them.
        """
        try:
            self._path(identity).unlink()
        except FileNotFoundError as error:
            raise NotFoundError(f"nothing is kept of {identity!r}") from error

    def find(self, identity: str) -> Principal:
        return self.standing(identity).principal

    def everybody(self) -> tuple[Principal, ...]:
        """Whoever is still believed, by id; what cannot be read or is another issuer's is nobody."""
        found: list[Principal] = []
        for path in self._folder.glob("*.json"):
            try:
                kept = Standing.model_validate_json(path.read_bytes())
                if self._path(kept.principal.id) == path:
                    found.append(self.find(kept.principal.id))
            except (OSError, ValidationError, StorageError, NotFoundError):
                continue
        return tuple(sorted(found, key=lambda person: person.id))

    def standing(self, identity: str) -> Standing:
        path = self._path(identity)
        try:
            found = Standing.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise NotFoundError(f"{identity!r} has not signed in here; present a token of the issuer first") from error
        except (OSError, ValidationError) as error:
            raise StorageError(f"what is kept of {identity!r} cannot be read; delete {str(path)!r}") from error
        if found.principal.id != identity or ANY_TOOL in found.tools:
            raise StorageError(f"what is kept of {identity!r} contradicts itself; delete {str(path)!r}")
        if self._clock.now_ns() // NANOSECONDS >= found.until:
            when = iso(found.until * NANOSECONDS)
            raise NotFoundError(f"{identity!r} was last believed until {when}; present a new token of the issuer")
        return found

    def _path(self, identity: str) -> Path:
        name = sha256(f"{self._issuer}\n{identity}".encode()).hexdigest()
        return self._folder / f"{name}.json"
