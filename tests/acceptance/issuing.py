"""Real processes for sign-in tests: the development issuer, and the servers that ask it."""

import base64
import contextlib
import hashlib
import html
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2

from casewright.contracts.principal import ServerName
from casewright.identity.dev_issuer import NAME
from tests.support.installation import CHECKOUT, process_environment

SECONDS = 40
REDIRECT = "http://127.0.0.1:1/callback"
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


def launched(home: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "casewright.launch", *words],
        env=process_environment(home, **environment),
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def answering(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the process answers there.

    Raises:
        AssertionError: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(url, timeout=5).status_code < 500:
                return
        except httpx2.TransportError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    process.kill()
    raise AssertionError(process.communicate(timeout=10)[1].decode())


def ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate(timeout=10)


def until(condition: Callable[[], bool], *, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether it came true in time; asked a few times a second while the process lives."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.3)
    return condition()


@dataclass(frozen=True, kw_only=True)
class Town:
    """An issuer and the servers that believe it."""

    home: Path
    issuer_port: int
    port: int

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.issuer_port}/{NAME}"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CASEWRIGHT_IDENTITY": "oidc",
            "CASEWRIGHT_OIDC_ISSUER": self.issuer,
            "CASEWRIGHT_OIDC_CLAIMS": str(self.home / "development-claims.json"),
            "CASEWRIGHT_PUBLIC_URL": self.base,
        }

    def url(self, server: ServerName) -> str:
        return f"{self.base}/{server}/mcp"

    def serve(self) -> subprocess.Popen[bytes]:
        process = launched(self.home, "serve", "--port", str(self.port), **self.environment)
        answering(process, f"{self.base}/healthz")
        return process

    def issue(self) -> subprocess.Popen[bytes]:
        process = launched(self.home, "identity", "dev-issuer", "--port", str(self.issuer_port))
        answering(process, f"{self.issuer}/jwks")
        return process

    def code(self, address: str, person: str) -> dict[str, str]:
        """Open the page as a browser would, pick the person, and read the redirect."""
        page = httpx2.get(address, timeout=SECONDS)
        assert page.status_code == 200, page.text
        found = re.search(r"name='request' value='([^']+)'", page.text)
        assert found is not None, page.text
        form = {"request": html.unescape(found[1]), "person": person}
        answer = httpx2.post(f"{self.issuer}/authorize", data=form, timeout=SECONDS)
        assert answer.status_code == 303, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def token(self, person: str, resource: str, scope: str) -> str:
        """A token of the issuer for a person: authorization code with PKCE, by hand."""
        verifier = secrets.token_urlsafe(40)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": "by-hand", "redirect_uri": REDIRECT, "state": "s"}
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256", "resource": resource, "scope": scope}
        code = self.code(str(httpx2.URL(f"{self.issuer}/authorize", params=asked)), person)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "by-hand"}
        form |= {"code_verifier": verifier, "resource": resource}
        answer = httpx2.post(f"{self.issuer}/token", data=form, timeout=SECONDS)
        assert answer.status_code == 200, answer.text
        again = httpx2.post(f"{self.issuer}/token", data=form, timeout=SECONDS)
        assert again.status_code == 400, "a code is good once"
        return str(answer.json()["access_token"])

    def exchange(self, token: str, **form: str) -> httpx2.Response:
        return httpx2.post(f"{self.base}/token", data=EXCHANGE | {"subject_token": token} | form, timeout=SECONDS)
