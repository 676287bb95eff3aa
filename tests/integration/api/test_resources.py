"""Approvals, cases, drafts, feedback, explanations and releases over HTTP, of a review that waits for approval."""

from typing import Any

import pytest

from casewright.contracts.explanation import SECTIONS, Explanation
from tests.support.api import problem
from tests.support.installation import Bearer, structured
from tests.support.reviewed_api import CASE, Reviewed

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]  # the first one makes and reviews an installation


async def test_another_person_approves_exactly_what_they_were_shown(reviewed: Reviewed) -> None:
    queue = (await reviewed.api.get("/v1/approvals", by="selma", params={"state": "pending"})).json()
    assert [item["approval_id"] for item in queue["items"]] == [reviewed.approval_id]
    shown = await reviewed.api.get(reviewed.approval, by="selma")
    assert shown.json() == queue["items"][0]
    assert shown.json()["call"]["arguments"]["amount_minor"] == reviewed.report.pending[0].amount_minor
    voted = await reviewed.vote("selma", note="checked", digest=shown.json()["digest"])
    assert (voted.status_code, voted.json()["state"]) == (200, "approved")
    assert [(vote["voter"], vote["note"]) for vote in voted.json()["votes"]] == [("selma", "checked")]
    assert voted.headers["etag"] != shown.headers["etag"]
    assert (await reviewed.api.get("/v1/approvals", by="selma", params={"state": "pending"})).json()["items"] == []


async def test_a_vote_repeated_with_its_key_is_counted_once_and_answered_alike(reviewed: Reviewed) -> None:
    body = {"approve": True, "digest": reviewed.report.pending[0].digest}
    headers = {"idempotency-key": "vote-of-selma-1"}
    first = await reviewed.api.post(f"{reviewed.approval}/votes", body, by="selma", headers=headers)
    again = await reviewed.api.post(f"{reviewed.approval}/votes", body, by="selma", headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await reviewed.api.get(reviewed.approval)).json()["votes"]) == 1


async def test_an_approval_is_assigned_and_taken_back(reviewed: Reviewed) -> None:
    assigned = await reviewed.api.post(f"{reviewed.approval}/assignment", {"assignee": "idris"}, by="selma")
    assert assigned.json()["assignee"] == "idris"
    told = (await reviewed.api.get("/v1/notices", by="idris")).json()["items"]
    assert [(item["kind"], item["approval_id"]) for item in told] == [("assigned", reviewed.approval_id)]
    mine = await reviewed.api.get("/v1/approvals", by="idris", params={"assignee": "idris"})
    assert len(mine.json()["items"]) == 1
    revoked = await reviewed.api.post(f"{reviewed.approval}/revocation", {"why": "by mistake"}, by="rosa")
    assert revoked.json()["state"] == "revoked"
    problem(await reviewed.vote("idris"), 403, "denied")


