"""The OPA client library, made strict: what it may send, wait for and believe.

`AsyncOpaClient` builds the request and the URL; two of its methods are replaced. `_init_session`,
because it takes no authority file, follows the environment's defaults and unpacks whatever comes.
`_request`, because it follows redirects, retries on 5xx after pauses that are longer than the
whole budget, and hands out answers of any size and kind. Nothing that writes to a server is called
from here or can be: only `ask` is used. `OpaEngine` owns it.
"""

import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from opa_client.opa_async import AsyncOpaClient

from casewright.errors import UnavailableError

MAX_ANSWER_BYTES = 1024 * 1024
_MOST_CONNECTIONS = 64
_IDLE_SECONDS = 30.0
_CHUNK_BYTES = 64 * 1024


class OpaUnusableError(UnavailableError):
    """Deny, and count it against the server: no answer, or one that cannot be read."""


class _Answer:
    """What the library reads: a good answer, whole and parsed."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value

    def raise_for_status(self) -> None:
        """Nothing to raise: other answers never get here."""

    async def json(self) -> dict[str, Any]:
        return self._value


class DecisionClient(AsyncOpaClient):
    """Asks one OPA server for rules. Belongs to one event loop; the caller sets the time limit."""

    def __init__(self, *, host: str, port: int, tls: ssl.SSLContext | None, token_file: Path | None) -> None:
        """`tls` None: plain HTTP. A token file that changes is read again."""
        super().__init__(host=host, port=port, ssl=tls is not None)  # pyright: ignore[reportUnknownMemberType]
        self._tls = tls
        self._token_file = token_file
        self._token: tuple[tuple[int, int, int], str] | None = None

    async def ask(self, rule: str, document: Mapping[str, object]) -> dict[str, Any]:
        """The answer of the server to one rule, with its provenance; `rule` is one of our own names.

        Raises:
            OpaUnusableError: no answer, or not a flawless 200 with a JSON object.
        """
        package, _, name = rule.rpartition(".")
        if self._session is None:
            await self._init_session()
        try:
            return await self.query_rule(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                input_data=dict(document), package_path=package, rule_name=name, query_params={"provenance": True}
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise OpaUnusableError(f"no answer: {type(error).__name__}: {error}") from error

    async def _init_session(self) -> None:
        self._session = aiohttp.ClientSession(
            headers={"Accept-Encoding": "identity"},
            connector=aiohttp.TCPConnector(
                ssl=self._tls or True, limit=_MOST_CONNECTIONS, keepalive_timeout=_IDLE_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            json_serialize=partial(json.dumps, ensure_ascii=False, allow_nan=False),
            auto_decompress=False,
            trust_env=False,
        )

    @asynccontextmanager
    async def _request(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, method: str, url: str, **kwargs: Any
    ) -> AsyncGenerator[_Answer]:
        """One request, and a second one when the connection broke; never a redirect, never a pause."""
        try:
            value = await self._answer(method, url, **kwargs)
        except aiohttp.ClientConnectionError as error:
            if isinstance(error, aiohttp.ClientSSLError | TimeoutError):
                raise
            value = await self._answer(method, url, **kwargs)
        yield _Answer(value)

    async def _answer(self, method: str, url: str, **kwargs: Any) -> dict[str, Any]:
        assert self._session is not None
        headers = {"Authorization": f"Bearer {self._bearer()}"} if self._token_file else {}
        async with self._session.request(method, url, headers=headers, allow_redirects=False, **kwargs) as response:
            if response.status != 200:
                raise OpaUnusableError(f"it answered with status {response.status}")
            if response.content_type != "application/json" or "Content-Encoding" in response.headers:
                raise OpaUnusableError(f"its answer is {response.content_type!r}, not plain JSON")
            return parse_answer(await _body(response))

    def _bearer(self) -> str:
        assert self._token_file is not None
        try:
            at = self._token_file.stat()
        except OSError as error:
            raise OpaUnusableError(f"the token file {str(self._token_file)!r} cannot be read: {error}") from error
        stamp = (at.st_mtime_ns, at.st_size, at.st_ino)
        if self._token is None or self._token[0] != stamp:
            self._token = (stamp, read_token(self._token_file))
        return self._token[1]


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while chunk := await response.content.read(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise OpaUnusableError(f"its answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def parse_answer(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer.

    Raises:
        OpaUnusableError: it is no JSON object, or JSON that two readers may read differently.
    """
    try:
        value = json.loads(body.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise OpaUnusableError(f"its answer is no valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise OpaUnusableError(f"its answer is a {type(value).__name__}, not an object")
    return value  # pyright: ignore[reportUnknownVariableType]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key occurs twice")
    return value


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


def read_token(path: Path) -> str:
    """The bearer token in a file, without the line's end.

    Raises:
        OpaUnusableError: it cannot be read, or holds none that fits into a header.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OpaUnusableError(f"the token file {str(path)!r} cannot be read: {error}") from error
    if not token or len(token) > 8_192 or any(character <= " " for character in token):
        raise OpaUnusableError(f"the token file {str(path)!r} holds no token; write one line without spaces")
    return token
