"""Who there is to be asked: local identities, or people of an issuer who are still believed."""

from pathlib import Path

from casewright.approvals.people import known_people
from casewright.clock import NANOSECONDS, ManualClock
from casewright.identity.standing import KeptStandings, Standing
from tests.unit.approvals.organisation import PEOPLE, organisation
from tests.unit.audit.kernel import IDRIS, ROSA, SELMA, START_NS

NOW = START_NS // NANOSECONDS


def kept(folder: Path, clock: ManualClock, issuer: str = "https://issuer.example") -> KeptStandings:
    return KeptStandings(folder, clock, issuer=issuer)


async def test_with_local_identities_everybody_is_known(office: Path) -> None:
    async with organisation(office) as world:
        assert known_people(world.services) == PEOPLE


def test_of_an_issuers_people_those_who_are_still_believed_are_known(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    standings = kept(tmp_path / "standings", clock)
    assert standings.everybody() == ()
    for person, seconds in ((SELMA, 100), (IDRIS, 10), (ROSA, 100)):
        standings.remember(Standing(principal=person, tools=("admin/vote_approval",), until=NOW + seconds))
    assert standings.everybody() == (IDRIS, ROSA, SELMA)
    clock.advance(seconds=50)
    assert standings.everybody() == (ROSA, SELMA)
    standings.forget("rosa")
    assert standings.everybody() == (SELMA,)


def test_what_another_issuer_said_or_cannot_be_read_makes_nobody_known(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    folder = tmp_path / "standings"
    for issuer, person in (("https://other.example", SELMA), ("https://issuer.example", IDRIS)):
        said = Standing(principal=person, tools=("admin/vote_approval",), until=NOW + 100)
        kept(folder, clock, issuer).remember(said)
    (folder / "torn.json").write_text('{"principal": ')
    (folder / "selma.json").write_text(Standing(principal=SELMA, tools=("*",), until=NOW + 100).model_dump_json())
    assert kept(folder, clock).everybody() == (IDRIS,)
