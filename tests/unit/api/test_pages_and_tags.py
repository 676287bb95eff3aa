"""Pages that new entries do not shift, and tags that name content."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ApiProblemError
from api.pages import Cursors, Position, place_of
from casewright.identity.keys import SigningKey
from tests.support.api import Api, problem
from tests.support.installation import CASE

pytestmark = pytest.mark.thorough
CURSORS = Cursors(SigningKey.generate())
PLACE = place_of("harborline", "rosa", "runs", case_id="", status="")
POSITIONS = st.lists(st.integers(0, 2**53) | st.text(max_size=20), min_size=1, max_size=3).map(tuple)


@given(POSITIONS)
def test_a_cursor_gives_back_its_position(position: Position) -> None:
    assert CURSORS.read(PLACE, CURSORS.make(PLACE, position)) == position


@given(POSITIONS, st.data())
def test_a_cursor_with_any_other_character_is_refused(position: Position, data: st.DataObject) -> None:
    made = CURSORS.make(PLACE, position)
    place = data.draw(st.integers(0, len(made) - 2))  # the last one may carry bits that count for nothing
    other = data.draw(st.sampled_from([letter for letter in "ABCxyz019_-" if letter != made[place]]))
    with pytest.raises(ApiProblemError):
        CURSORS.read(PLACE, made[:place] + other + made[place + 1 :])


@pytest.mark.parametrize(
    "place",
    [
        place_of("harborline", "selma", "runs", case_id="", status=""),
        place_of("millbrook", "rosa", "runs", case_id="", status=""),
        place_of("harborline", "rosa", "cases", case_id="", status=""),
        place_of("harborline", "rosa", "runs", case_id=CASE, status=""),
    ],
)
def test_a_cursor_holds_for_one_person_one_list_and_its_filters(place: str) -> None:
    with pytest.raises(ApiProblemError):
        CURSORS.read(place, CURSORS.make(PLACE, (1, "run-1")))


def test_another_installation_makes_other_cursors() -> None:
    with pytest.raises(ApiProblemError):
        Cursors(SigningKey.generate()).read(PLACE, CURSORS.make(PLACE, (1, "run-1")))


@pytest.mark.proves("E8")
async def test_pages_show_every_run_once_although_others_are_begun_meanwhile(api: Api) -> None:
    begun: list[str] = []
    for _ in range(5):
        api.world.clock.advance(seconds=1)
        begun.append(await api.begun())
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(6):
        page = (await api.get("/v1/runs", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [item["run_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        api.world.clock.advance(seconds=1)
        await api.begun()  # newer than all: it belongs before the first page
        if cursor is None:
            break
    assert seen == list(reversed(begun))


async def test_a_list_shows_what_its_reader_may_read_and_its_filters_ask_for(api: Api) -> None:
    mine = await api.begun()
    theirs = await api.begun("HL-2026-0003", by="selma")
    everything = {item["run_id"] for item in (await api.get("/v1/runs", by="selma")).json()["items"]}
    assert everything == {mine, theirs}
    assert [item["run_id"] for item in (await api.get("/v1/runs", by="lena")).json()["items"]] == []
    filtered = (await api.get("/v1/runs", params={"case_id": CASE}, by="selma")).json()["items"]
    assert [item["run_id"] for item in filtered] == [mine]
    assert (await api.get("/v1/runs", params={"status": "completed"}, by="selma")).json()["items"] == []


@pytest.mark.proves("E8")
async def test_what_is_known_is_not_sent_again_until_it_changes(api: Api) -> None:
    run_id = await api.begun()
    first = await api.get(f"/v1/runs/{run_id}")
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await api.get(f"/v1/runs/{run_id}", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await api.get(f"/v1/runs/{run_id}", headers={"if-none-match": '"other"'})).status_code == 200
    await api.post(f"/v1/runs/{run_id}/pause", {"why": ""})
    changed = await api.get(f"/v1/runs/{run_id}", headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.proves("E8")
async def test_a_change_of_something_else_than_what_was_read_is_refused(api: Api) -> None:
    run_id = await api.begun()
    tag = (await api.get(f"/v1/runs/{run_id}")).headers["etag"]
    await api.post(f"/v1/runs/{run_id}/pause", {"why": ""})
    stale = await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""}, headers={"if-match": tag})
    problem(stale, 412, "changed")
    assert (await api.get(f"/v1/runs/{run_id}")).json()["status"] == "paused"
    now = (await api.get(f"/v1/runs/{run_id}")).headers["etag"]
    done = await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""}, headers={"if-match": now})
    assert done.json()["status"] == "cancelled"


@pytest.mark.proves("E8")
async def test_a_question_is_answered_only_by_who_says_what_they_read(api: Api) -> None:
    run_id = await api.begun()
    path = f"/v1/runs/{run_id}/questions/{await api.asked(run_id)}"
    tag = (await api.get(path)).headers["etag"]
    problem(await api.post(f"{path}/answer", {"value": "stop"}), 428, "if-match-needed")
    problem(await api.post(f"{path}/answer", {"value": "stop"}, headers={"if-match": '"other"'}), 412, "changed")
    problem(await api.post(f"{path}/answer", {"value": "explode"}, headers={"if-match": tag}), 422, "invalid")
    answered = await api.post(f"{path}/answer", {"value": "stop"}, headers={"if-match": tag})
    assert (answered.status_code, answered.json()["answered_by"]) == (200, "rosa")
    again = await api.post(f"{path}/answer", {"value": "stop"}, headers={"if-match": tag})
    assert again.json() == answered.json()
    tag = answered.headers["etag"]
    problem(await api.post(f"{path}/answer", {"value": "continue"}, headers={"if-match": tag}), 409, "conflict")


async def test_two_who_answer_at_once_leave_one_answer(api: Api) -> None:
    run_id = await api.begun()
    path = f"/v1/runs/{run_id}/questions/{await api.asked(run_id)}"
    tag = (await api.get(path)).headers["etag"]
    values = ("stop", "continue", "stop", "continue")
    answers = await asyncio.gather(
        *(api.post(f"{path}/answer", {"value": value}, headers={"if-match": tag}) for value in values)
    )
    kept = (await api.get(path)).json()["answer"]
    assert {value for value, answer in zip(values, answers, strict=True) if answer.status_code == 200} == {kept}
