"""Attacks on approvals, cases, drafts, feedback and explanations over HTTP; each beside what is permitted."""

import json
from typing import Any

import pytest

from tests.support.api import problem
from tests.support.installation import SEALED_CASE
from tests.support.reviewed_api import CASE, Reviewed

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]  # the first one makes and reviews an installation
OUTSIDERS = ("marc", "tomas")
"""A supervisor of another organisation, and a reviewer of the same one to whom the case is not assigned."""


def reads(found: Reviewed) -> list[str]:
    """Everything that shows something of rosa's case."""
    draft = f"/v1/drafts/{found.report.draft_id}"
    return [
        found.approval,
        f"/v1/cases/{CASE}",
        f"/v1/cases/{CASE}/runs",
        draft,
        f"{draft}/versions",
        f"{draft}/versions/1",
        f"{draft}/diff?from_version=1&to_version=1",
        f"/v1/runs/{found.run_id}/explanation",
    ]


def changes(found: Reviewed) -> list[tuple[str, dict[str, Any]]]:
    """Everything that changes something of it."""
    return [
        (f"{found.approval}/votes", {"approve": True, "digest": found.report.pending[0].digest}),
        (f"{found.approval}/revocation", {"why": "x"}),
        (f"{found.approval}/assignment", {"assignee": "selma"}),
        (f"/v1/runs/{found.run_id}/feedback", {"kind": "down"}),
    ]


def elsewhere(found: Reviewed, path: str) -> str:
    """The same address of things that are nowhere."""
    for known in (CASE, found.run_id, found.approval_id, found.report.draft_id):
        path = path.replace(known, "nothing-here")
    return path


@pytest.mark.proves("B2")
@pytest.mark.parametrize("name", OUTSIDERS)
async def test_what_one_may_not_read_is_like_what_is_not_there(reviewed: Reviewed, name: str) -> None:
    for path in reads(reviewed):
        assert (await reviewed.api.get(path, by="rosa")).status_code == 200
        refused = problem(await reviewed.api.get(path, by=name), 404, "not-found")
        absent = problem(await reviewed.api.get(elsewhere(reviewed, path), by=name), 404, "not-found")
        assert {**refused, "request_id": ""} == {**absent, "request_id": ""}


@pytest.mark.parametrize("name", OUTSIDERS)
async def test_what_one_may_not_read_one_cannot_change_either(reviewed: Reviewed, name: str) -> None:
    for path, body in changes(reviewed):
        refused = problem(await reviewed.api.post(path, body, by=name), 404, "not-found")
        absent = problem(await reviewed.api.post(elsewhere(reviewed, path), body, by=name), 404, "not-found")
        assert {**refused, "request_id": ""} == {**absent, "request_id": ""}
    approval = (await reviewed.api.get(reviewed.approval)).json()
    assert (approval["state"], approval["votes"], approval["assignee"]) == ("pending", [], "")
    assert (await reviewed.api.get("/v1/feedback")).json()["items"] == []


@pytest.mark.parametrize("name", OUTSIDERS)
async def test_lists_hold_nothing_of_what_one_may_not_read(reviewed: Reviewed, name: str) -> None:
    assert (await reviewed.api.post(f"/v1/runs/{reviewed.run_id}/feedback", {"kind": "up"})).status_code == 201
    for path in ("/v1/approvals", "/v1/feedback", "/v1/notices"):
        assert (await reviewed.api.get(path, by=name)).json() == {"items": [], "next_cursor": None}
    cases = (await reviewed.api.get("/v1/cases", by=name, params={"limit": 200})).json()["items"]
    assert CASE not in {case["case_id"] for case in cases}


@pytest.mark.proves("D5")
async def test_the_requester_cannot_vote_and_nobody_votes_twice(reviewed: Reviewed) -> None:
    problem(await reviewed.vote("rosa"), 403, "denied")
    problem(await reviewed.vote("avery"), 403, "denied")
    assert (await reviewed.api.get(reviewed.approval)).json()["votes"] == []
    assert (await reviewed.vote("selma")).json()["state"] == "approved"
    problem(await reviewed.vote("selma"), 403, "denied")
    problem(await reviewed.vote("idris", approve=False), 403, "denied")


