"""Where the OPA server is and what it has to prove, from the environment.

Only looked at with `CASEWRIGHT_ENGINE=opa`. It is deliberately *not* a client; see `opa`.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from casewright.errors import InputError

DEFAULT_BUDGET_MS = 300
_BUDGETS_MS = range(20, 1_501)
"""Below `decide`'s own limit, so that a late answer is known as one here."""


@dataclass(frozen=True, kw_only=True)
class OpaSettings:
    """One OPA server."""

    host: str
    port: int
    tls: bool
    ca_file: Path | None = None
    """Who may have signed the server's certificate; None: whom this machine trusts."""
    token_file: Path | None = None
    revision: str = ""
    """The revision that answers must name; empty: that of the local policy folder."""
    budget_seconds: float = DEFAULT_BUDGET_MS / 1000
    """For one decision, with its retry."""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


def opa_settings(environment: Mapping[str, str]) -> OpaSettings:
    """The settings of `CASEWRIGHT_OPA_URL`, `_TOKEN_FILE`, `_CA_FILE`, `_REVISION` and `_BUDGET_MS`.

    Raises:
        InputError: names the variable that is missing or wrong.
    """
    tls, host, port = _address(environment.get("CASEWRIGHT_OPA_URL", ""))
    return OpaSettings(
        host=host,
        port=port,
        tls=tls,
        ca_file=_file(environment, "CASEWRIGHT_OPA_CA_FILE"),
        token_file=_file(environment, "CASEWRIGHT_OPA_TOKEN_FILE"),
        revision=_revision(environment.get("CASEWRIGHT_OPA_REVISION", "")),
        budget_seconds=_budget_ms(environment.get("CASEWRIGHT_OPA_BUDGET_MS", "")) / 1000,
    )


def _address(url: str) -> tuple[bool, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_url(url, str(error)) from error
    extra = (parts.path.rstrip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(extra):
        raise _bad_url(url, "name scheme, host and port only")
    tls = parts.scheme == "https"
    if not tls and not _is_this_machine(parts.hostname):
        raise _bad_url(url, "tokens and cases would cross the network unencrypted; use https")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return tls, host, port if port is not None else 443 if tls else 80


def _bad_url(url: str, reason: str) -> InputError:
    return InputError(
        f"CASEWRIGHT_OPA_URL={url!r} is no address of an OPA server such as 'http://127.0.0.1:8181': {reason}"
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    if not text:
        return None
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise InputError(f"{name}={text!r} is not a file; correct or unset it")
    return path


def _revision(text: str) -> str:
    if text and not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InputError(
            f"CASEWRIGHT_OPA_REVISION={text!r} is no revision; take the one that `casewright policy build` printed"
        )
    return text


def _budget_ms(text: str) -> int:
    if not text:
        return DEFAULT_BUDGET_MS
    if not (text.isascii() and text.isdigit()) or int(text) not in _BUDGETS_MS:
        raise InputError(
            f"CASEWRIGHT_OPA_BUDGET_MS={text!r} is not a whole number from {_BUDGETS_MS[0]} to {_BUDGETS_MS[-1]}; "
            "correct or unset it"
        )
    return int(text)