async def test_pages_of_approvals_and_cases_hold_each_entry_once(reviewed: Reviewed) -> None:
    for path, name in (("/v1/cases", "case_id"), ("/v1/approvals", "approval_id")):
        everything = (await reviewed.api.get(path, by="selma", params={"limit": 200})).json()["items"]
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": 7, **({"cursor": cursor} if cursor else {})}
            page = (await reviewed.api.get(path, by="selma", params=params)).json()
            seen += [item[name] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == [item[name] for item in everything]
        assert len(set(seen)) == len(seen)


@pytest.mark.proves("B5")
@pytest.mark.parametrize("name", ["rosa", "selma", "avery"])
async def test_a_case_is_shown_as_the_case_facts_server_shows_it(reviewed: Reviewed, name: str) -> None:
    shown = (await reviewed.api.get(f"/v1/cases/{CASE}", by=name)).json()
    bearer = Bearer(identity=name, case_id=CASE)
    origins: dict[str, Any] = {}
    for tool in ("get_case", "list_transactions", "list_communications", "list_evidence", "get_timeline"):
        part = structured(await reviewed.api.world.call("case-facts", tool, bearer=bearer))
        origins |= part.pop("provenance")
        assert {key: shown[key] for key in part} == part
    assert shown["provenance"] == origins
    assert shown["assessment"] == structured(await reviewed.api.world.call("case-facts", "assess_case", bearer=bearer))
    assert (shown["title"] == "[redacted]") == (name == "avery")


async def test_cases_are_narrowed_and_their_runs_listed(reviewed: Reviewed) -> None:
    closed = (await reviewed.api.get("/v1/cases", by="selma", params={"state": "closed"})).json()["items"]
    assert closed
    assert {item["state"] for item in closed} == {"closed"}
    runs = (await reviewed.api.get(f"/v1/cases/{CASE}/runs")).json()["items"]
    assert [item["run_id"] for item in runs] == [reviewed.run_id]


async def test_a_draft_has_versions_and_a_difference(reviewed: Reviewed) -> None:
    path = f"/v1/drafts/{reviewed.report.draft_id}"
    latest = (await reviewed.api.get(path)).json()
    assert reviewed.report.recommendation is not None
    assert latest["recommendation"] == reviewed.report.recommendation.model_dump(mode="json")
    versions = (await reviewed.api.get(f"{path}/versions")).json()["items"]
    assert versions == [{key: value for key, value in latest.items() if key != "recommendation"}]
    assert (await reviewed.api.get(f"{path}/versions/1")).json() == latest
    diff = await reviewed.api.get(f"{path}/diff", params={"from_version": 1, "to_version": 1})
    assert diff.json()["diff"] == ""
    problem(await reviewed.api.get(f"{path}/versions/2"), 404, "not-found")
    problem(await reviewed.api.get(f"{path}/diff", params={"from_version": 1}), 422, "invalid")


async def test_feedback_is_given_once_and_listed(reviewed: Reviewed) -> None:
    cited = (await reviewed.api.get(f"/v1/drafts/{reviewed.report.draft_id}")).json()["recommendation"]["summary"]
    meant = next(finding["citations"][0] for finding in cited if finding["citations"])
    said = {"kind": "wrong_citation", "citation": {key: meant[key] for key in meant if key != "sha256"}}
    path = f"/v1/runs/{reviewed.run_id}/feedback"
    first = await reviewed.api.post(path, said)
    assert (first.status_code, first.json()["citation"]) == (201, meant)
    assert (await reviewed.api.post(path, said)).json() == first.json()
    await reviewed.api.post(path, {"kind": "up"}, by="selma")
    listed = (await reviewed.api.get("/v1/feedback", by="avery", params={"run_id": reviewed.run_id})).json()
    assert sorted(item["subject"] for item in listed["items"]) == ["rosa", "selma"]
    one = (await reviewed.api.get("/v1/feedback", by="avery", params={"limit": 1})).json()
    two = (await reviewed.api.get("/v1/feedback", by="avery", params={"limit": 1, "cursor": one["next_cursor"]})).json()
    assert [one["items"][0], two["items"][0]] == listed["items"]
    assert two["next_cursor"] is None
    stale = {"kind": "up", "draft_digest": "0" * 64}
    problem(await reviewed.api.post(path, stale, by="idris"), 409, "conflict")


@pytest.mark.proves("G2")
async def test_a_run_is_explained_as_json_and_as_markdown(reviewed: Reviewed) -> None:
    path = f"/v1/runs/{reviewed.run_id}/explanation"
    explained = Explanation.model_validate((await reviewed.api.get(path, by="avery")).json())
    assert {name for name in SECTIONS if not getattr(explained, name)} == set()
    report = await reviewed.api.get(path, by="avery", headers={"accept": "text/markdown"})
    assert report.headers["content-type"].startswith("text/markdown")
    assert report.text.count("\n## ") == len(SECTIONS)
    assert explained.why[0].events[0].startswith("run:")
    problem(await reviewed.api.get(path, headers={"accept": "image/png"}), 406, "not-acceptable")


async def test_the_versions_in_force_are_named_and_that_there_are_no_others(reviewed: Reviewed) -> None:
    found = (await reviewed.api.get("/v1/releases")).json()
    (release,) = found["items"]
    assert (release["in_force"], found["others"]) == (True, False)
    assert release["policy"] == reviewed.api.world.services.engine.revision
    assert release["index_version"] == reviewed.api.world.services.corpus.index_version()


async def test_what_is_known_already_is_not_sent_again(reviewed: Reviewed) -> None:
    for path in (reviewed.approval, f"/v1/cases/{CASE}", f"/v1/drafts/{reviewed.report.draft_id}", "/v1/releases"):
        tag = (await reviewed.api.get(path)).headers["etag"]
        again = await reviewed.api.get(path, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
