"""Tokens: what verifies is exactly what was minted; one changed byte, claim or algorithm is refused."""

import asyncio
import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import HMACAlgorithm

from casewright.clock import NANOSECONDS, ManualClock
from casewright.contracts.case import Classification
from casewright.contracts.principal import SERVERS, Actor, Caller, Principal, ServerName
from casewright.errors import UnauthenticatedError
from casewright.identity.keys import SigningKey
from casewright.identity.tokens import (
    ALGORITHM,
    LOCAL_ISSUER,
    MAX_TOKEN_BYTES,
    REQUIRED_CLAIMS,
    Grant,
    LocalTokenAuthority,
    audience,
)

NOW = 1_794_000_000
KEY = SigningKey.generate()
ROSA = Principal(
    id="rosa", tenant="harborline", roles=("reviewer",), clearance=Classification.CONFIDENTIAL, labels=("fraud-ops",)
)
PERSON = Actor(kind="user", run_id="run-1", case_id="HL-1")
AGENT = Actor(kind="agent", agent="intake", run_id="run-1", case_id="HL-1")


def authority(at: int = NOW) -> LocalTokenAuthority:
    return LocalTokenAuthority(KEY, ManualClock(at * NANOSECONDS))


def grant(actor: Actor = PERSON, *, server: ServerName = "case-facts", scopes: tuple[str, ...] = ("*",)) -> Grant:
    return Grant(principal=ROSA, actor=actor, server=server, scopes=scopes)


TOKEN = authority().mint(grant(AGENT, scopes=("get_case",)))


def claims() -> dict[str, Any]:
    return jwt.decode(TOKEN, options={"verify_signature": False})


def signed(changed: dict[str, Any]) -> str:
    """A token with any claims, signed with the right key: what a leaked key or a bug could make."""
    return jwt.encode(changed, KEY.private_key, algorithm=ALGORITHM)


def verified(token: str, *, server: ServerName = "case-facts", at: int = NOW) -> Caller:
    return asyncio.run(authority(at).verify(token, server=server))


def refused(token: str, *, server: ServerName = "case-facts", at: int = NOW) -> str:
    """The code of the refusal."""
    with pytest.raises(UnauthenticatedError) as refusal:
        verified(token, server=server, at=at)
    return refusal.value.code


@pytest.mark.proves("I2")
@pytest.mark.parametrize("actor", [PERSON, AGENT], ids=["a person", "an agent"])
@pytest.mark.parametrize("server", SERVERS)
def test_what_verifies_is_what_was_granted(server: ServerName, actor: Actor) -> None:
    wanted = grant(actor, server=server, scopes=("get_case", "list_evidence"))
    caller = verified(authority().mint(wanted), server=server)
    assert (caller.principal, caller.actor, caller.scopes) == (ROSA, actor, wanted.scopes)
    assert (caller.audience, caller.expires_at) == (f"casewright:{server}", NOW + 600)
    assert caller.token_id


@pytest.mark.proves("I2")
def test_a_token_is_for_one_server_only() -> None:
    for minted in SERVERS:
        token = authority().mint(grant(server=minted))
        for asked in SERVERS:
            if asked != minted:
                assert refused(token, server=asked) == "token_audience"


@pytest.mark.proves("I2")
def test_no_two_tokens_have_the_same_id() -> None:
    ids = {verified(authority().mint(grant())).token_id for _ in range(50)}
    assert len(ids) == 50


@pytest.mark.proves("I2", "D1")
@settings(max_examples=600, deadline=None)
@given(st.integers(0, len(TOKEN) - 1), st.integers(0, 127).map(chr))
def test_any_changed_character_is_refused(place: int, other: str) -> None:
    changed = TOKEN[:place] + other + TOKEN[place + 1 :]
    if changed != TOKEN:
        assert refused(changed) == "token_invalid"


@pytest.mark.proves("I2")
def test_a_signature_has_one_spelling() -> None:
    start = TOKEN.rindex(".")
    respelt = [TOKEN[:-1] + chr(code) for code in range(128)]
    padded = [TOKEN[:place] + more + TOKEN[place:] for place in range(start, len(TOKEN) + 1) for more in "=\n -_.!"]
    for changed in (*respelt, *padded):
        if changed != TOKEN:
            assert refused(changed) == "token_invalid"


@pytest.mark.proves("I2", "D1")
@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=64), st.integers(0, 300))
def test_any_changed_byte_of_the_claims_is_refused(noise: bytes, place: int) -> None:
    head, body, signature = TOKEN.split(".")
    raw = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    start = place % len(raw)
    raw[start : start + len(noise)] = noise
    changed = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    if changed != body:
        assert refused(f"{head}.{changed}.{signature}") == "token_invalid"


