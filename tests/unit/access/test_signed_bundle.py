"""The signed bundle: what is in it, that it is the same every time, and which keys may sign it."""

import base64
import gzip
import io
import json
import tarfile
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from casewright.access.bundle import read_bundle
from casewright.access.signed_bundle import SCOPE, BundleKey, load_key, new_key, signed_bundle
from casewright.errors import InputError
from tests.unit.access.inputs import POLICIES, write_policies

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def pem(key: Private) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def contents(bundle: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:gz") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None
            assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) == (0, 0, 0, "", 0o644)
            found[entry.name] = file.read()
    return found


@pytest.mark.proves("D7")
def test_the_bundle_holds_rules_and_data_under_the_revision_and_no_tests(tmp_path: Path) -> None:
    bundle = read_bundle(POLICIES)
    found = contents(signed_bundle(bundle, new_key(tmp_path / "key.pem", keyid="k")))
    assert json.loads(found["/.manifest"]) == {
        "revision": bundle.revision,
        "roots": ["casewright", "data"],
        "rego_version": 1,
    }
    assert {name for name in found if name.endswith(".rego")} == {f"/{module.path}" for module in bundle.modules}
    assert not [name for name in found if "_test" in name]
    assert json.loads(found["/data.json"]) == json.loads(bundle.data_json)
    assert list(found) == sorted(found)


@pytest.mark.proves("D7")
@pytest.mark.parametrize("kind", ["ES256", "RS256"])
def test_the_signature_names_every_file_and_the_key(tmp_path: Path, kind: str) -> None:
    private = ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)
    (tmp_path / "key.pem").write_bytes(pem(private))
    key = load_key(tmp_path / "key.pem", keyid="reviewed-policies")
    found = contents(signed_bundle(read_bundle(POLICIES), key))
    (token,) = json.loads(found["/.signatures.json"])["signatures"]
    claims = jwt.decode(token, key.public_pem, algorithms=[kind])
    assert jwt.get_unverified_header(token) == {"alg": kind, "kid": "reviewed-policies", "typ": "JWT"}
    assert (claims["keyid"], claims["scope"]) == ("reviewed-policies", SCOPE)
    assert {f"/{file['name']}" for file in claims["files"]} == set(found) - {"/.signatures.json"}
    assert {file["algorithm"] for file in claims["files"]} == {"SHA-256"}


@pytest.mark.proves("D7")
@pytest.mark.parametrize("kind", ["ES256", "RS256"])
def test_equal_policies_and_key_give_equal_bytes_wherever_they_lie(tmp_path: Path, kind: str) -> None:
    private = ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)
    key = BundleKey(private_key=private, keyid="k")
    rule = "package casewright.x\n\nimport rego.v1\n\nanswer := 1\n"
    data = {"data/b/data.json": '{"y": 1, "x": [2]}', "data/a/data.json": "{}"}
    first = write_policies(tmp_path / "first", {"casewright/x/a.rego": rule, **data})
    second = write_policies(tmp_path / "second", {**dict(reversed(data.items())), "casewright/x/a.rego": rule})
    write_policies(second, {"casewright/x/a_test.rego": "package casewright.x_test\n\ntest_x := true\n"})
    one, other = (signed_bundle(read_bundle(folder), key) for folder in (first, second))
    assert one == other
    assert gzip.decompress(one)
    (second / "casewright" / "x" / "a.rego").write_text(rule + "\n")
    assert signed_bundle(read_bundle(second), key) != one


def test_a_new_key_is_for_its_owner_alone_and_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = new_key(path, keyid="k")
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path, keyid="k").public_pem == key.public_pem
    with pytest.raises(InputError, match=r"key\.pem"):
        new_key(path, keyid="k")
    assert load_key(path, keyid="k").public_pem == key.public_pem


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        base64.b64encode(b"x" * 64),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 1024)),
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        ),
    ],
    ids=["empty", "text", "base64", "Ed25519", "P-384", "RSA 1024", "locked"],
)
def test_a_key_that_opa_does_not_verify_or_nobody_can_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(InputError, match=r"key\.pem"):
        load_key(tmp_path / "key.pem", keyid="k")
