"""Examples of approvals, cases, drafts, feedback, explanations and releases; a test reads each with its model."""

from typing import Any

APPROVAL: dict[str, Any] = {
    "approval_id": "apr-9f2d7c1b3a5e4608",
    "state": "pending",
    "remaining": 1,
    "votes": [],
    "case_id": "HL-2026-0001",
    "run_id": "run-0f3c2a7d9b1e4c58",
    "requested_by": "rosa",
    "requested_agent": "executor",
    "roles": ["supervisor"],
    "quorum": 1,
    "assignee": "",
    "escalated": "",
    "created": "2026-11-21T16:43:33Z",
    "expires": "2026-11-24T16:43:33Z",
    "digest": "afa161c30a052000f6e2acf144f64ae751becb8d784073a32998250c33492f3e",
    "call": {
        "tenant": "harborline",
        "case_id": "HL-2026-0001",
        "server": "drafting",
        "tool": "execute_action",
        "definition_hash": "da53d48f64d0d80cf318f96c62cc1a969c4c49f4e5477469e55dbca47c88d3d8",
        "arguments": {
            "action": "issue_provisional_credit",
            "amount_minor": 50875,
            "currency": "USD",
            "draft_digest": "b0885687ca73f3c91acfe5efa67cb32462fd7a11d1c4b07de1e9d9b35408f4b1",
            "draft_id": "drf-f7df2049f78f1bcc",
            "draft_version": 1,
        },
        "policy_revision": "5e1a09e8ca4bbc36575e5d0d38268d3543f09b7beefd8fbbeb72a5deb34dbad2",
    },
}
APPROVALS: dict[str, Any] = {"items": [APPROVAL], "next_cursor": None}
NOTICE: dict[str, Any] = {
    "notice_id": "ntc-4c8e1f2a9b7d3605",
    "approval_id": "apr-9f2d7c1b3a5e4608",
    "case_id": "HL-2026-0001",
    "kind": "reminder",
    "number": 1,
    "to": "role:supervisor",
    "at": "2026-11-22T09:30:00Z",
    "text": "it still waits for your vote",
}
NOTICES: dict[str, Any] = {"items": [NOTICE], "next_cursor": None}
CASE: dict[str, Any] = {
    "case_id": "HL-2026-0001",
    "title": "Stolen wallet: two store purchases not made by the customer",
    "case_type": "unauthorized_transfer",
    "state": "open",
    "received_on": "2026-03-02",
    "classification": "confidential",
    "product": "Checking account",
    "issue": "Unauthorized debit card purchases",
    "claimed_amount_minor": 50875,
    "currency": "USD",
    "duplicate_of": None,
    "narrative": "My wallet was taken from my gym locker on Saturday evening, …",
    "parties": [
        {
            "party_id": "p1",
            "role": "customer",
            "name": "Marisol Ingram",
            "classification": "confidential",
            "state": "OR",
        }
    ],
    "accounts": [
        {
            "account_id": "a1",
            "kind": "checking",
            "number_last4": "4471",
            "first_deposit_on": "2016-05-12",
            "opened_on": "2016-05-09",
            "status": "open",
        }
    ],
    "notices": [
        {
            "notice_id": "n1",
            "received_on": "2026-03-02",
            "kind": "oral",
            "statement_sent_on": "2026-03-01",
            "loss_discovered_on": "2026-02-28",
            "written_confirmation_on": "2026-03-04",
            "summary": "Customer called to report a stolen wallet and two purchases …",
        }
    ],
    "provenance": {
        "case/case_id": {"source": "case file import", "trust": "staff"},
        "case/tenant": {"source": "case file import", "trust": "staff"},
    },
    "transactions": [
        {
            "transaction_id": "t1",
            "account_id": "a1",
            "posted_on": "2026-02-28",
            "amount_minor": 41260,
            "currency": "USD",
            "channel": "point_of_sale",
            "country": "US",
            "description": "Cascade Electronics #14, Portland OR",
            "counterparty": "Cascade Electronics",
            "disputed": True,
            "access_device": "card",
        }
    ],
    "communications": [
        {
            "communication_id": "c1",
            "sent_on": "2026-03-02",
            "direction": "inbound",
            "channel": "phone",
            "author": "Marisol Ingram",
            "text": "Call recording, 8 min 40 s. Customer reports the theft of …",
            "trust": "untrusted",
        }
    ],
    "evidence": [
        {
            "evidence_id": "e1",
            "kind": "customer_statement",
            "title": "Statement by the customer",
            "received_on": "2026-03-04",
            "text": "",
            "source": "customer upload",
            "trust": "untrusted",
            "classification": "confidential",
            "sealed": False,
            "supports": "customer",
            "transaction_id": None,
        }
    ],
    "timeline": [
        {"event_id": "wallet_stolen", "on": "2026-02-28", "what": "Wallet stolen from gym locker", "source": "customer"}
    ],
    "notes": [
        {
            "note_id": "m1",
            "author": "rosa",
            "on": "2026-03-05",
            "text": "Asked both merchants for terminal records and any video. No …",
        }
    ],
    "assessment": {
        "evidence": {
            "complete": True,
            "items": [
                {
                    "id": "account_identified",
                    "title": "Account identified",
                    "why": "The decision must reach the right account.",
                    "clause": {"document_id": "hl-evidence-standards", "label": "2.1"},
                    "status": "present",
                    "evidence_ids": [],
                    "needed": True,
                }
            ],
        },
        "deadlines": [
            {
                "id": "investigation",
                "title": "Decide whether an error occurred",
                "starts_on": "2026-03-02",
                "count": 10,
                "unit": "business_days",
                "due_on": "2026-03-16",
                "clause": {"document_id": "hl-error-resolution", "label": "3.1"},
                "because": "The ordinary period runs from the notice of error.",
                "calendar": "US federal holidays",
            }
        ],
        "limits": [
            {
                "id": "customer_liability",
                "title": "Most that the customer may bear",
                "amount_minor": 5000,
                "clause": {"document_id": "hl-unauthorized-transfers", "label": "3.1"},
                "because": "The loss of the card or code was reported within 2 business …",
            }
        ],
        "outcome": {
            "action": "issue_provisional_credit",
            "amount_minor": 50875,
            "risk": "medium",
            "basis": [
                {
                    "rule": "open_unauthorized_transfer",
                    "clause": {"document_id": "hl-unauthorized-transfers", "label": "6.1"},
                    "because": "The claim is complete and the investigation is still open.",
                    "facts": [
                        "notices/n1/loss_discovered_on",
                        "notices/n1/received_on",
                        "notices/n1/statement_sent_on",
                        "transactions/t1/posted_on",
                        "transactions/t2/posted_on",
                    ],
                }
            ],
            "questions": [],
        },
        "policy_revision": "5e1a09e8ca4bbc36575e5d0d38268d3543f09b7beefd8fbbeb72a5deb34dbad2",
    },
}
_LISTED: dict[str, Any] = {
    "case_id": "HL-2026-0001",
    "title": "Stolen wallet: two store purchases not made by the customer",
    "case_type": "unauthorized_transfer",
    "state": "open",
    "received_on": "2026-03-02",
}
CASES: dict[str, Any] = {"items": [_LISTED], "next_cursor": None}
_VERSION: dict[str, Any] = {
    "draft_id": "drf-5d2e8a1c7b904f36",
    "version": 1,
    "case_id": "HL-2026-0001",
    "run_id": "run-0f3c2a7d9b1e4c58",
    "author": "rosa",
    "agent": "drafter",
    "created": "2026-11-21T16:43:33Z",
    "digest": "b0885687ca73f3c91acfe5efa67cb32462fd7a11d1c4b07de1e9d9b35408f4b1",
}
DRAFT: dict[str, Any] = {
    **_VERSION,
    "recommendation": {
        "case_id": "HL-2026-0001",
        "as_of": "2026-03-02",
        "summary": [
            {
                "claim": "When the claim is complete and the investigation is still …",
                "citations": [
                    {
                        "document_id": "hl-unauthorized-transfers",
                        "version": "2024.1",
                        "label": "6.1",
                        "quote": "When the claim is complete and the investigation is still …",
                        "sha256": "aa6ecbf1def14ef0935bc0aae4085571dafd9e5137f8c2109b93ee4990df6287",
                    }
                ],
                "facts": [],
            }
        ],
        "action": {
            "kind": "issue_provisional_credit",
            "amount_minor": 50875,
            "currency": "USD",
            "reason": "The claim is complete and the investigation is still open.",
        },
        "risk": "medium",
        "open_questions": [],
        "model": "offline/extractive",
        "index_version": "50-b8aa411de85b",
    },
}
DRAFT_VERSIONS: dict[str, Any] = {"items": [_VERSION]}
DRAFT_DIFF: dict[str, Any] = {
    "draft_id": "drf-5d2e8a1c7b904f36",
    "from_version": 1,
    "to_version": 2,
    "diff": "-amount: 50875 minor units of USD\n+amount: 41260 minor units of USD",
}
FEEDBACK: dict[str, Any] = {
    "feedback_id": "fbk-71e0c2d94b3a5f68",
    "subject": "selma",
    "kind": "correction",
    "at": "2026-11-21T16:43:52Z",
    "text": "ten business days",
    "citation": None,
    "about": {
        "run_id": "run-0f3c2a7d9b1e4c58",
        "case_id": "HL-2026-0001",
        "question": "",
        "status": "waiting_approval",
        "sentences": ["Notice: oral, received on 2026-03-02, statement sent on …"],
        "action": "issue_provisional_credit",
        "amount_minor": 50875,
        "currency": "USD",
        "draft": {
            "draft_id": "drf-5d2e8a1c7b904f36",
            "version": 1,
            "digest": "b0885687ca73f3c91acfe5efa67cb32462fd7a11d1c4b07de1e9d9b35408f4b1",
        },
        "evidence": [
            {
                "document_id": "hl-unauthorized-transfers",
                "version": "2024.1",
                "label": "6.1",
                "quote": "When the claim is complete and the investigation is still …",
                "sha256": "aa6ecbf1def14ef0935bc0aae4085571dafd9e5137f8c2109b93ee4990df6287",
            }
        ],
        "facts": [{"path": "notices/n1/kind", "value": "oral"}],
        "versions": {
            "index_version": "50-b8aa411de85b",
            "graph": "2",
            "model": "offline/extractive",
            "policy": "5e1a09e8ca4bbc36575e5d0d38268d3543f09b7beefd8fbbeb72a5deb34dbad2",
            "prompts": "91e3599bc142cfb5115af1e09a446558559b070ef09efdf8c1d8ded60a0a4882",
            "state": "2",
        },
    },
}
FEEDBACKS: dict[str, Any] = {"items": [FEEDBACK], "next_cursor": None}
EXPLANATION: dict[str, Any] = {
    "run_id": "run-0f3c2a7d9b1e4c58",
    "case_id": "HL-2026-0001",
    "subject": "rosa",
    "status": "waiting_approval",
    "parent": "",
    "revision": 1,
    "answered": [{"text": "waiting_approval: the proposed action waits for approval; …", "events": ["run:10"]}],
    "why": [{"text": "rule open_unauthorized_transfer: The claim is complete and …", "events": ["run:6"]}],
    "evidence": [{"text": "fact notices/n1/kind = oral", "events": ["run:10"]}],
    "permission": [{"text": "55 calls allowed under policy revision …", "events": ["audit:8", "audit:10"]}],
    "model": [{"text": "intake.classify v2 by offline/extractive, prompt …", "events": ["audit:9"]}],
    "tools": [{"text": "intake: case-facts/get_case", "events": ["audit:8"]}],
    "validation": [{"text": "the citation gate passed draft drf-f7df2049f78f1bcc version …", "events": ["run:10"]}],
    "cost": [{"text": "3 model calls, 0 tokens", "events": ["audit:9", "audit:35"]}],
    "detection": [
        {"text": "the audit chain of 115 events is intact; a changed byte, …", "events": ["audit:7", "audit:8"]}
    ],
    "course": [{"text": "it was pinned to graph 2; index_version 50-b8aa411de85b; …", "events": ["audit:7"]}],
}
EXPLANATION_MARKDOWN = "# Run run-0f3c2a7d9b1e4c58\n\n- status: waiting_approval\n- on behalf of: rosa\n"
RELEASES: dict[str, Any] = {
    "items": [
        {
            "release_id": "rel-00827139d8d68694",
            "in_force": True,
            "software": "0.1.0",
            "graph": 2,
            "state": 2,
            "prompts": "91e3599bc142cfb5115af1e09a446558559b070ef09efdf8c1d8ded60a0a4882",
            "policy": "5e1a09e8ca4bbc36575e5d0d38268d3543f09b7beefd8fbbeb72a5deb34dbad2",
            "index_version": "50-b8aa411de85b",
            "model": "offline/extractive",
            "report": "5e88489d2a1c4f6b8d7e90f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5",
            "override": None,
        }
    ],
    "others": False,
    "active": "rel-00827139d8d68694",
    "previous": "",
    "canary": "",
    "percent": 0,
}
