"""An OPA server that is down, slow, odd or hostile never allows anything, and is used again when it is well.

Every shape is served by a real web server on loopback and read by the production engine; the
verdict is that of `decide`. The positive control is the same request with a flawless answer.
"""

import copy
import gzip
import json
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from casewright.access.decide import RULE, decide
from casewright.access.opa import OpaEngine
from casewright.access.opa_client import MAX_ANSWER_BYTES
from casewright.access.opa_settings import OpaSettings
from casewright.contracts.decision import Allowed, Denied, Verdict
from casewright.errors import PolicyError
from tests.support.odd_server import Behaviour, Exchange, OddServer, as_json
from tests.unit.access.inputs import READ_CASE, shipped_engine, typed

REVISION = "a" * 64
BUDGET_SECONDS = 0.3
MARGIN_SECONDS = 0.5
"""For a machine that is busy with other tests; a quiet one needs some milliseconds."""
RECOVERED_SECONDS = 5.0
PATIENT_SECONDS = 20.0
"""The budget of an engine that is asked for what its answer is, and not for how soon it comes."""
TRIES = 5
"""How often a time is taken: a machine that stalls only ever adds to it, and an engine that waits does so each time."""
Answer = dict[str, Any]


@cache
def decision() -> object:
    """The shipped policies' own decision."""
    return shipped_engine().evaluate(RULE, READ_CASE)


def flawless() -> Answer:
    """What a healthy server answers: a decision, and where it comes from."""
    return {
        "provenance": {"version": "1.21.3", "bundles": {"casewright": {"revision": REVISION}}},
        "result": copy.deepcopy(decision()),
    }


def good(exchange: Exchange) -> None:
    exchange.answer(as_json(flawless()))


@pytest.fixture
def server() -> Iterator[OddServer]:
    decision()  # once, and not in the time of a request
    bomb()
    found = OddServer(behaviour=good)
    yield found
    found.close()


@pytest.fixture
def engine(server: OddServer) -> Iterator[OpaEngine]:
    found = engine_for(server.port)
    yield found
    found.close()


@pytest.fixture
def patient(server: OddServer) -> Iterator[OpaEngine]:
    found = engine_for(server.port, budget_seconds=PATIENT_SECONDS)
    yield found
    found.close()


def engine_for(port: int, **settings: Any) -> OpaEngine:
    usual = OpaSettings(host="127.0.0.1", port=port, tls=False, revision=REVISION, budget_seconds=BUDGET_SECONDS)
    return OpaEngine(replace(usual, **settings), None)


def asked(engine: OpaEngine) -> tuple[Verdict, float]:
    """The verdict on a call that a healthy server allows, and the seconds it took."""
    document = typed(READ_CASE)
    started = time.monotonic()
    verdict = decide(engine, document)
    return verdict, time.monotonic() - started


def tried(port: int, meets: Callable[[OpaEngine], bool]) -> OpaEngine:
    """The first of some new engines that keeps to the times that `meets` takes."""
    for _ in range(TRIES):
        engine = engine_for(port)
        if meets(engine):
            return engine
        engine.close()
    raise AssertionError(f"none of {TRIES} engines was in time")


def reached(server: OddServer, requests: int) -> bool:
    """Whether so many requests arrive, of which the last ones may still be on their way."""
    until = time.monotonic() + PATIENT_SECONDS
    while len(server.requests) < requests and time.monotonic() < until:
        threading.Event().wait(0.01)
    return len(server.requests) == requests


@pytest.mark.proves("D4")
def test_a_flawless_answer_allows(server: OddServer, patient: OpaEngine) -> None:
    """The positive control of this file."""
    verdict, _ = asked(patient)
    assert isinstance(verdict, Allowed)
    assert verdict.decision.revision == REVISION
    (request,) = server.requests
    assert request.line == "POST /v1/data/casewright/access/decision?provenance=True HTTP/1.1"
    assert json.loads(request.body) == {"input": READ_CASE}


def changed(change: Callable[[Answer], object]) -> Behaviour:
    """A flawless answer but for one change."""

    def behave(exchange: Exchange) -> None:
        answer = flawless()
        change(answer)
        exchange.answer(as_json(answer))

    return behave


def result(**fields: Any) -> Behaviour:
    return changed(lambda answer: answer["result"].update(fields))


def raw(body: bytes, **how: str) -> Behaviour:
    return lambda exchange: exchange.answer(body, **how)


def flawless_with(**how: str) -> Behaviour:
    return lambda exchange: exchange.answer(as_json(flawless()), **how)


def text_of_flawless() -> str:
    return json.dumps(flawless())


