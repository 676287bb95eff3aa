"""Token exchange: whatever is asked for, the token is never wider than the person, the agent or the time."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.clock import NANOSECONDS, ManualClock
from casewright.contracts.case import Classification
from casewright.contracts.principal import SERVERS, Actor, Caller, Principal, ServerName
from casewright.errors import (
    CasewrightError,
    DeniedError,
    InputError,
    NotFoundError,
    StorageError,
    UnauthenticatedError,
)
from casewright.identity.exchange import PERSONAL_SECONDS, TokenExchange, narrower, narrower_tools
from casewright.identity.keys import SigningKey
from casewright.identity.local import sample_identities
from casewright.identity.standing import KeptStandings, LocalStandings, Standing
from casewright.identity.tokens import DELEGATED_SECONDS, Grant, LocalTokenAuthority
from casewright.identity.vocabulary import VocabularyFile
from casewright.services import Services
from tests.support.installation import NOW_NS, POLICIES
from tests.support.issuers import ISSUER, NOW, PUBLIC_URL, Issuer

NAMES = VocabularyFile(POLICIES)
LEVELS = list(Classification)
KEY = SigningKey.generate()
ALL_TOOLS = [f"{server}/{tool}" for server in SERVERS for tool in NAMES.current().tools_of(server)]
AGENTS = [*NAMES.current().agents, "nobody"]

people = st.builds(
    Principal,
    id=st.sampled_from(["rosa", "tomas"]),
    tenant=st.sampled_from(["harborline", "millbrook"]),
    roles=st.lists(st.sampled_from(["reviewer", "supervisor", "auditor"]), unique=True).map(tuple),
    clearance=st.sampled_from(LEVELS),
    labels=st.lists(st.sampled_from(["fraud-ops", "staff"]), unique=True).map(tuple),
    authenticated_at=st.integers(0, NOW),
    authentication=st.sampled_from(["password", "mfa", "service"]),
)
standings = st.builds(
    Standing,
    principal=people,
    tools=st.lists(st.sampled_from(ALL_TOOLS), unique=True).map(tuple),
    until=st.integers(NOW - 100, NOW + 2_000),
)


class OneStanding:
    """How the one person stands."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def find(self, identity: str) -> Principal:
        return self.standing(identity).principal

    def standing(self, identity: str) -> Standing:
        if identity != self._standing.principal.id:
            raise NotFoundError(f"{identity!r} is unknown")
        return self._standing


def exchange_of(standing: Standing) -> tuple[TokenExchange, LocalTokenAuthority]:
    clock = ManualClock(NOW_NS)
    authority = LocalTokenAuthority(KEY, clock, vouched_by=ISSUER)
    return TokenExchange(authority, OneStanding(standing), NAMES, clock), authority


def agent(name: str = "intake", **changes: Any) -> Actor:
    return Actor.model_validate({"kind": "agent", "agent": name, "run_id": "run-1", "case_id": "HL-1", **changes})


def assert_no_wider(caller: Caller, asked: Principal, own: Standing, server: ServerName) -> None:
    found = caller.principal
    for wide in (asked, own.principal):
        assert (found.id, found.tenant) == (wide.id, wide.tenant)
        assert set(found.roles) <= set(wide.roles)
        assert set(found.labels) <= set(wide.labels)
        assert LEVELS.index(found.clearance) <= LEVELS.index(wide.clearance)
        assert found.authenticated_at <= wide.authenticated_at
        assert found.authentication in ("password", wide.authentication)
    assert {f"{server}/{tool}" for tool in caller.scopes} <= set(own.tools)
    assert caller.expires_at <= own.until
    assert caller.audience == f"casewright:{server}"


@pytest.mark.proves("I2", "D1")
@settings(max_examples=400, deadline=None)
@given(
    people,
    standings,
    st.sampled_from(AGENTS),
    st.sampled_from(SERVERS),
    st.lists(st.sampled_from([*ALL_TOOLS, "get_case", "execute_action", "save_draft", "*", "drop_case"])),
)
def test_a_delegated_token_is_never_wider_than_person_agent_and_time(
    asked: Principal, own: Standing, name: str, server: ServerName, tools: list[str]
) -> None:
    exchange, authority = exchange_of(own)
    wanted = [tool.rpartition("/")[2] for tool in tools]
    try:
        token = exchange.delegate(asked, agent(name), server, wanted)
    except CasewrightError:
        return
    caller = asyncio.run(authority.verify(token, server=server))
    assert_no_wider(caller, asked, own, server)
    assert set(caller.scopes) <= set(wanted) - {"*"}
    assert set(caller.scopes) <= NAMES.current().agent_tools(name, server)
    assert caller.expires_at <= NOW + DELEGATED_SECONDS
    assert (caller.actor.kind, caller.actor.agent, caller.actor.run_id) == ("agent", name, "run-1")
    for other in SERVERS:
        if other != server:
            with pytest.raises(UnauthenticatedError):
                asyncio.run(authority.verify(token, server=other))


