"""Attacks with tokens of an outside issuer: each is refused, and outside they cannot be told apart.

The audit tells them apart. Every row is made with the issuer's own key unless the attack is about
the key, so it is the one flaw that is refused and nothing else.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from jwt.algorithms import HMACAlgorithm
from mcp import Client
from mcp.shared.exceptions import MCPError

from casewright.clock import ManualClock
from casewright.contracts.principal import Actor, Principal
from casewright.errors import UnauthenticatedError
from casewright.identity.keys import SigningKey
from casewright.identity.tokens import LOCAL_ISSUER, Grant, LocalTokenAuthority
from casewright.services import Services
from commands.serving_app import build_app
from servers.boundary import HOW_TO_AUTHENTICATE
from servers.build import ServerFactory
from tests.support.installation import NOW_NS, POLICIES
from tests.support.issuers import ISSUER, NOW, PUBLIC_URL, Issuer, compact, edwards, elliptic, encoded, rivest

Attack = Callable[[Issuer], str]
ROSA = Principal(id="rosa", tenant="harborline", roles=("reviewer",), clearance="confidential")  # pyright: ignore[reportArgumentType]


def with_public_key_as_secret(issuer: Issuer) -> str:
    key: Any = PyJWK(issuer.key.public, algorithm="ES256").key
    secret = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signer = HMACAlgorithm(HMACAlgorithm.SHA256)
    message = f"{encoded(issuer.header(alg='HS256'))}.{encoded(issuer.claims())}"
    return f"{message}.{encoded(signer.sign(message.encode(), secret))}"


def with_own_key(**header: Any) -> Attack:
    """Signed by the attacker, who names the key in some way."""

    def made(issuer: Issuer) -> str:
        mine = elliptic("mine")
        given = {name: mine.public if name == "jwk" else value for name, value in header.items()}
        return compact(issuer.header(**given), issuer.claims(), mine.sign)

    return made


def with_header(**changes: Any) -> Attack:
    return lambda issuer: issuer.token(changes)


def saying(**claims: Any) -> Attack:
    return lambda issuer: issuer.token(None, **claims)


def doubled(name: str, value: Any) -> Attack:
    """A claim that is named twice: readers that keep the first and the last disagree."""

    def made(issuer: Issuer) -> str:
        text = json.dumps(issuer.claims())
        twice = f"{text[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}"
        return compact(issuer.header(), twice.encode(), issuer.key.sign)

    return made


def locally(principal: Principal = ROSA, *, issuer: str = "", claims: dict[str, Any] | None = None) -> Attack:
    """Signed by a local authority with a key of its own, or of another way to sign in."""

    def made(_issuer: Issuer) -> str:
        authority = LocalTokenAuthority(SigningKey.generate(), ManualClock(NOW_NS), vouched_by=issuer)
        actor = Actor(kind="user", run_id="run-1", case_id="HL-2026-0001")
        return authority.mint(Grant(principal=principal, actor=actor, server="case-facts", scopes=("get_case",)))

    return made


def of_our_own_key_before_the_change(services: Services) -> str:
    """What `casewright token` made here before an issuer was configured: any tool, for eight hours."""
    authority = LocalTokenAuthority(services.signing_key, services.clock)
    actor = Actor(kind="user", run_id="run-1", case_id="HL-2026-0001")
    return authority.mint(Grant(principal=ROSA, actor=actor, server="case-facts", scopes=("*",), seconds=28_800))


TWO = ["casewright:case-facts", "casewright:drafting"]
ATTACKS: dict[str, tuple[Attack, str]] = {
    "not signed": (lambda i: f"{encoded(i.header(alg='none'))}.{encoded(i.claims())}.", "token_algorithm"),
    "none in another spelling": (with_header(alg="nOnE"), "token_algorithm"),
    "the public key as a shared secret": (with_public_key_as_secret, "token_algorithm"),
    "an algorithm that is not allowed here": (with_header(alg="PS512"), "token_algorithm"),
    "another type of key's algorithm": (with_header(alg="RS256"), "token_key"),
    "no algorithm": (with_header(alg=None), "token_malformed"),
    "an algorithm that is a list": (with_header(alg=["ES256"]), "token_malformed"),
    "signed by somebody else": (with_own_key(), "token_invalid"),
    "with a key in its header": (with_own_key(jwk="mine"), "token_invalid"),
    "with an address of keys": (with_own_key(jku="https://evil.example/keys", kid="mine"), "token_key"),
    "with an address of certificates": (with_own_key(x5u="https://evil.example/x", kid="mine"), "token_key"),
    "an unknown key": (with_own_key(kid="mine"), "token_key"),
    "a key id that is a path": (with_own_key(kid="../../../../dev/null"), "token_key"),
    "a key id that is a query": (with_own_key(kid="x' UNION SELECT 'secret"), "token_key"),
    "a key id of another type": (with_header(kid=0), "token_malformed"),
    "a huge key id": (with_header(kid="k" * 300), "token_malformed"),
    "a header to be understood": (with_header(crit=["exp"]), "token_malformed"),
    "an unencoded payload": (with_header(b64=False, crit=["b64"]), "token_malformed"),
    "compressed": (with_header(zip="DEF"), "token_malformed"),
    "a token inside a token": (with_header(cty="JWT"), "token_malformed"),
    "an identity token": (with_header(typ="JWT"), "token_type"),
    "a logout token": (with_header(typ="logout+jwt"), "token_type"),
    "no type": (with_header(typ=None), "token_type"),
    "encrypted": (lambda i: f"{encoded({'alg': 'dir', 'enc': 'A128GCM'})}..AAAA.AAAA.AAAA", "token_malformed"),
    "of another issuer": (saying(iss="https://id.example/other"), "token_issuer"),
    "of an issuer with one slash more": (saying(iss=f"{ISSUER}/"), "token_issuer"),
    "no issuer": (saying(iss=None), "token_issuer"),
    "as if it were ours": (saying(iss=LOCAL_ISSUER), "token_invalid"),
    "for another server": (saying(aud="casewright:drafting"), "token_audience"),
    "for another server's address": (saying(aud=f"{PUBLIC_URL}/drafting/mcp"), "token_audience"),
    "for the orchestrator": (saying(aud="casewright:orchestrator"), "token_audience"),
    "for two of our servers": (saying(aud=TWO), "token_audience"),
    "for somebody else as well": (saying(aud=["casewright:case-facts", "mail"]), "token_audience"),
    "for a longer address": (saying(aud=f"{PUBLIC_URL}/case-facts/mcp/../drafting"), "token_audience"),
    "for nobody": (saying(aud=[]), "token_audience"),
    "no audience": (saying(aud=None), "token_audience"),
    "expired": (saying(iat=NOW - 400, nbf=NOW - 400, exp=NOW - 60), "token_expired"),
    "not yet valid": (saying(nbf=NOW + 61), "token_early"),
    "from the future": (saying(iat=NOW + 61, exp=NOW + 300), "token_early"),
    "for ever": (saying(exp=NOW + 10 * 365 * 86_400), "token_lifetime"),
    "an expiry with a fraction": (saying(exp=NOW + 300.5), "token_malformed"),
    "an expiry that is true": (saying(exp=True), "token_malformed"),
    "an expiry in words": (saying(exp=str(NOW + 300)), "token_malformed"),
    "no expiry": (saying(exp=None), "token_malformed"),
    "no issue time": (saying(iat=None), "token_malformed"),
    "no id": (saying(jti=None), "token_malformed"),
    "no person": (saying(sub=None), "token_subject"),
    "a person with a hidden character": (saying(sub="rosa\u200b"), "token_subject"),
    "a person in other letters": (saying(sub="\uff52osa"), "token_subject"),
    "everybody": (saying(sub="*"), "token_subject"),
    "no tenant": (saying(tenant=None), "token_tenant"),
    "two tenants": (saying(tenant=["harborline", "millbrook"]), "token_tenant"),
    "a tenant that is a path": (saying(tenant="../harborline"), "token_tenant"),
    "an agent": (saying(act={"sub": "executor"}), "token_actor"),
    "a run": (saying(run="run-1"), "token_actor"),
    "one who may act": (saying(may_act={"sub": "intake"}), "token_actor"),
    "a principal as we write it": (saying(principal={"id": "selma"}), "token_actor"),
    "exchanged already": (saying(idp=ISSUER), "token_actor"),
    "bound to a key that is not shown": (saying(cnf={"jkt": "x"}), "token_actor"),
    "a claim twice": (doubled("roles", ["supervisor"]), "token_malformed"),
    "the expiry twice": (doubled("exp", NOW + 300), "token_malformed"),
    "not a number": (
        lambda i: compact(i.header(), json.dumps(i.claims(x=float("nan"))).encode(), i.key.sign),
        "token_malformed",
    ),
    "too deep": (
        lambda i: compact(i.header(), b'{"a":' + b"[" * 2_500 + b"]" * 2_500 + b"}", i.key.sign),
        "token_malformed",
    ),
    "claims that are a list": (lambda i: compact(i.header(), b"[]", i.key.sign), "token_malformed"),
    "claims in another encoding": (lambda i: compact(i.header(), "{}".encode("utf-16"), i.key.sign), "token_malformed"),
    "huge": (saying(padding="x" * 9_000), "token_malformed"),
    "with another signature": (lambda i: i.token().rpartition(".")[0] + ".AAAA", "token_invalid"),
    "without its signature": (lambda i: i.token().rpartition(".")[0] + ".", "token_invalid"),
    "with spaces": (lambda i: i.token().replace(".", " ."), "token_malformed"),
    "in other letters": (lambda i: i.token() + "\u0661", "token_malformed"),
    "no token at all": (lambda i: "rosa", "token_malformed"),
    "of our own authority elsewhere": (locally(), "token_invalid"),
    "of our own authority elsewhere, for an issuer": (
        locally(ROSA.model_copy(update={"authentication": "mfa"}), issuer=ISSUER),
        "token_invalid",
    ),
}


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """A data folder with nothing but its key: what verifying needs."""
    folder = tmp_path / "light"
    folder.mkdir()
    SigningKey.generate().save(folder / "signing-key.pem")
    return folder


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


async def code_of(services: Services, token: str) -> str:
    with pytest.raises(UnauthenticatedError) as refusal:
        await services.tokens.verify(token, server="case-facts")
    return refusal.value.code


@pytest.mark.proves("I2", "D1")
@pytest.mark.parametrize("why", ATTACKS)
async def test_the_attack_is_refused_for_its_own_flaw(issuer: Issuer, light: Path, why: str) -> None:
    made, code = ATTACKS[why]
    services = issuer.services(light)
    assert (await services.tokens.verify(issuer.token(), server="case-facts")).principal.id == "rosa"
    assert await code_of(services, made(issuer)) == code


@pytest.mark.proves("I2", "D1", "G1")
async def test_outside_no_attack_can_be_told_from_another(issuer: Issuer, home: Path) -> None:
    """On HTTP one status, one challenge, one body; in memory one error; the reasons are in the audit."""
    services = issuer.services(home)
    app = build_app(services, ("case-facts",), host="127.0.0.1", port=8750)
    tokens = {why: made(issuer) for why, (made, _) in ATTACKS.items()}
    answers: set[tuple[int, str, str]] = set()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=PUBLIC_URL) as http:
        for token in tokens.values():
            sent = [(b"authorization", f"Bearer {token}".encode())]
            answer = await http.post("/case-facts/mcp", json={"method": "tools/list"}, headers=sent)
            answers.add((answer.status_code, answer.headers["www-authenticate"], answer.text))
    ((status, challenge, body),) = answers
    assert status == 401
    assert 'error="invalid_token"' in challenge
    assert f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource/case-facts/mcp"' in challenge
    assert not any(code in body + challenge for _, code in ATTACKS.values())

    factory, said = ServerFactory(services), set[str]()
    for token in tokens.values():
        async with Client(factory.build("case-facts", token), read_timeout_seconds=20) as client:
            with pytest.raises(MCPError) as refusal:
                await client.list_tools()
            said.add(refusal.value.error.message)
    assert said == {HOW_TO_AUTHENTICATE}
    events = await services.audit.events(tenant="", run_id="")
    codes = [event.body["code"] for event in events if event.kind == "call.denied"]
    assert sorted(codes) == sorted(code for _, code in ATTACKS.values())
    await services.close()


@pytest.mark.proves("I2")
async def test_a_token_from_before_the_issuer_was_configured_ends_with_the_change(issuer: Issuer, light: Path) -> None:
    services = issuer.services(light)
    assert await code_of(services, of_our_own_key_before_the_change(services)) == "token_origin"


@pytest.mark.proves("I2")
async def test_our_own_authority_speaks_for_nobody_local_beside_an_issuer(issuer: Issuer, light: Path) -> None:
    """Even with the right key and the issuer's name: nobody local, and never any tool at all."""
    services = issuer.services(light)
    own = LocalTokenAuthority(services.signing_key, services.clock, vouched_by=ISSUER)
    actor = Actor(kind="user", run_id="run-1", case_id="HL-2026-0001")
    vouched = ROSA.model_copy(update={"authentication": "mfa"})
    good = own.mint(Grant(principal=vouched, actor=actor, server="case-facts", scopes=("get_case",)))
    assert (await services.tokens.verify(good, server="case-facts")).principal == vouched
    claims = jwt.decode(good, options={"verify_signature": False})

    def signed(**changes: Any) -> str:
        return jwt.encode(claims | changes, services.signing_key.private_key, algorithm="EdDSA")

    local, anything = signed(principal=ROSA.model_dump(mode="json")), signed(scope="*")
    assert await code_of(services, signed(idp="https://id.example/other")) == "token_origin"
    assert await code_of(services, local) == "token_origin"
    assert await code_of(services, anything) == "token_origin"


