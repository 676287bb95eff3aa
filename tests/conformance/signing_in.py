"""Signing in by OAuth without a person: follows the issuer's redirect itself and keeps what it is given."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

REDIRECT = AnyUrl("http://localhost:3000/callback")
CLIENT_DOCUMENT = "https://conformance-test.local/client-metadata.json"
"""Where the suite expects a client's own metadata to be; nobody fetches it."""
SECONDS = 20


class Keys:
    """What a client keeps between requests: who it is and its tokens."""

    def __init__(self, known: OAuthClientInformationFull | None) -> None:
        self._client = known
        self._tokens: OAuthToken | None = None
        self._answer: dict[str, str] = {}

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._client = client_info

    async def visit(self, address: str) -> None:
        """Be the browser: the issuer agrees at once and sends us back with a code."""
        async with httpx2.AsyncClient(timeout=SECONDS, trust_env=False) as http:
            answer = await http.get(address, follow_redirects=False)
        self._answer = dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def returned(self) -> AuthorizationCodeResult:
        answer, self._answer = self._answer, {}
        return AuthorizationCodeResult.model_validate(answer)


def signing_in(url: str, given: Mapping[str, Any]) -> OAuthClientProvider:
    """A client of a server that knows its address, and who it is where the suite says so."""
    keys = Keys(_known(given))
    metadata = OAuthClientMetadata(
        client_name="casewright-conformance",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    )
    return OAuthClientProvider(url, metadata, keys, keys.visit, keys.returned, client_metadata_url=CLIENT_DOCUMENT)


def _known(given: Mapping[str, Any]) -> OAuthClientInformationFull | None:
    if "client_id" not in given:
        return None
    secret = given.get("client_secret")
    return OAuthClientInformationFull(
        client_id=str(given["client_id"]),
        client_secret=secret,
        redirect_uris=[REDIRECT],
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
    )