@pytest.mark.proves("I2", "D1")
@settings(max_examples=200, deadline=None)
@given(people, standings, st.sampled_from(SERVERS), st.integers(1, 5_000))
def test_a_persons_own_token_is_never_wider_than_their_standing(
    asked: Principal, own: Standing, server: ServerName, seconds: int
) -> None:
    exchange, authority = exchange_of(own)
    actor = Actor(kind="user", run_id="session-1", case_id="HL-1")
    try:
        made = exchange.personal(asked, actor, server, seconds=seconds)
    except CasewrightError:
        return
    caller = asyncio.run(authority.verify(made.token, server=server))
    assert_no_wider(caller, asked, own, server)
    assert caller.expires_at <= NOW + seconds
    assert (caller.actor, made.seconds) == (actor, caller.expires_at - NOW)


@pytest.mark.proves("I2")
def test_a_person_with_every_right_hands_an_agent_its_own_tools() -> None:
    """The positive control: the properties above are not kept by refusing everything."""
    boss = Principal(id="selma", tenant="harborline", roles=("supervisor",), clearance=Classification.RESTRICTED)
    vouched = boss.model_copy(update={"authentication": "mfa"})
    exchange, authority = exchange_of(Standing(principal=vouched, tools=tuple(ALL_TOOLS), until=NOW + 9_000))
    token = exchange.delegate(vouched, agent("drafter"), "drafting", ["save_draft", "get_draft", "execute_action"])
    caller = asyncio.run(authority.verify(token, server="drafting"))
    assert (caller.principal, caller.scopes) == (vouched, ("get_draft", "save_draft"))
    assert caller.expires_at == NOW + DELEGATED_SECONDS


ROSA = Principal(
    id="rosa", tenant="harborline", roles=("reviewer",), clearance=Classification.INTERNAL, authentication="mfa"
)
GOOD = Standing(principal=ROSA, tools=tuple(ALL_TOOLS), until=NOW + 60)


@pytest.mark.proves("I2", "D1")
@pytest.mark.parametrize(
    ("actor", "person", "own"),
    [
        (Actor(kind="user", run_id="run-1", case_id="HL-1"), ROSA, GOOD),
        (agent(""), ROSA, GOOD),
        (agent(run_id=""), ROSA, GOOD),
        (agent(case_id=""), ROSA, GOOD),
        (agent(), ROSA.model_copy(update={"tenant": "millbrook"}), GOOD),
        (agent(), ROSA.model_copy(update={"id": "selma"}), GOOD),
        (agent(), ROSA, GOOD.model_copy(update={"until": NOW})),
        (agent(), ROSA, GOOD.model_copy(update={"principal": ROSA.model_copy(update={"tenant": "millbrook"})})),
    ],
)
def test_nobody_is_delegated_to_without_run_case_and_a_person_who_stands(
    actor: Actor, person: Principal, own: Standing
) -> None:
    with pytest.raises((DeniedError, NotFoundError)):
        exchange_of(own)[0].delegate(person, actor, "case-facts", ["get_case"])


@pytest.mark.proves("I2")
def test_a_local_identity_or_any_tool_at_all_is_never_signed_for_beside_an_issuer() -> None:
    _, authority = exchange_of(GOOD)
    local = ROSA.model_copy(update={"authentication": "local"})
    for person, scopes in ((local, ("get_case",)), (ROSA, ("*",))):
        with pytest.raises(InputError, match="CASEWRIGHT_TOKEN"):
            authority.mint(Grant(principal=person, actor=agent(), server="case-facts", scopes=scopes))


def test_what_was_taken_from_a_person_meanwhile_is_not_handed_on() -> None:
    more = ROSA.model_copy(update={"roles": ("reviewer", "supervisor"), "labels": ("fraud-ops",)})
    assert narrower(more, ROSA) == ROSA
    assert narrower(ROSA, more) == ROSA


@given(st.lists(st.sampled_from("abc*")), st.lists(st.lists(st.sampled_from("abc*")), max_size=3))
def test_tools_are_what_every_limit_has(asked: list[str], limits: list[Iterable[str]]) -> None:
    found = narrower_tools(asked, *limits)
    assert "*" not in found
    assert all(tool in asked and all(tool in limit or "*" in limit for limit in limits) for tool in found)


def test_a_removed_local_identity_stands_no_more() -> None:
    folk = sample_identities()
    standing = LocalStandings(lambda: folk, ManualClock(NOW_NS))
    assert standing.standing("rosa").tools == ("*",)
    folk = folk.model_copy(update={"people": folk.people[1:]})
    with pytest.raises(NotFoundError):
        standing.standing("rosa")


