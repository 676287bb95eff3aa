"""Keys of an issuer: fetched, kept, rotated and given up, with a clock that stands still."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.clock import ManualClock
from casewright.errors import UnavailableError
from casewright.identity.jose import Header, KeySetError, read_key_set
from casewright.identity.keyset import COOL_DOWN_SECONDS, FRESH_SECONDS, KEEP_SECONDS, IssuerKeys, metadata_addresses
from casewright.identity.settings import IssuerSettings
from tests.support.installation import NOW_NS
from tests.support.issuers import ISSUER, SigningPair, edwards, elliptic, rivest

KEYS_URL = "https://id.example/keys"
OLD, NEW = elliptic("old"), elliptic("new")


def document(*pairs: SigningPair, **more: Any) -> bytes:
    return json.dumps({"keys": [pair.public for pair in pairs], **more}).encode()


def named(key_id: str, algorithm: str = "ES256") -> Header:
    return Header(algorithm=algorithm, key_id=key_id, type="at+jwt")


class Script:
    """Answers fetches in order; one more or one less than expected fails."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self._answers: Iterator[bytes | Exception] = iter(answers)
        self.asked: list[str] = []

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        answer = next(self._answers, None)
        assert answer is not None, f"an unexpected fetch of {address!r}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    def done(self) -> bool:
        return next(self._answers, None) is None


def keys_of(script: Script, *, keys: str = KEYS_URL) -> tuple[IssuerKeys, ManualClock]:
    clock = ManualClock(NOW_NS)
    return IssuerKeys(IssuerSettings(issuer=ISSUER, keys=keys, claims=Path("claims.json")), clock, script), clock


@pytest.mark.proves("I2")
async def test_keys_are_fetched_once_while_they_are_fresh() -> None:
    script = Script(document(OLD), document(OLD))
    keys, clock = keys_of(script)
    for _ in range(5):
        assert await keys.find(named("old"))
    clock.advance(seconds=FRESH_SECONDS - 1)
    assert await keys.find(named("old"))
    assert len(script.asked) == 1
    clock.advance(seconds=1)
    assert await keys.find(named("old"))
    assert script.done()


@pytest.mark.proves("I2")
async def test_a_rotation_is_followed_at_once_and_the_old_key_ends_with_it() -> None:
    script = Script(document(OLD), document(NEW))
    keys, clock = keys_of(script)
    assert await keys.find(named("old"))
    clock.advance(seconds=COOL_DOWN_SECONDS)
    assert await keys.find(named("new"))
    assert await keys.find(named("old")) is None
    assert script.done()


@pytest.mark.proves("I2")
async def test_made_up_key_ids_cost_one_fetch_in_a_cool_down() -> None:
    script = Script(document(OLD), document(OLD))
    keys, clock = keys_of(script)
    assert await keys.find(named("old"))
    clock.advance(seconds=COOL_DOWN_SECONDS)
    for number in range(50):
        assert await keys.find(named(f"made-up-{number}")) is None
    assert len(script.asked) == 2
    assert script.done()


@pytest.mark.proves("I2")
async def test_everybody_who_comes_during_a_rotation_is_served_by_one_fetch() -> None:
    script = Script(document(OLD), document(OLD, NEW))
    keys, clock = keys_of(script)
    assert await keys.find(named("old"))
    clock.advance(seconds=COOL_DOWN_SECONDS)
    found: list[bool] = []

    async def ask(key_id: str) -> None:
        found.append(await keys.find(named(key_id)) is not None)

    async with anyio.create_task_group() as group:
        for number in range(40):
            group.start_soon(ask, "new" if number % 2 else "old")
    assert found == [True] * 40
    assert script.done()