@pytest.mark.proves("I2")
@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join))
def test_no_text_that_was_not_minted_is_a_token(text: str) -> None:
    assert refused(text) in ("token_missing", "token_invalid")


def public_key(encoding: serialization.Encoding, form: serialization.PublicFormat) -> bytes:
    return KEY.public_key.public_bytes(encoding, form)


PUBLIC_FORMS = {
    "raw": public_key(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
    "PEM": public_key(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    "DER": public_key(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
}


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.proves("I2")
@pytest.mark.parametrize("form", PUBLIC_FORMS)
@pytest.mark.parametrize("name", ["HS256", "HS512"])
def test_the_public_key_is_no_shared_secret(form: str, name: str) -> None:
    signer = HMACAlgorithm(HMACAlgorithm.SHA256 if name == "HS256" else HMACAlgorithm.SHA512)
    message = f"{encoded({'alg': name, 'typ': 'JWT'})}.{encoded(claims())}"
    signature = base64.urlsafe_b64encode(signer.sign(message.encode(), PUBLIC_FORMS[form])).rstrip(b"=").decode()
    assert refused(f"{message}.{signature}") == "token_invalid"


@pytest.mark.proves("I2")
@pytest.mark.parametrize("name", ["none", "None", "NONE", "", "RS256", "ES256", "eddsa"])
def test_no_other_algorithm_is_accepted_whatever_the_header_says(name: str) -> None:
    signature = TOKEN.rpartition(".")[2]
    header = {"alg": name, "typ": "JWT"}
    for tail in ("", signature):
        assert refused(f"{encoded(header)}.{encoded(claims())}.{tail}") == "token_invalid"


@pytest.mark.proves("I2")
def test_a_token_without_an_algorithm_is_refused() -> None:
    assert refused(f"{encoded({'typ': 'JWT'})}.{encoded(claims())}.") == "token_invalid"


@pytest.mark.proves("I2")
@pytest.mark.parametrize("missing", [*REQUIRED_CLAIMS, "principal", "run", "case", "scope"])
def test_a_token_that_lacks_a_claim_is_refused(missing: str) -> None:
    short = claims()
    del short[missing]
    assert refused(signed(short)) in ("token_invalid", "token_malformed")


ODD: dict[str, dict[str, Any]] = {
    "another subject": {"sub": "selma"},
    "another issuer": {"iss": "https://elsewhere.example"},
    "several audiences": {"aud": [audience("case-facts"), audience("drafting")]},
    "an actor without a name": {"act": {"sub": ""}},
    "an actor that is none": {"act": "intake"},
    "an actor of nothing": {"act": {}},
    "a principal with more": {"principal": {**ROSA.model_dump(mode="json"), "admin": True}},
    "a principal that is none": {"principal": "rosa"},
    "a clearance there is not": {"principal": {**ROSA.model_dump(mode="json"), "clearance": "cosmic"}},
    "scopes that are no text": {"scope": ["*"]},
    "a run that is no text": {"run": 1},
    "no case at all": {"case": None},
    "an expiry that is no whole number": {"exp": NOW + 600.5},
    "an expiry that is true": {"exp": True},
    "an expiry in words": {"exp": str(NOW + 600)},
    "an issue time in words": {"iat": str(NOW)},
    "the future": {"iat": NOW + 120},
    "a past expiry": {"exp": NOW},
}


@pytest.mark.proves("I2", "D1")
@pytest.mark.parametrize("why", ODD)
def test_odd_claims_are_refused_even_with_the_right_signature(why: str) -> None:
    assert refused(signed(claims() | ODD[why])).startswith("token_")


@pytest.mark.proves("I2")
def test_a_token_ends_at_its_second_and_not_later() -> None:
    token = authority().mint(grant())
    assert verified(token, at=NOW + 599)
    assert refused(token, at=NOW + 600) == "token_expired"


@pytest.mark.proves("I2")
def test_a_token_of_another_key_is_refused() -> None:
    other = LocalTokenAuthority(SigningKey.generate(), ManualClock(NOW * NANOSECONDS))
    assert refused(other.mint(grant())) == "token_invalid"


@pytest.mark.proves("I2")
def test_no_token_and_a_huge_one_are_told_apart_in_the_audit_only() -> None:
    assert refused("") == "token_missing"
    assert refused("a" * (MAX_TOKEN_BYTES + 1)) == "token_malformed"


def test_a_token_says_no_more_than_it_needs() -> None:
    assert set(claims()) == {*REQUIRED_CLAIMS, "principal", "run", "case", "step", "scope", "act"}
    assert claims()["iss"] == LOCAL_ISSUER
