"""No token is passed through: a whole review for a person of an outside issuer, with their token as a canary.

What reaches a server was made for that server, agent, run and case; the person's own token is on no
way out and in no file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest

from casewright.contracts.principal import ServerName
from casewright.contracts.run import RunReport
from casewright.identity.tokens import DELEGATED_SECONDS, LOCAL_ISSUER
from commands.orchestrator import build_gateway, build_runner
from servers.build import ServerFactory
from servers.guarded import GuardedServer
from tests.support.installation import CASE
from tests.support.issuers import ISSUER, NOW, Issuer

EVERYTHING = " ".join(
    f"{server}:{kind}" for server in ("policy-search", "case-facts", "drafting") for kind in ("read", "write")
)
TEXT_OF_A_TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}")

pytestmark = pytest.mark.thorough


@dataclass
class Handed:
    """Every token that a server was opened with."""

    tokens: list[tuple[ServerName, str]] = field(default_factory=list[tuple[ServerName, str]])

    def claims(self) -> Iterator[tuple[ServerName, dict[str, Any]]]:
        for server, token in self.tokens:
            yield server, jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    """Notes what the real factory is asked for; nothing else changes."""
    kept, real = Handed(), ServerFactory.build

    def noted(self: ServerFactory, name: ServerName, token: str) -> GuardedServer:
        kept.tokens.append((name, token))
        return real(self, name, token)

    monkeypatch.setattr(ServerFactory, "build", noted)
    return kept


def files_with_a_token(home: Path, signature: bytes) -> list[str]:
    """Names of files that hold this signature, or anything that reads like a token."""
    found: list[str] = []
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if signature in content or TEXT_OF_A_TOKEN.search(content):
            found.append(path.name)
    return found


async def reviewed(issuer: Issuer, home: Path, token: str) -> RunReport:
    """Sign in as whoever the token stands for, and review the case."""
    services = issuer.services(home)
    try:
        person = await services.person_exchange.sign_in(token)
        gateway = build_gateway(services)
        async with gateway:
            return await build_runner(services, gateway).start(person, CASE)
    finally:
        await services.close()


@pytest.mark.proves("I2")
async def test_a_review_hands_on_its_own_tokens_and_never_the_persons(
    tmp_path: Path, home: Path, handed: Handed
) -> None:
    issuer = Issuer(tmp_path)
    canary = issuer.token(aud="casewright:orchestrator", scope=EVERYTHING, amr=["mfa"], auth_time=NOW)
    report = await reviewed(issuer, home, canary)
    assert report.status == "waiting_approval", report.because
    assert len(handed.tokens) >= 6
    assert len({token for _, token in handed.tokens}) == len(handed.tokens)
    signature = canary.rpartition(".")[2].encode()
    assert not any(canary in token or signature.decode() in token for _, token in handed.tokens)
    for server, claims in handed.claims():
        assert (claims["iss"], claims["idp"], claims["aud"]) == (LOCAL_ISSUER, ISSUER, f"casewright:{server}")
        assert (claims["sub"], claims["run"], claims["case"]) == ("rosa", report.run_id, CASE)
        assert claims["act"]["sub"]
        assert "*" not in claims["scope"].split()
        assert 0 < claims["exp"] - claims["iat"] <= DELEGATED_SECONDS
    assert files_with_a_token(home, signature) == []
    (home / "planted").write_bytes(canary.encode())  # the search finds what it is for
    assert files_with_a_token(home, signature) == ["planted"]


@pytest.mark.proves("I2", "D1")
async def test_a_person_whose_token_cannot_write_gets_a_review_that_cannot_either(
    tmp_path: Path, home: Path, handed: Handed
) -> None:
    issuer = Issuer(tmp_path)
    reading = EVERYTHING.replace("drafting:write", "")
    token = issuer.token(aud="casewright:orchestrator", scope=reading, amr=["mfa"], auth_time=NOW)
    report = await reviewed(issuer, home, token)
    assert report.status == "incomplete"
    written = {tool for _, claims in handed.claims() for tool in claims["scope"].split()}
    assert "get_case" in written
    assert not written & {"save_draft", "submit_action", "execute_action"}
