"""Where an issuer's keys come from, and how long they are believed.

A file, a JWKS address, or the address that the issuer's own metadata names (OpenID Connect
Discovery 1.0, RFC 8414). Keys are fetched again when they are old, and once when a token names an
unknown one, so a rotation needs no restart; at most every `COOL_DOWN_SECONDS`, so that tokens with
made-up key ids cost nothing. While the issuer is away the last keys are kept for
`KEEP_SECONDS`; after that no token verifies. Nothing here follows a redirect or a proxy.
"""

import http.client
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from casewright.clock import NANOSECONDS, Clock
from casewright.errors import InputError, UnavailableError
from casewright.identity.jose import Header, KeySet, KeySetError, VerificationKey, read_key_set, strict_json
from casewright.identity.settings import IssuerSettings, secure_url

FRESH_SECONDS = 300
KEEP_SECONDS = 3_600
COOL_DOWN_SECONDS = 10
FETCH_SECONDS = 5.0
MAX_DOCUMENT_BYTES = 262_144
Fetch = Callable[[str], bytes]
"""The bytes of an address or file; OSError, ValueError or HTTPException when there are none."""
_log = logging.getLogger("casewright.identity")


class IssuerKeys:
    """The keys of one issuer, as fresh as they have to be."""

    def __init__(self, settings: IssuerSettings, clock: Clock, fetch: Fetch | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._fetch = fetch or fetch_document
        self._lock = anyio.Lock()
        self._keys: KeySet | None = None
        self._fetched_at = 0
        self._tried_at = 0
        self._attempts = 0

    async def find(self, header: Header) -> VerificationKey | None:
        """The key that a token names; None: the issuer publishes none such.

        Raises:
            UnavailableError: no keys are at hand that may still be believed.
        """
        attempt = self._attempts
        found = (await self._believed(attempt)).find(header)
        if found is not None:
            return found
        await self._refresh(attempt)
        return (await self._believed(attempt)).find(header)

    async def check(self) -> int:
        """Fetch now; the number of keys. For `doctor`.

        Raises:
            UnavailableError: the issuer gives no usable keys.
        """
        await self._refresh(self._attempts)
        if self._keys is None or self._fetched_at != self._tried_at:
            raise UnavailableError(f"the issuer {self._settings.issuer!r} gives no usable keys; the log says why")
        return len(self._keys.keys)

    async def _believed(self, attempt: int) -> KeySet:
        """The keys, fetched first when they are old; while somebody fetches, the last ones serve everybody else."""
        known = 0 <= self._age() < KEEP_SECONDS
        if not 0 <= self._age() < FRESH_SECONDS and not (known and self._lock.locked()):
            await self._refresh(attempt)
        if self._keys is None or not 0 <= self._age() < KEEP_SECONDS:
            raise UnavailableError(f"no keys of the issuer {self._settings.issuer!r} are at hand; nothing is verified")
        return self._keys

    async def _refresh(self, attempt: int) -> None:
        """Fetch once for all who wait, and not again within the cool-down; a failure leaves what is known."""
        async with self._lock:
            if self._attempts != attempt or self._cooling():
                return
            self._attempts, self._tried_at = self._attempts + 1, self._now()
            try:
                with anyio.fail_after(FETCH_SECONDS):
                    fetched = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True)
            except (KeySetError, OSError, ValueError, InputError, http.client.HTTPException) as error:
                _log.warning("the keys of issuer %r cannot be had: %s", self._settings.issuer, error)
                return
            self._keys, self._fetched_at = fetched, self._tried_at

    def _read(self) -> KeySet:
        return read_key_set(self._fetch(self._settings.keys or self._discovered()))

    def _discovered(self) -> str:
        """The address of the keys by the issuer's metadata, which has to name this very issuer."""
        problems: list[str] = []
        for address in metadata_addresses(self._settings.issuer):
            try:
                document = strict_json(self._fetch(address))
            except (OSError, ValueError, http.client.HTTPException) as error:
                problems.append(f"{address}: {error}")
                continue
            named = cast(dict[str, Any], document) if isinstance(document, dict) else {}
            if named.get("issuer") != self._settings.issuer or not isinstance(named.get("jwks_uri"), str):
                problems.append(f"{address}: it is not the metadata of this issuer")
                continue
            return secure_url("jwks_uri", str(named["jwks_uri"]))
        raise KeySetError("; ".join(problems))

    def _now(self) -> int:
        return self._clock.now_ns() // NANOSECONDS

    def _age(self) -> int:
        """Seconds since the keys were fetched; below zero when the clock went back, which counts as old."""
        return self._now() - self._fetched_at if self._keys is not None else -1

    def _cooling(self) -> bool:
        return self._attempts > 0 and 0 <= self._now() - self._tried_at < COOL_DOWN_SECONDS


def metadata_addresses(issuer: str) -> tuple[str, str]:
    """Where an issuer's metadata may be: OpenID Connect Discovery, section 4, and RFC 8414, section 3."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )


def fetch_document(address: str) -> bytes:
    """One small document from an https address (http on loopback) or a file, without redirects.

    Raises:
        OSError, ValueError, http.client.HTTPException: it cannot be had, is too large, or is not a 200.
    """
    if not address.startswith(("https://", "http://")):
        with Path(address).open("rb") as file:
            return _bounded(file.read(MAX_DOCUMENT_BYTES + 1))
    parts = urlsplit(secure_url("the issuer's address", address))
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=FETCH_SECONDS)
    try:
        connection.request("GET", parts.path or "/", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"{address!r} answers {answer.status}")
        return _bounded(answer.read(MAX_DOCUMENT_BYTES + 1))
    finally:
        connection.close()


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"it is larger than {MAX_DOCUMENT_BYTES} bytes")
    return data
