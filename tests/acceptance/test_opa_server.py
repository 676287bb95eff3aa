"""A real OPA with the files of `deploy/opa`: what it loads, whom it answers, and how the engine meets it."""

import http.server
import io
import json
import tarfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from casewright.access.bundle import read_bundle
from casewright.access.decide import RULE, decide
from casewright.access.engine import UndefinedRuleError
from casewright.access.opa import OpaEngine
from casewright.access.signed_bundle import load_key, new_key, signed_bundle
from casewright.contracts.decision import Allowed, Denied, Verdict
from casewright.errors import PolicyError
from tests.support.installation import POLICIES
from tests.support.opa import (
    BUNDLE,
    KEYID,
    OpaFiles,
    OpaServer,
    is_ready,
    opa_files,
    serving,
    wait_until_ready,
)
from tests.unit.access.inputs import READ_CASE, shipped_engine, typed, write_policies

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(120)]
ALLOWED_SECONDS = 60.0


@pytest.fixture
def engine(opa_server: OpaServer) -> Iterator[OpaEngine]:
    found = OpaEngine.load(opa_server.settings, POLICIES)
    yield found
    found.close()


@pytest.mark.proves("D7", "D9")
def test_the_shipped_files_serve_the_signed_bundle_under_the_revision_of_the_folder(
    opa_server: OpaServer, engine: OpaEngine
) -> None:
    assert engine.revision == opa_server.files.revision == shipped_engine().revision
    assert engine.probe() == f"OPA at {opa_server.settings.url}, revision {engine.revision[:12]}"
    assert engine.evaluate(RULE, READ_CASE) == shipped_engine().evaluate(RULE, READ_CASE)
    verdict = decide(engine, typed(READ_CASE))
    assert isinstance(verdict, Allowed)
    assert verdict.decision.revision == opa_server.files.revision


def test_a_rule_without_a_value_is_undefined_not_an_answer(opa_binary: Path, tmp_path: Path) -> None:
    files = opa_files(tmp_path, decision_only(tmp_path, "decision := 1 if input.x"))
    with serving(opa_binary, tmp_path, files) as server:
        engine = OpaEngine(server.settings_with(revision=files.revision), None)
        assert engine.evaluate(RULE, {"x": True}) == 1
        with pytest.raises(UndefinedRuleError):
            engine.evaluate(RULE, {})
        engine.close()


def decision_only(folder: Path, rule: str, data: str = "{}") -> Path:
    """Policies that consist of one rule."""
    text = f"package casewright.access\n\nimport rego.v1\n\n{rule}\n"
    return write_policies(folder / "policies", {"casewright/access/decision.rego": text, "data/odd/data.json": data})


@pytest.mark.proves("D4")
def test_an_engine_that_expects_another_revision_denies(opa_server: OpaServer) -> None:
    engine = OpaEngine(opa_server.settings_with(revision="0" * 64), None)
    verdict = decide(engine, typed(READ_CASE))
    assert isinstance(verdict, Denied)
    assert verdict.code == "engine_error"
    assert "stale revision" in verdict.detail
    engine.close()


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_the_right_token_every_call_is_denied(opa_server: OpaServer, tmp_path: Path, token: str) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(token)
    engine = OpaEngine.load(opa_server.settings_with(token_file=token_file if token else None), POLICIES)
    with pytest.raises(PolicyError, match="status 401"):
        engine.evaluate(RULE, READ_CASE)
    if token:
        token_file.write_text(opa_server.files.token_file.read_text())
        assert engine.probe()
    engine.close()


ASKED: tuple[tuple[str, str, bool], ...] = (
    ("POST", "/v1/data/casewright/access/decision", True),
    ("POST", "/v1/data/casewright/access/decision?provenance=true", True),
    ("POST", "/v1/data/casewright/outcome/proposal", True),
    ("GET", "/metrics", True),
    ("POST", "/v1/data/casewright/access/decision?explain=full", False),
    ("GET", "/v1/data/casewright/access/decision", False),
    ("POST", "/v1/data", False),
    ("POST", "/v1/data/data/access", False),
    ("POST", "/v0/data/casewright/access/decision", False),
    ("POST", "/", False),
    ("POST", "/v1/data/system/authz/allow", False),
    ("PUT", "/v1/data/data/access", False),
    ("PATCH", "/v1/data/data/access", False),
    ("PUT", "/v1/policies/mine", False),
    ("GET", "/v1/policies", False),
    ("DELETE", "/v1/policies/casewright/access/allow.rego", False),
    ("POST", "/v1/query", False),
    ("POST", "/v1/compile", False),
    ("GET", "/v1/config", False),
    ("GET", "/v1/status", False),
)