async def test_a_vote_on_something_else_than_was_shown_is_refused(reviewed: Reviewed) -> None:
    right = reviewed.report.pending[0].digest
    problem(await reviewed.vote("selma", digest="0" * 64), 409, "conflict")
    for digest in (right.upper(), right[:-1], "", None, [right]):
        problem(await reviewed.vote("selma", digest=digest), 422, "invalid")
    body = {"approve": True}
    problem(await reviewed.api.post(f"{reviewed.approval}/votes", body, by="selma"), 422, "invalid")
    assert (await reviewed.api.get(reviewed.approval)).json()["votes"] == []
    assert (await reviewed.vote("selma", digest=right)).json()["state"] == "approved"


async def test_a_vote_on_what_has_changed_since_it_was_read_is_refused(reviewed: Reviewed) -> None:
    tag = (await reviewed.api.get(reviewed.approval, by="selma")).headers["etag"]
    await reviewed.api.post(f"{reviewed.approval}/assignment", {"assignee": "idris"}, by="selma")
    body = {"approve": True, "digest": reviewed.report.pending[0].digest}
    path, old = f"{reviewed.approval}/votes", {"if-match": tag}
    problem(await reviewed.api.post(path, body, by="selma", headers=old), 412, "changed")
    new = {"if-match": (await reviewed.api.get(reviewed.approval, by="selma")).headers["etag"]}
    assert (await reviewed.api.post(path, body, by="selma", headers=new)).json()["state"] == "approved"


@pytest.mark.parametrize("approve", ["true", 1, "yes", None])
async def test_a_vote_is_true_or_false_and_nothing_that_looks_like_it(reviewed: Reviewed, approve: Any) -> None:
    problem(await reviewed.vote("selma", approve=approve), 422, "invalid")
    assert (await reviewed.api.get(reviewed.approval)).json()["votes"] == []


@pytest.mark.parametrize("assignee", ["rosa", "marc", "nobody", "tomas"])
async def test_nobody_is_assigned_who_could_not_vote(reviewed: Reviewed, assignee: str) -> None:
    path = f"{reviewed.approval}/assignment"
    refused = await reviewed.api.post(path, {"assignee": assignee}, by="selma")
    assert refused.status_code in (404, 409)
    assert (await reviewed.api.get(reviewed.approval)).json()["assignee"] == ""
    assert (await reviewed.api.post(path, {"assignee": "idris"}, by="selma")).json()["assignee"] == "idris"


@pytest.mark.proves("B2", "B5")
async def test_sealed_evidence_is_absent_for_whoever_may_not_open_seals(reviewed: Reviewed) -> None:
    world = reviewed.api.world
    stored = await world.services.cases.load("harborline", SEALED_CASE)
    assert stored is not None
    sealed = {item.evidence_id for item in stored.case.evidence if item.sealed}
    assert sealed
    opened = (await reviewed.api.get(f"/v1/cases/{SEALED_CASE}", by="selma")).text
    assert all(f'"{name}"' in opened for name in sealed)
    closed = await reviewed.api.get(f"/v1/cases/{SEALED_CASE}", by=stored.case.assigned_to[0])
    assert closed.status_code == 200
    assert not sealed & {item["evidence_id"] for item in closed.json()["evidence"]}
    assert not any(f'"{name}"' in closed.text or f"evidence/{name}" in closed.text for name in sealed)
    assert 'sealed":true' not in closed.text


