"""Real processes: an issuer, the servers that believe it, and MCP clients that sign in by OAuth."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from casewright.contracts.principal import SERVERS
from casewright.identity.keyset import COOL_DOWN_SECONDS
from tests.acceptance.issuing import REDIRECT, SECONDS, Town, ended, until
from tests.acceptance.test_mcp_http import ACCEPT, PING, free_port
from tests.support.installation import CASE, CHECKOUT, process_environment, said, structured

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(120)]
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
"""What a server answers with 200 as soon as the token is right."""


@pytest.fixture(scope="module")
def town(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = Path(shutil.copytree(installation, tmp_path_factory.mktemp("town") / "home"))
    found = Town(home=home, issuer_port=free_port(), port=free_port())
    with contextlib.ExitStack() as stack:
        stack.callback(ended, found.issue())
        stack.callback(ended, found.serve())
        yield found


class Wallet:
    """Keeps what the SDK's client is given, and shows its user the issuer's page."""

    def __init__(self, town: Town, person: str) -> None:
        self._town = town
        self._person = person
        self._client = OAuthClientInformationFull(
            client_id="sdk-client", redirect_uris=[AnyUrl(REDIRECT)], token_endpoint_auth_method="none"
        )
        self._answer: dict[str, str] = {}
        self.tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError("this client is registered already")

    async def browse(self, address: str) -> None:
        self._answer = self._town.code(address, self._person)

    async def returned(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(self._answer)


@contextlib.asynccontextmanager
async def signing_in(town: Town, person: str) -> AsyncGenerator[Client]:
    """An MCP client that knows the server's address and nothing else."""
    wallet = Wallet(town, person)
    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(REDIRECT)], token_endpoint_auth_method="none")
    url = town.url("case-facts")
    auth = OAuthClientProvider(url, metadata, wallet, wallet.browse, wallet.returned)
    async with httpx2.AsyncClient(auth=auth, timeout=SECONDS, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, read_timeout_seconds=SECONDS) as client:
            yield client


@contextlib.asynccontextmanager
async def bearing(town: Town, token: str) -> AsyncGenerator[Client]:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS, trust_env=False) as http:
        transport = streamable_http_client(town.url("case-facts"), http_client=http)
        async with Client(transport, read_timeout_seconds=SECONDS) as client:
            yield client


def post(town: Town, body: dict[str, Any], *headers: tuple[str, str], path: str = "") -> httpx2.Response:
    sent = [*ACCEPT.items(), *headers]
    return httpx2.post(f"{town.url('case-facts')}{path}", json=body, headers=sent, timeout=SECONDS)


def calling(tool: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}


def status(town: Town, token: str) -> int:
    return post(town, HELLO, ("authorization", f"Bearer {token}")).status_code


@pytest.mark.proves("I2")
async def test_a_client_that_knows_only_the_address_finds_the_issuer_signs_in_and_calls(town: Town) -> None:
    async with signing_in(town, "rosa") as client:
        shown = {tool.name for tool in (await client.list_tools()).tools}
        cases = structured(await client.call_tool("list_cases", {}))
        assert "list_cases" in shown
        assert CASE in json.dumps(cases)
        assert "not available" in said(await client.call_tool("get_case", {}))  # nobody named a case yet