@pytest.mark.proves("D9")
@pytest.mark.parametrize(("method", "path", "answered"), ASKED)
def test_only_decisions_are_answered_and_only_with_the_token(
    opa_server: OpaServer, method: str, path: str, answered: bool
) -> None:
    token = opa_server.files.token_file.read_text().strip()
    assert (status(opa_server, method, path, token) == 200) is answered
    assert status(opa_server, method, path, token) in {200, 401}
    assert status(opa_server, method, path, token + "x") == 401
    assert status(opa_server, method, path, "") == 401


def status(server: OpaServer, method: str, path: str, token: str) -> int:
    body = None if method == "GET" else b'{"input": {}}'
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(server.settings.url + path, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def repacked(content: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The bundle with its files changed and its signature left as it was."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}  # pyright: ignore[reportOptionalMemberAccess]
    change(files)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


def one_byte_of(name: str) -> Callable[[dict[str, bytes]], object]:
    def change(files: dict[str, bytes]) -> None:
        content = bytearray(files[name])
        at = content.rindex(b"e")
        content[at] = ord("f")
        files[name] = bytes(content)

    return change


def a_file_more(files: dict[str, bytes]) -> None:
    files["/casewright/access/extra.rego"] = b"package casewright.access\n\nimport rego.v1\n\nallow contains 1\n"


def a_file_less(files: dict[str, bytes]) -> None:
    del files["/casewright/access/resource.rego"]


def no_signature(files: dict[str, bytes]) -> None:
    del files["/.signatures.json"]


def another_revision(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["/.manifest"]) | {"revision": "0" * 64}
    files["/.manifest"] = json.dumps(manifest).encode()


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "one byte of a rule": partial(repacked, change=one_byte_of("/casewright/access/decision.rego")),
    "one byte of the data": partial(repacked, change=one_byte_of("/data.json")),
    "a file more": partial(repacked, change=a_file_more),
    "a file less": partial(repacked, change=a_file_less),
    "no signature": partial(repacked, change=no_signature),
    "another revision": partial(repacked, change=another_revision),
    "a cut file": lambda content: content[:-100],
}


@pytest.mark.proves("D7")
@pytest.mark.parametrize("how", list(TAMPERED))
def test_a_bundle_that_was_tampered_with_is_refused(opa_binary: Path, tmp_path: Path, how: str) -> None:
    files = opa_files(tmp_path)
    files.bundle.write_bytes(TAMPERED[how](files.bundle.read_bytes()))
    verdict = refusal(opa_binary, tmp_path, files)
    assert isinstance(verdict, Denied)
    assert verdict.code == "engine_error"


@pytest.mark.proves("D7")
def test_a_repacked_bundle_with_nothing_changed_is_served(opa_binary: Path, tmp_path: Path) -> None:
    """The positive control: it is the change that is refused, not the packing."""
    files = opa_files(tmp_path)
    files.bundle.write_bytes(repacked(files.bundle.read_bytes(), dict[str, bytes].copy))
    with serving(opa_binary, tmp_path, files) as server:
        engine = OpaEngine.load(server.settings, POLICIES)
        assert engine.probe()
        assert isinstance(decide(engine, typed(READ_CASE)), Allowed)
        engine.close()


@pytest.mark.proves("D7")
def test_a_bundle_that_somebody_else_signed_under_the_same_name_is_refused(opa_binary: Path, tmp_path: Path) -> None:
    files = opa_files(tmp_path)
    stranger = new_key(tmp_path / "stranger.pem", keyid=KEYID)
    files.bundle.write_bytes(signed_bundle(read_bundle(POLICIES), stranger))
    verdict = refusal(opa_binary, tmp_path, files)
    assert isinstance(verdict, Denied)
    assert verdict.code == "engine_error"


@pytest.mark.proves("D7")
def test_a_server_that_wants_another_key_refuses_the_bundle(opa_binary: Path, tmp_path: Path) -> None:
    """The configuration says which key; a bundle cannot choose another one that OPA knows."""
    files = opa_files(tmp_path)
    other = tmp_path / "other.pub"
    other.write_text(new_key(tmp_path / "other.pem", keyid="other").public_pem)
    wanted = ("--set-file", f"keys.other.key={other}", "--set", "keys.other.algorithm=ES256")
    verdict = refusal(opa_binary, tmp_path, files, *wanted, "--set", "bundles.casewright.signing.keyid=other")
    assert isinstance(verdict, Denied)
    assert verdict.code == "engine_error"


@pytest.mark.proves("D7")
def test_a_signature_for_another_purpose_is_refused(opa_binary: Path, tmp_path: Path) -> None:
    files = opa_files(tmp_path)
    verdict = refusal(opa_binary, tmp_path, files, "--set", "bundles.casewright.signing.scope=something-else")
    assert isinstance(verdict, Denied)
    assert verdict.code == "engine_error"


def refusal(binary: Path, folder: Path, files: OpaFiles, *arguments: str) -> Verdict:
    """What is decided on a call that the policies allow, once OPA has said that it does not load the bundle."""
    with serving(binary, folder, files, *arguments, ready=False) as server:
        until = time.monotonic() + ALLOWED_SECONDS
        while "Bundle load failed" not in server.log.read_text():
            assert time.monotonic() < until and server.process.poll() is None, server.log.read_text()
            threading.Event().wait(0.05)
        assert not is_ready(server)
        engine = OpaEngine.load(server.settings, POLICIES)
        verdict = decide(engine, typed(READ_CASE))
        engine.close()
        return verdict


def test_an_rsa_key_signs_bundles_too(opa_binary: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    path = tmp_path / "rsa.pem"
    path.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    key = load_key(path, keyid=KEYID)
    files = opa_files(tmp_path)
    files.bundle.write_bytes(signed_bundle(read_bundle(POLICIES), key))
    files.public_key.write_text(key.public_pem)
    with serving(opa_binary, tmp_path, files, "--set", f"keys.{KEYID}.algorithm=RS256") as server:
        engine = OpaEngine.load(server.settings, POLICIES)
        assert engine.probe()
        engine.close()


def test_data_of_any_text_is_hashed_as_opa_hashes_it(opa_binary: Path, tmp_path: Path) -> None:
    text = ["\x7f", "\x1f\b\f\n\r\t", '"\\/<>&', "é\u0301", "\U0001f600", "\u2028", -(2**53), 0, True, None]
    odd: dict[str, object] = {"\u2028 \u2029": text}
    folder = decision_only(tmp_path, "decision := data.data.odd", json.dumps(odd))
    files = opa_files(tmp_path, folder)
    with serving(opa_binary, tmp_path, files) as server:
        engine = OpaEngine(server.settings_with(revision=files.revision), None)
        assert engine.evaluate(RULE, {}) == odd
        engine.close()


class Published(http.server.ThreadingHTTPServer):
    """A web server on loopback for one folder, as the README suggests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Published]:
    (tmp_path / "public").mkdir()
    server = Published(tmp_path / "public")
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.proves("D7", "D9")
def test_a_new_bundle_is_polled_and_calls_in_between_are_denied(
    opa_binary: Path, tmp_path: Path, own_policies: Path, published: Published
) -> None:
    files = opa_files(tmp_path, own_policies)
    key = load_key(next(tmp_path.glob("*.pem")), keyid=KEYID)
    public = tmp_path / "public" / BUNDLE
    public.write_bytes(files.bundle.read_bytes())
    with serving(opa_binary, tmp_path, replace(files, bundles_url=published.url)) as server:
        engine = OpaEngine.load(server.settings, own_policies)
        assert engine.probe()
        changed = own_policies / "casewright" / "access" / "allow.rego"
        changed.write_text(changed.read_text() + "\n# Nothing but a comment, and another revision.\n")
        assert engine.reload_if_changed()
        with pytest.raises(PolicyError, match="stale revision"):
            engine.probe()
        public.with_suffix(".new").write_bytes(signed_bundle(read_bundle(own_policies), key))
        public.with_suffix(".new").replace(public)
        assert seconds_until_answered(engine) < 15
        assert isinstance(decide(engine, typed(READ_CASE)), Allowed)
        engine.close()


@pytest.mark.proves("D9")
def test_a_killed_server_denies_and_a_restarted_one_is_asked_again_within_five_seconds(
    opa_binary: Path, tmp_path: Path
) -> None:
    files = opa_files(tmp_path)
    with serving(opa_binary, tmp_path, files) as server:
        port = server.settings.port
        engine = OpaEngine.load(server.settings, POLICIES)
        assert engine.probe()
        server.process.kill()
        server.process.wait(timeout=10)
        for _ in range(8):
            assert isinstance(decide(engine, typed(READ_CASE)), Denied)
        assert engine.circuit == "open"
    with serving(opa_binary, tmp_path, files, port=port) as server:
        wait_until_ready(server)
        assert seconds_until_answered(engine) < 5
        assert engine.circuit == "closed"
        engine.close()


def seconds_until_answered(engine: OpaEngine) -> float:
    started = time.monotonic()
    while True:
        try:
            engine.probe()
            return time.monotonic() - started
        except PolicyError:
            assert time.monotonic() - started < ALLOWED_SECONDS
            threading.Event().wait(0.05)