@pytest.mark.proves("I2", "D4")
async def test_while_the_issuer_is_away_the_last_keys_serve_and_then_nothing_does() -> None:
    away = [OSError("refused")] * 400
    script = Script(document(OLD), *away)
    keys, clock = keys_of(script)
    assert await keys.find(named("old"))
    for _ in range(KEEP_SECONDS // FRESH_SECONDS - 1):
        clock.advance(seconds=FRESH_SECONDS)
        assert await keys.find(named("old"))
    clock.advance(seconds=FRESH_SECONDS)
    for _ in range(3):
        with pytest.raises(UnavailableError, match=ISSUER):
            await keys.find(named("old"))


@pytest.mark.proves("I2")
async def test_an_issuer_that_comes_back_is_believed_again() -> None:
    script = Script(OSError("refused"), document(OLD))
    keys, clock = keys_of(script)
    with pytest.raises(UnavailableError):
        await keys.find(named("old"))
    with pytest.raises(UnavailableError):  # within the cool-down nobody asks again
        await keys.find(named("old"))
    clock.advance(seconds=COOL_DOWN_SECONDS)
    assert await keys.find(named("old"))
    assert script.done()


@pytest.mark.proves("I2", "D4")
async def test_a_clock_that_goes_back_makes_keys_old_and_not_young() -> None:
    script = Script(document(OLD), OSError("refused"))
    keys, clock = keys_of(script)
    assert await keys.find(named("old"))
    clock.advance(seconds=-60)
    with pytest.raises(UnavailableError):
        await keys.find(named("old"))
    assert script.done()


ODD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<html>",
    "a list": b"[]",
    "no keys": b'{"keys": []}',
    "keys that are none": b'{"keys": {}}',
    "a key that is none": b'{"keys": ["x"]}',
    "keys named twice": b'{"keys": [], "keys": []}',
    "a shared secret": b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "old"}]}',
    "a private key": json.dumps({"keys": [{**OLD.public, "d": "AAAA"}]}).encode(),
    "two keys of one id": json.dumps({"keys": [OLD.public, {**NEW.public, "kid": "old"}]}).encode(),
    "a short key": document(rivest("old", bits=1024)),
    "a point off the curve": json.dumps({"keys": [{**OLD.public, "y": OLD.public["x"]}]}).encode(),
    "a key for encryption": json.dumps({"keys": [{**OLD.public, "use": "enc"}]}).encode(),
    "a key that may not verify": json.dumps({"keys": [{**OLD.public, "key_ops": ["sign"]}]}).encode(),
    "a key of a foreign algorithm": json.dumps({"keys": [{**OLD.public, "alg": "HS256"}]}).encode(),
    "too many keys": json.dumps({"keys": [OLD.public] * 65}).encode(),
}


@pytest.mark.proves("I2", "D4")
@pytest.mark.parametrize("why", ODD)
async def test_an_odd_key_set_leaves_the_last_good_one(why: str) -> None:
    with pytest.raises(KeySetError):
        read_key_set(ODD[why])
    script = Script(document(OLD), ODD[why])
    keys, clock = keys_of(script)
    assert await keys.find(named("old"))
    clock.advance(seconds=FRESH_SECONDS)
    assert await keys.find(named("old"))
    assert script.done()


@pytest.mark.proves("I2")
async def test_a_key_serves_its_own_algorithm_only_and_no_id_only_where_there_is_no_choice() -> None:
    lonely = read_key_set(document(elliptic("a"), edwards("b"), rivest("c")))
    for algorithm, key_id in (("ES256", "a"), ("EdDSA", "b"), ("RS256", "c"), ("PS256", "c")):
        found = lonely.find(named("", algorithm))
        assert found is not None
        assert found.key_id == key_id
        assert lonely.find(named("a", algorithm)) is None or key_id == "a"
    assert read_key_set(document(OLD, NEW)).find(named("")) is None


METADATA = json.dumps({"issuer": ISSUER, "jwks_uri": KEYS_URL}).encode()
OF_ANOTHER = json.dumps({"issuer": "https://id.example/other", "jwks_uri": KEYS_URL}).encode()
ELSEWHERE = json.dumps({"issuer": ISSUER, "jwks_uri": "http://id.example/keys"}).encode()


@pytest.mark.proves("I2")
async def test_keys_are_discovered_at_either_well_known_address() -> None:
    first, second = metadata_addresses(ISSUER)
    assert first == "https://id.example/realm/.well-known/openid-configuration"
    assert second == "https://id.example/.well-known/oauth-authorization-server/realm"
    script = Script(METADATA, document(OLD))
    assert await keys_of(script, keys="")[0].find(named("old"))
    assert script.asked == [first, KEYS_URL]
    script = Script(ValueError("404"), METADATA, document(OLD))
    assert await keys_of(script, keys="")[0].find(named("old"))
    assert script.asked == [first, second, KEYS_URL]


@pytest.mark.proves("I2")
@pytest.mark.parametrize("answer", [OF_ANOTHER, ELSEWHERE, b"{}", b"[]", b'{"issuer": 1}'])
async def test_metadata_of_another_issuer_or_with_an_insecure_address_is_not_followed(answer: bytes) -> None:
    script = Script(answer, answer)
    with pytest.raises(UnavailableError):
        await keys_of(script, keys="")[0].find(named("old"))
    assert KEYS_URL not in script.asked


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text("ab", max_size=5), st.lists).map(lambda j: json.dumps(j).encode())
)
def test_no_bytes_that_are_not_keys_are_read_as_keys(data: bytes) -> None:
    with pytest.raises(KeySetError):
        read_key_set(data)