@pytest.mark.proves("I2", "B2")
async def test_a_persons_token_is_exchanged_for_one_that_names_the_case(town: Town) -> None:
    own = town.token("rosa", "casewright:orchestrator", "case-facts:read")
    assert status(town, own) == 401
    answer = town.exchange(own, resource=town.url("case-facts"), case=CASE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert 0 < document["expires_in"] <= 300
    async with bearing(town, document["access_token"]) as client:
        assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE
    for again in (document["access_token"], "abc"):
        refused = town.exchange(again, audience="case-facts")
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert town.exchange(own, resource="https://elsewhere.example/mcp").json()["error"] == "invalid_target"
    assert town.exchange(own, audience="case-facts", password="x").json()["error"] == "invalid_request"
    assert town.exchange(own).json()["error"] == "invalid_request"


@pytest.mark.proves("I2")
def test_the_challenge_and_the_metadata_lead_to_the_issuer(town: Town) -> None:
    for server in SERVERS:
        answer = httpx2.post(town.url(server), json=PING, headers=ACCEPT, timeout=SECONDS)
        where = f"{town.base}/.well-known/oauth-protected-resource/{server}/mcp"
        assert answer.status_code == 401
        assert f'resource_metadata="{where}"' in answer.headers["www-authenticate"]
        assert "error=" not in answer.headers["www-authenticate"]
        assert httpx2.get(where, timeout=SECONDS).json() == {
            "resource": town.url(server),
            "resource_name": f"Casewright {server}",
            "authorization_servers": [town.issuer],
            "scopes_supported": [f"{server}:read", f"{server}:write"],
            "bearer_methods_supported": ["header"],
        }


@pytest.mark.proves("I2")
def test_a_call_that_the_token_does_not_cover_names_the_scope(town: Town) -> None:
    """The same for a tool that exists and for one that does not."""
    token = town.token("rosa", town.url("case-facts"), "list_cases")
    for tool in ("get_case", "drop_case"):
        answer = post(town, calling(tool), ("authorization", f"Bearer {token}"))
        assert answer.status_code == 403
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert f'scope="{tool}"' in challenge
    challenge = post(town, calling('x", scope="*'), ("authorization", f"Bearer {token}")).headers["www-authenticate"]
    assert 'scope="*"' not in challenge


@pytest.mark.proves("I2")
def test_a_token_anywhere_but_in_one_header_is_refused(town: Town) -> None:
    token = town.token("rosa", town.url("case-facts"), "case-facts:read")
    good = ("authorization", f"Bearer {token}")
    assert status(town, token) == 200
    assert post(town, HELLO, good, good).status_code == 400
    assert post(town, HELLO, good, ("authorization", "Bearer abc")).status_code == 400
    assert post(town, HELLO, path=f"?access_token={token}").status_code == 400
    assert post(town, HELLO, good, path=f"?access_token={token}").status_code == 400
    form = httpx2.post(town.url("case-facts"), data={"access_token": token}, timeout=SECONDS)
    assert form.status_code == 400
    assert post(town, {**HELLO, "access_token": token}).status_code == 401
    assert post(town, HELLO, ("cookie", f"access_token={token}")).status_code == 401


@pytest.mark.proves("I2")
def test_a_token_of_one_server_opens_no_other(town: Town) -> None:
    token = town.token("rosa", town.url("drafting"), "drafting:read case-facts:read")
    sent = {**ACCEPT, "authorization": f"Bearer {token}"}
    found = {
        name: httpx2.post(town.url(name), json=HELLO, headers=sent, timeout=SECONDS).status_code for name in SERVERS
    }
    assert found == dict.fromkeys(SERVERS, 401) | {"drafting": 200}


@pytest.mark.proves("I2")
def test_keys_rotate_while_the_servers_run_and_then_the_issuer_goes_away(installation: Path, tmp_path: Path) -> None:
    """New keys are found without a restart, withdrawn ones end, and without the issuer the last ones serve on."""
    home = Path(shutil.copytree(installation, tmp_path / "home"))
    town = Town(home=home, issuer_port=free_port(), port=free_port())
    issuer = town.issue()
    servers = town.serve()
    try:
        resource = town.url("case-facts")
        first = town.token("rosa", resource, "case-facts:read")
        assert status(town, first) == 200
        assert httpx2.post(f"{town.issuer}/rotate", timeout=SECONDS).status_code == 200
        second = town.token("rosa", resource, "case-facts:read")
        wait = COOL_DOWN_SECONDS + 10
        assert until(lambda: status(town, second) == 200, process=servers, seconds=wait)
        assert status(town, first) == 200
        httpx2.post(f"{town.issuer}/rotate", timeout=SECONDS)
        third = town.token("rosa", resource, "case-facts:read")
        assert until(lambda: status(town, third) == 200, process=servers, seconds=wait)
        assert status(town, first) == 401
        ended(issuer)
        assert status(town, third) == 200
        ended(servers)
        servers = town.serve()  # knows no keys yet, and nobody gives it any
        assert status(town, third) == 401
    finally:
        ended(servers)
        ended(issuer)


def run(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "casewright.launch", *words],
        env=process_environment(home, **environment),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.proves("I2")
@pytest.mark.parametrize("missing", ["CASEWRIGHT_OIDC_ISSUER", "CASEWRIGHT_OIDC_CLAIMS", "CASEWRIGHT_PUBLIC_URL"])
def test_half_a_configuration_does_not_start(town: Town, missing: str) -> None:
    done = run(town.home, "serve", "--port", str(free_port()), **{**town.environment, missing: ""})
    assert done.returncode == 2
    assert missing in done.stderr


@pytest.mark.proves("I2")
@pytest.mark.parametrize("words", [("serve",), ("mcp", "case-facts"), ("token", "case-facts"), ("cases", "list")])
def test_nobody_is_a_local_identity_where_an_issuer_vouches(town: Town, words: tuple[str, ...]) -> None:
    done = run(town.home, *words, "--as", "selma", **town.environment)
    assert done.returncode == 2
    assert "'selma'" in done.stderr
    assert "CASEWRIGHT_IDENTITY=oidc" in done.stderr


@pytest.mark.proves("I2")
def test_the_command_line_acts_for_whoever_the_token_stands_for(town: Town) -> None:
    token = town.token("rosa", "casewright:orchestrator", "case-facts:read admin:read")
    done = run(town.home, "cases", "list", "--json", CASEWRIGHT_TOKEN=token, **town.environment)
    assert done.returncode == 0, done.stderr
    assert CASE in done.stdout
    narrow = town.token("rosa", "casewright:orchestrator", "policy-search:read")
    done = run(town.home, "cases", "list", "--json", CASEWRIGHT_TOKEN=narrow, **town.environment)
    assert done.returncode == 3
    done = run(town.home, "cases", "list", "--json", **town.environment)
    assert (done.returncode, "CASEWRIGHT_TOKEN" in done.stderr) == (2, True)


@pytest.mark.proves("I2")
def test_the_development_issuer_stays_on_this_machine(town: Town) -> None:
    done = run(town.home, "identity", "dev-issuer", "--host", "0.0.0.0", "--port", str(free_port()))
    assert (done.returncode, "loopback" in done.stderr) == (2, True)
    evil = httpx2.get(f"{town.issuer}/jwks", headers={"host": "evil.example"}, timeout=SECONDS)
    assert evil.status_code == 400
    asked = {"response_type": "code", "client_id": "x", "redirect_uri": "https://evil.example/", "state": "s"}
    asked |= {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    assert httpx2.get(f"{town.issuer}/authorize", params=asked, timeout=SECONDS).status_code == 400
    assert "not-for-production" in town.issuer