DOCUMENTS: dict[str, Behaviour] = {
    "nothing": raw(b"{}"),
    "undefined": changed(lambda answer: answer.pop("result")),
    "null": changed(lambda answer: answer.update(result=None)),
    "plain true": changed(lambda answer: answer.update(result=True)),
    "only allow": changed(lambda answer: answer.update(result={"allow": True})),
    "allow as text": result(allow="true"),
    "allow as a number": result(allow=1),
    "allow with effect deny": result(effect="deny"),
    "allow with effect maybe": result(effect="maybe"),
    "approval without its obligation": result(effect="require_approval"),
    "an unknown effect": result(effect="permit_all"),
    "another package": result(package="casewright.outcome"),
    "another schema": result(schema="decision/v2"),
    "a field more": result(comment="trust me"),
    "a field less": changed(lambda answer: answer["result"].pop("obligations")),
    "a revision of its own": result(revision=REVISION),
    "no reasons": result(reasons=[]),
    "an unknown obligation": result(obligations=[{"kind": "look_away"}]),
    "an obligation twice": result(obligations=[{"kind": "audit", "level": "full"}] * 2),
    "another tenant's filters": result(filters={"tenant": "millbrook", "labels": [], "sealed": False}),
    "labels the caller lacks": result(filters={"tenant": "harborline", "labels": ["secret"], "sealed": False}),
    "a time to live that is none": result(ttl_seconds=-1),
    "not a number": changed(lambda answer: answer["result"].update(ttl_seconds=float("nan"))),
    "infinity": changed(lambda answer: answer["result"].update(ttl_seconds=float("inf"))),
    "a stale revision": changed(lambda answer: answer["provenance"]["bundles"]["casewright"].update(revision="b" * 64)),
    "a revision in capitals": changed(
        lambda answer: answer["provenance"]["bundles"]["casewright"].update(revision=REVISION.upper())
    ),
    "no provenance": changed(lambda answer: answer.pop("provenance")),
    "provenance that is null": changed(lambda answer: answer.update(provenance=None)),
    "provenance without bundles": changed(lambda answer: answer["provenance"].pop("bundles")),
    "provenance of one revision for all": changed(lambda answer: answer.update(provenance={"revision": REVISION})),
    "no bundle": changed(lambda answer: answer["provenance"].update(bundles={})),
    "two bundles": changed(lambda answer: answer["provenance"]["bundles"].update(more={"revision": REVISION})),
    "a bundle without a revision": changed(lambda answer: answer["provenance"].update(bundles={"casewright": {}})),
    "a list of bundles": changed(lambda answer: answer["provenance"].update(bundles=[{"revision": REVISION}])),
    "more than an answer": changed(lambda answer: answer.update(warning={"code": "x"})),
    "a list": lambda exchange: exchange.answer(as_json([flawless()])),
    "a text": lambda exchange: exchange.answer(as_json(text_of_flawless())),
    "allow twice": lambda exchange: exchange.answer(
        text_of_flawless().replace('"allow": true', '"allow": false, "allow": true').encode()
    ),
    "two documents": lambda exchange: exchange.answer(as_json(flawless()) * 2),
    "a cut document": lambda exchange: exchange.answer(as_json(flawless())[:-1]),
    "no document": raw(b""),
    "not JSON": raw(b"allow"),
    "not UTF-8": lambda exchange: exchange.answer(text_of_flawless().encode("utf-16")),
    "a byte order mark": lambda exchange: exchange.answer(b"\xef\xbb\xbf" + as_json(flawless())),
    "too deep": raw(b"[" * 200_000 + b"]" * 200_000),
    "too large": lambda exchange: exchange.answer(as_json(flawless()) + b" " * MAX_ANSWER_BYTES),
}