@pytest.mark.proves("I2")
@pytest.mark.parametrize("make", [elliptic, edwards, rivest])
async def test_every_allowed_kind_of_key_verifies(tmp_path: Path, light: Path, make: Callable[[str], Any]) -> None:
    issuer = Issuer(tmp_path, key=make("now"), others=(elliptic("other"), edwards("another")))
    for audience in ("casewright:case-facts", f"{PUBLIC_URL}/case-facts/mcp", [f"{PUBLIC_URL}/case-facts/mcp"]):
        caller = await issuer.services(light).tokens.verify(issuer.token(aud=audience), server="case-facts")
        assert (caller.principal.id, caller.principal.tenant, caller.audience) == (
            "rosa",
            "harborline",
            "casewright:case-facts",
        )
        assert (caller.actor.kind, caller.actor.agent, caller.actor.case_id) == ("user", "", "")
        assert "get_case" in caller.scopes
        assert "*" not in caller.scopes


@pytest.mark.proves("I2")
async def test_an_audience_that_is_mapped_opens_its_server_and_no_other(issuer: Issuer, light: Path) -> None:
    mapping = json.loads(issuer.mapping.read_text()) | {"audiences": {"case-facts": ["app-1"], "drafting": ["app-2"]}}
    issuer.mapping.write_text(json.dumps(mapping))
    services = issuer.services(light)
    assert await services.tokens.verify(issuer.token(aud="app-1"), server="case-facts")
    for other in ("app-2", ["app-1", "app-2"], "app-3"):
        assert await code_of(services, issuer.token(aud=other)) == "token_audience"


@pytest.mark.proves("I2")
async def test_clocks_may_differ_by_a_minute_and_not_by_more(issuer: Issuer, light: Path) -> None:
    clock = ManualClock(NOW_NS)
    services = issuer.services(light, clock)
    early, token = issuer.token(iat=NOW + 60, nbf=NOW + 60), issuer.token()
    assert await services.tokens.verify(early, server="case-facts")
    clock.advance(seconds=359)
    assert await services.tokens.verify(token, server="case-facts")
    clock.advance(seconds=1)
    assert await code_of(services, token) == "token_expired"


@pytest.mark.proves("I2")
async def test_policies_are_what_the_tokens_scopes_are_read_against(issuer: Issuer, light: Path) -> None:
    assert POLICIES.is_dir()
    services = issuer.services(light)
    wanted = {
        "case-facts:read": {"get_case", "list_cases"},
        "get_case drop_case *": {"get_case"},
        "drafting:write execute_action": set[str](),
        "": set[str](),
    }
    for scope, tools in wanted.items():
        caller = await services.tokens.verify(issuer.token(scope=scope), server="case-facts")
        assert tools <= set(caller.scopes)
        assert scope == "case-facts:read" or set(caller.scopes) == tools