@pytest.mark.proves("I2")
def test_a_kept_standing_ends_by_time_by_command_and_by_any_change(tmp_path: Path) -> None:
    clock = ManualClock(NOW_NS)
    kept = KeptStandings(tmp_path / "standings", clock, issuer=ISSUER)
    with pytest.raises(NotFoundError, match="signed in"):
        kept.find("rosa")
    kept.remember(GOOD)
    assert kept.standing("rosa") == GOOD
    with pytest.raises(NotFoundError):
        KeptStandings(tmp_path / "standings", clock, issuer=f"{ISSUER}/other").find("rosa")
    (path,) = (tmp_path / "standings").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    clock.advance(seconds=60)
    with pytest.raises(NotFoundError, match="believed"):
        kept.find("rosa")
    kept.remember(GOOD.model_copy(update={"tools": ("*",), "until": NOW + 900}))
    with pytest.raises(StorageError, match="contradicts"):
        kept.find("rosa")
    path.write_text(GOOD.model_dump_json().replace("rosa", "selma"))
    with pytest.raises(StorageError, match="contradicts"):
        kept.find("rosa")
    path.write_text("{}")
    with pytest.raises(StorageError, match="delete"):
        kept.find("rosa")
    kept.forget("rosa")
    with pytest.raises(NotFoundError):
        kept.forget("rosa")


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


@pytest.fixture
def services(issuer: Issuer, tmp_path: Path) -> Services:
    """Services with a key and nothing else: an exchange needs no more."""
    (tmp_path / "light").mkdir()
    KEY.save(tmp_path / "light" / "signing-key.pem")
    return issuer.services(tmp_path / "light", ManualClock(NOW_NS))


@pytest.mark.proves("I2")
async def test_a_persons_token_is_exchanged_for_one_server_and_one_case(issuer: Issuer, services: Services) -> None:
    scope = "case-facts:read drafting:read"
    for audience in ("casewright:orchestrator", PUBLIC_URL, f"{PUBLIC_URL}/case-facts/mcp"):
        token = issuer.token(aud=audience, scope=scope, exp=NOW + 120)
        made = await services.person_exchange.exchange(token, "case-facts", case_id="HL-2026-0001")
        caller = await services.tokens.verify(made.token, server="case-facts")
        assert (caller.principal.id, caller.actor.kind, caller.actor.case_id) == ("rosa", "user", "HL-2026-0001")
        assert caller.expires_at == NOW + 120
        assert set(caller.scopes) == set(NAMES.current().tools_named("case-facts:read", "case-facts"))
    long = issuer.token(aud=PUBLIC_URL, scope=scope, exp=NOW + 86_400)
    made = await services.person_exchange.exchange(long, "case-facts", scopes=("get_case", "save_draft", "*"))
    assert (made.scopes, made.seconds) == (("get_case",), PERSONAL_SECONDS)


@pytest.mark.proves("I2", "D1")
async def test_an_exchange_gives_nothing_for_a_token_of_another_purpose(issuer: Issuer, services: Services) -> None:
    own = await services.person_exchange.exchange(issuer.token(aud=PUBLIC_URL), "case-facts")
    refused = {
        "for another server": issuer.token(aud="casewright:drafting"),
        "expired within the skew": issuer.token(aud=PUBLIC_URL, iat=NOW - 30, nbf=NOW - 30, exp=NOW - 10),
        "of our own making": own.token,
        "an agent's": issuer.token(aud=PUBLIC_URL, act={"sub": "intake"}),
    }
    for token in refused.values():
        with pytest.raises(UnauthenticatedError):
            await services.person_exchange.exchange(token, "case-facts")
    with pytest.raises(UnauthenticatedError):  # a token for a server signs nobody in
        await services.person_exchange.sign_in(issuer.token())
    with pytest.raises(NotFoundError):
        services.standings.find("rosa")


@pytest.mark.proves("I2")
async def test_a_person_who_signed_in_can_be_acted_for_until_they_are_forgotten(
    issuer: Issuer, services: Services
) -> None:
    person = await services.person_exchange.sign_in(issuer.token(aud="casewright:orchestrator"))
    token = services.exchange.delegate(person, agent(), "case-facts", ["get_case", "list_cases"])
    caller = await services.tokens.verify(token, server="case-facts")
    assert (caller.principal, caller.scopes) == (person, ("get_case",))
    KeptStandings(services.settings.standings, services.clock, issuer=ISSUER).forget("rosa")
    with pytest.raises(NotFoundError):
        services.exchange.delegate(person, agent(), "case-facts", ["get_case"])


@pytest.mark.proves("I2")
async def test_a_case_that_the_issuer_names_cannot_be_exchanged_for_another(issuer: Issuer, services: Services) -> None:
    mapping = issuer.mapping.read_text().replace("{", '{"case": "case", ', 1)
    issuer.mapping.write_text(mapping)
    token = issuer.token(aud=PUBLIC_URL, case="HL-2026-0001")
    made = await services.person_exchange.exchange(token, "case-facts")
    assert made.case_id == "HL-2026-0001"
    with pytest.raises(UnauthenticatedError):
        await services.person_exchange.exchange(token, "case-facts", case_id="HL-2026-0002")


def test_a_second_of_skew_never_lengthens_what_is_handed_on() -> None:
    exchange, authority = exchange_of(GOOD.model_copy(update={"until": NOW + 1}))
    token = exchange.delegate(ROSA, agent(), "case-facts", ["get_case"])
    assert asyncio.run(authority.verify(token, server="case-facts")).expires_at == NOW + 1
    later = LocalTokenAuthority(KEY, ManualClock((NOW + 1) * NANOSECONDS), vouched_by=ISSUER)
    with pytest.raises(UnauthenticatedError):
        asyncio.run(later.verify(token, server="case-facts"))