def endless(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not exchange.over.is_set():
        try:
            exchange.connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except OSError:
            return


def endless_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    for index in range(100_000):
        try:
            exchange.connection.sendall(f"X-{index}: {'y' * 100}\r\n".encode())
        except OSError:
            return


def late(exchange: Exchange) -> None:
    exchange.stall(BUDGET_SECONDS + 0.1)
    good(exchange)


def stalled_body(exchange: Exchange) -> None:
    exchange.answer(as_json(flawless())[:-1], Content_Length=str(len(as_json(flawless()))))
    exchange.stall()


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


@cache
def bomb() -> bytes:
    """Small, and forty times as large as an answer may be once it is unpacked."""
    return gzipped(b" " * (40 * MAX_ANSWER_BYTES))


TRANSPORTS: dict[str, Behaviour] = {
    **{f"a flawless body with {status}": flawless_with(status=status) for status in ("201 Created", "206 Partial")},
    "204": raw(b"", status="204 No Content"),
    "304": raw(b"", status="304 Not Modified"),
    **{
        f"{status}": flawless_with(status=status)
        for status in ("400 Bad", "401 Unauthorized", "403 No", "404 No", "429 Slow", "500 Oh", "502 Oh", "503 Oh")
    },
    "HTML": raw(b"<html>please sign in</html>", Content_Type="text/html"),
    "a flawless body as plain text": flawless_with(Content_Type="text/plain"),
    "a flawless body without a type": flawless_with(Content_Type=""),
    "compressed": lambda exchange: exchange.answer(gzipped(as_json(flawless())), Content_Encoding="gzip"),
    "a compressed bomb": lambda exchange: exchange.answer(bomb(), Content_Encoding="gzip"),
    "an endless body": endless,
    "endless headers": endless_headers,
    "a flawless answer too late": late,
    "no answer": Exchange.stall,
    "a body that stalls": stalled_body,
    "dripping headers": lambda exchange: exchange.drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" * 9),
    "a dripping body": lambda exchange: (
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"),
        exchange.drip(b" " * 5000),
    )[0],
    "a reset": Exchange.reset,
    "the connection closed": lambda exchange: exchange.connection.close(),
    "a body cut short": lambda exchange: exchange.answer(as_json(flawless())[:-9], Content_Length="5000"),
    "no HTTP": lambda exchange: exchange.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "the request sent back": lambda exchange: exchange.send(exchange.request.body),
}


@pytest.mark.proves("D4")
@pytest.mark.parametrize("shape", [*DOCUMENTS, *TRANSPORTS])
def test_an_odd_answer_is_a_denial_within_the_budget(server: OddServer, shape: str) -> None:
    def denied_in_time(engine: OpaEngine) -> bool:
        server.requests.clear()
        verdict, seconds = asked(engine)
        assert isinstance(verdict, Denied), shape
        assert verdict.code in {"engine_error", "undefined", "malformed"}
        assert engine.circuit == "closed", "one odd answer does not shut the engine"
        assert len(server.requests) <= 2
        return seconds < BUDGET_SECONDS + MARGIN_SECONDS and len(server.requests) > 0

    server.behaviour = (DOCUMENTS | TRANSPORTS)[shape]
    engine = tried(server.port, denied_in_time)
    server.behaviour = good
    assert seconds_until_allowed(engine) < RECOVERED_SECONDS
    engine.close()


@pytest.mark.proves("D4")
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_never_followed(server: OddServer, patient: OpaEngine, status: str) -> None:
    elsewhere = OddServer(behaviour=good)
    server.behaviour = raw(b"", status=status, Location=elsewhere.url)
    assert isinstance(asked(patient)[0], Denied)
    server.behaviour = raw(b"", status=status, Location="/v1/data/casewright/access/decision")
    assert isinstance(asked(patient)[0], Denied)
    elsewhere.close()
    assert elsewhere.requests == []
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("name", "requests"), [("a reset", 2), ("the connection closed", 2), ("500 Oh", 1), ("late", 1)]
)
def test_only_a_broken_connection_is_tried_again_and_once(
    server: OddServer, engine: OpaEngine, patient: OpaEngine, name: str, requests: int
) -> None:
    server.behaviour = (TRANSPORTS | {"late": late})[name]
    assert isinstance(asked(engine if name == "late" else patient)[0], Denied)
    assert reached(server, requests)


def test_the_retry_is_answered_when_the_connection_broke_once(server: OddServer, patient: OpaEngine) -> None:
    def broken_once(exchange: Exchange) -> None:
        server.behaviour = good
        exchange.reset()

    server.behaviour = broken_once
    assert isinstance(asked(patient)[0], Allowed)
    assert len(server.requests) == 2


def test_the_retry_has_only_what_is_left_of_the_budget(server: OddServer) -> None:
    """With a whole budget of its own the retry, which is never answered, would make it 1.8 of them."""

    def slow_reset(exchange: Exchange) -> None:
        server.behaviour = Exchange.stall
        exchange.stall(BUDGET_SECONDS * 0.8)
        exchange.reset()

    def denied_in_time(engine: OpaEngine) -> bool:
        server.behaviour = slow_reset
        server.requests.clear()
        verdict, seconds = asked(engine)
        assert isinstance(verdict, Denied)
        return seconds < BUDGET_SECONDS * 1.5 and len(server.requests) == 2

    tried(server.port, denied_in_time).close()


