"""Examples of what the API takes and gives, for its document; a test reads each with the model it is of."""

from typing import Any

SUMMARY: dict[str, Any] = {
    "run_id": "run-0f3c2a7d9b1e4c58",
    "kind": "review",
    "case_id": "HL-2026-0001",
    "subject": "rosa",
    "status": "queued",
    "created": "2026-11-21T09:30:00Z",
    "updated": "2026-11-21T09:30:00Z",
    "parent": "",
    "revision": 1,
    "wanted": "",
}
RUN: dict[str, Any] = {**SUMMARY, "waiting_for": "", "attempts": 0, "pins": {}, "report": None}
RUNS: dict[str, Any] = {"items": [SUMMARY], "next_cursor": None}
EVENT: dict[str, Any] = {
    "seq": 7,
    "at": "2026-11-21T09:30:04Z",
    "at_ns": 1_795_253_404_000_000_000,
    "kind": "status",
    "body": {"status": "waiting_approval", "because": "a supervisor has to approve the credit"},
}
EVENTS: dict[str, Any] = {"items": [EVENT], "next_after": 7, "over": False}
EVENT_STREAM = (
    ": events of run-0f3c2a7d9b1e4c58\r\nretry: 1000\r\n\r\n"
    'id: 7\r\nevent: status\r\ndata: {"seq":7,"at":"2026-11-21T09:30:04Z","at_ns":1795253404000000000,"kind":"status",'
    '"body":{"status":"completed","because":""}}\r\n\r\n'
    'id: 7\r\nevent: end\r\ndata: {"status":"completed"}\r\n\r\n'
)
QUESTION: dict[str, Any] = {
    "question_id": "question-4b7d2c90",
    "run_id": "run-0f3c2a7d9b1e4c58",
    "case_id": "HL-2026-0001",
    "kind": "loop",
    "text": "The policy researcher found nothing new twice. Go on once more, or stop?",
    "options": [{"value": "continue", "text": "Go on once more"}, {"value": "stop", "text": "Stop here"}],
    "detail": {"trail": ["policy_researcher", "policy_researcher"]},
    "state": "open",
    "created": "2026-11-21T09:30:03Z",
    "answer": "",
    "answered_by": "",
    "answered": "",
}
QUESTIONS: dict[str, Any] = {"items": [QUESTION]}
ASKED: dict[str, Any] = {
    **SUMMARY,
    "run_id": "ask-7c1d2e3f4a5b6c7d",
    "kind": "ask",
    "case_id": "",
    "question": "How many days does the bank have to resolve a disputed transfer?",
    "as_of": "2026-11-21",
    "answer": None,
}