async def test_values_above_what_a_role_sees_are_redacted(reviewed: Reviewed) -> None:
    for reader in ("rosa", "selma"):
        assert (await reviewed.api.get(f"/v1/cases/{CASE}", by=reader)).json()["narrative"] != "[redacted]"
    shown = await reviewed.api.get(f"/v1/cases/{CASE}", by="avery")
    assert shown.json()["narrative"] == "[redacted]"
    assert {party["name"] for party in shown.json()["parties"]} == {"[redacted]"}
    assert "avery" in shown.headers["casewright-watermark"]


HOSTILE = "<script>alert(1)</script> {{7*7}} \u202e\u200b [x](javascript:alert(1)) \x1b[31m"


async def test_markup_and_hidden_characters_stay_data_and_are_no_markup_in_a_report(reviewed: Reviewed) -> None:
    path = f"/v1/runs/{reviewed.run_id}/feedback"
    given = await reviewed.api.post(path, {"kind": "correction", "text": HOSTILE})
    assert given.json()["text"] == HOSTILE
    assert given.headers["content-type"] == "application/json"
    assert given.headers["x-content-type-options"] == "nosniff"
    voted = await reviewed.vote("selma", note=HOSTILE)
    assert voted.json()["votes"][0]["note"] == HOSTILE
    revoked = await reviewed.api.post(f"{reviewed.approval}/revocation", {"why": HOSTILE}, by="selma")
    assert revoked.status_code == 200
    report = f"/v1/runs/{reviewed.run_id}/explanation"
    shown = (await reviewed.api.get(report, headers={"accept": "text/markdown"})).text
    assert "took it back" in shown
    assert "alert" in shown
    for live in ("<script>", "](javascript", "\u202e", "\u200b", "\x1b"):
        assert live not in shown


@pytest.mark.parametrize("text", ['{"kind": "down", "text": "\\ud800"}', '{"kind": "down", "text": "\\u0000"}'])
async def test_half_characters_are_refused_and_nothing_fails_on_odd_ones(reviewed: Reviewed, text: str) -> None:
    path, kind = f"/v1/runs/{reviewed.run_id}/feedback", {"content-type": "application/json"}
    answer = await reviewed.api.ask("POST", path, content=text.encode(), headers=kind)
    assert answer.status_code in (201, 400, 422), answer.text
    assert answer.status_code == (201 if "u0000" in text else answer.status_code)
    assert (answer.status_code == 201) == (json.loads(text)["text"] == "\x00")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "sideways"},
        {"kind": "down", "text": "x" * 4_001},
        {"kind": "correction", "text": " "},
        {"kind": "up", "subject": "selma"},
        {"kind": "up", "tenant": "millbrook"},
        {"kind": "wrong_citation", "citation": {"document_id": "x", "version": "1", "label": "1", "quote": "made up"}},
    ],
)
async def test_feedback_claims_nothing_that_the_records_do_not_hold(reviewed: Reviewed, body: dict[str, Any]) -> None:
    problem(await reviewed.api.post(f"/v1/runs/{reviewed.run_id}/feedback", body), 422, "invalid")
    assert (await reviewed.api.get("/v1/feedback")).json()["items"] == []


async def test_a_cursor_of_another_person_or_list_is_refused(reviewed: Reviewed) -> None:
    first = (await reviewed.api.get("/v1/cases", by="selma", params={"limit": 1})).json()["next_cursor"]
    assert (await reviewed.api.get("/v1/cases", by="selma", params={"cursor": first})).status_code == 200
    for path, by, more in (
        ("/v1/cases", "idris", {}),
        ("/v1/cases", "selma", {"state": "closed"}),
        ("/v1/approvals", "selma", {}),
        ("/v1/notices", "selma", {}),
        ("/v1/feedback", "selma", {}),
    ):
        problem(await reviewed.api.get(path, by=by, params={"cursor": first, **more}), 404, "not-found")


async def test_every_change_is_decided_on_and_the_decision_is_on_record(reviewed: Reviewed) -> None:
    for path, body in changes(reviewed):
        answer = await reviewed.api.post(path, body, by="selma")
        assert {event.body["tool"] for event in await reviewed.api.decisions(answer)} - {"read_run"}