@pytest.mark.proves("D4")
def test_callers_at_once_are_all_denied_within_the_budget(server: OddServer) -> None:
    def denied_in_time(engine: OpaEngine) -> bool:
        found: list[tuple[Verdict, float]] = []
        threads = [threading.Thread(target=lambda: found.append(asked(engine))) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert len(found) == 30
        assert all(isinstance(verdict, Denied) for verdict, _ in found)
        return max(seconds for _, seconds in found) < BUDGET_SECONDS + 2 * MARGIN_SECONDS

    server.behaviour = Exchange.stall
    tried(server.port, denied_in_time).close()


@pytest.mark.proves("D4")
@pytest.mark.parametrize("shape", ["a reset", "500 Oh", "no answer", "not JSON"])
def test_the_circuit_opens_spares_the_server_and_recovers_within_five_seconds(server: OddServer, shape: str) -> None:
    def spares_the_server(engine: OpaEngine) -> bool:
        """An open circuit answers at once; it rests for a second, which a machine that stalls may let pass."""
        server.requests.clear()
        for _ in range(5):
            assert engine.circuit == "closed"
            assert isinstance(asked(engine)[0], Denied)
        is_open, before = engine.circuit == "open", len(server.requests)
        verdict, seconds = asked(engine)
        assert isinstance(verdict, Denied)
        return is_open and seconds < BUDGET_SECONDS / 2 and len(server.requests) == before > 4

    server.behaviour = (TRANSPORTS | DOCUMENTS)[shape]
    engine = tried(server.port, spares_the_server)
    server.behaviour = good
    assert seconds_until_allowed(engine) < RECOVERED_SECONDS
    assert engine.circuit == "closed"
    engine.close()


@pytest.mark.proves("D4")
def test_a_server_that_comes_up_later_is_found_within_five_seconds() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        engine = engine_for(taken.getsockname()[1])
        answers = [asked(engine) for _ in range(6)]
        assert all(isinstance(verdict, Denied) for verdict, _ in answers)
        assert statistics.median(seconds for _, seconds in answers) < BUDGET_SECONDS + MARGIN_SECONDS
        assert engine.circuit != "closed"
        port = taken.getsockname()[1]
    server = OddServer(behaviour=good, port=port)
    assert seconds_until_allowed(engine) < RECOVERED_SECONDS
    engine.close()
    server.close()


def test_answers_under_another_revision_do_not_open_the_circuit(server: OddServer, patient: OpaEngine) -> None:
    """The server is well; it has another bundle, and is asked again with every call."""
    server.behaviour = DOCUMENTS["a stale revision"]
    for _ in range(8):
        assert isinstance(asked(patient)[0], Denied)
    assert len(server.requests) == 8
    server.behaviour = good
    assert isinstance(asked(patient)[0], Allowed)


def seconds_until_allowed(engine: OpaEngine) -> float:
    started = time.monotonic()
    while not isinstance(asked(engine)[0], Allowed):
        assert time.monotonic() - started < RECOVERED_SECONDS * 4
        threading.Event().wait(0.02)
    return time.monotonic() - started


def test_the_environment_neither_redirects_nor_replaces_the_token(
    server: OddServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = OddServer(behaviour=good)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("NETRC", str(netrc))
    token = tmp_path / "token"
    token.write_text("ours\n")
    engine = engine_for(server.port, token_file=token, budget_seconds=PATIENT_SECONDS)
    assert isinstance(asked(engine)[0], Allowed)
    token.write_text("renewed\n")
    assert isinstance(asked(engine)[0], Allowed)
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer ours", "Bearer renewed"]
    assert all(request.headers["accept-encoding"] == "identity" for request in server.requests)
    assert proxy.requests == []
    engine.close()
    proxy.close()


@pytest.mark.parametrize("content", ["", " \n", "two words", "new\nline", "café", "x" * 9_000])
def test_a_token_file_without_a_usable_token_denies_and_sends_nothing(
    server: OddServer, tmp_path: Path, content: str
) -> None:
    token = tmp_path / "token"
    token.write_text(content)
    engine = engine_for(server.port, token_file=token)
    assert isinstance(asked(engine)[0], Denied)
    token.unlink()
    assert isinstance(asked(engine)[0], Denied)
    assert server.requests == []
    engine.close()


@pytest.mark.parametrize(
    "rule",
    ["", "decision", "casewright/access/decision", "casewright.access.decision?x", "casewright..x", "../x.y", "A.b"],
)
def test_only_rule_names_become_paths(server: OddServer, engine: OpaEngine, rule: str) -> None:
    with pytest.raises(PolicyError, match="no rule name"):
        engine.evaluate(rule, {})
    assert server.requests == []


def test_a_closed_engine_denies(server: OddServer, patient: OpaEngine) -> None:
    assert isinstance(asked(patient)[0], Allowed)
    patient.close()
    patient.close()
    assert isinstance(asked(patient)[0], Denied)
    assert len(server.requests) == 1
