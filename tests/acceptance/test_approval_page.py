"""What an approver sees is what would run (T9): the approval page in a real browser, framed as a host does it."""

import json
from pathlib import Path
from typing import Any

import pytest

from casewright.canonical import digest
from servers.approval_page.page import approval_page
from tests.support.browser import rendered

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(150)]

SCRIPTS = (
    "<script>parent.postMessage('executed', '*')</script>",
    "<img src=/leak onerror=\"parent.postMessage('executed', '*')\">",
    "</td></table><svg onload=\"parent.postMessage('executed', '*')\"></svg>",
    "<iframe srcdoc=\"<script>parent.parent.postMessage('executed', '*')</script>\"></iframe>",
    "<style>body{background:url(/leak)}</style><link rel=stylesheet href=/leak>",
    "<meta http-equiv=refresh content='0;url=/leak'><form action=/leak><input name=a autofocus></form>",
    "javascript:parent.postMessage('executed','*')",
    "<a href=\"javascript:parent.postMessage('executed','*')\">Approve</a>",
    "${parent.postMessage('executed','*')} {{constructor.constructor('parent.postMessage(1)')()}}",
)
BIDI = "pay \u202e00001\u202c to \u2066mallory\u2069\u200b\u00ad now\u00a0please"
LOOKS_ALIKE = "provision\u0430l_credit by ros\u0430 and \uff52\uff4f\uff53\uff41"


def approval(arguments: dict[str, Any], *notes: str) -> dict[str, Any]:
    """An approval whose digest fits, as the review server shows one."""
    call = {
        "tenant": "harborline",
        "case_id": "HL-2026-0001",
        "server": "drafting",
        "tool": "execute_action",
        "definition_hash": digest("definition"),
        "arguments": arguments,
        "policy_revision": digest("policies"),
    }
    return {
        "approval_id": "approval-1",
        "state": "pending",
        "remaining": 1,
        "votes": [
            {"voter": f"supervisor-{i}", "approve": True, "note": note, "at_ns": 1} for i, note in enumerate(notes, 1)
        ],
        "case_id": "HL-2026-0001",
        "run_id": "run-1",
        "requested_by": "rosa",
        "requested_agent": "",
        "roles": ["supervisor"],
        "quorum": 2,
        "assignee": "",
        "escalated": "",
        "created": "2026-11-01T00:00:00Z",
        "expires": "2026-11-02T00:00:00Z",
        "digest": digest(call),
        "call": call,
    }


def result(document: dict[str, Any]) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": json.dumps(document)}], "structuredContent": document}


@pytest.mark.proves("C3")
async def test_hostile_texts_are_shown_as_text_and_nothing_runs_or_leaves(tmp_path: Path) -> None:
    hostile = {f"argument_{number}": text for number, text in enumerate(SCRIPTS)}
    shown_approval = approval({**hostile, "<b>name</b>": {"deep": [SCRIPTS[0]]}, "amount_minor": 61250}, *SCRIPTS)
    async with rendered(approval_page(), result(shown_approval), tmp_path) as shown:
        await shown.until("!document.getElementById('approval').hidden")
        text = await shown.text()
        for hostile_text in SCRIPTS:
            assert text.count(hostile_text) >= 2, f"{hostile_text!r} is not shown as it is"
        assert "<b>name</b>" in text
        assert "61250" in text
        made = await shown.look(
            "document.querySelectorAll('img,svg,iframe,form,link,a,b,input,style,script,meta').length"
        )
        assert made == 6, "the page's own style, script and four metas; anything else came from a text"
        assert "fits" in await shown.look("document.getElementById('binding').textContent")
        assert await shown.outside("window.odd") == []
        assert shown.requests == []
        heard = await shown.outside("window.heard")
        methods = [message.get("method") for message in heard]
        assert methods[:2] == ["ui/initialize", "ui/notifications/initialized"]
        assert set(methods[2:]) == {"ui/notifications/size-changed"}
        assert heard[-1]["params"]["height"] > 300


@pytest.mark.proves("C3")
async def test_a_page_that_would_run_what_it_shows_is_caught(tmp_path: Path) -> None:
    naive = """<!doctype html><body><script>
      addEventListener("message", (event) => {
        if (event.data.method === "ui/notifications/tool-result")
          document.body.innerHTML = event.data.params.structuredContent.call.arguments.text;
      });
      parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/initialized" }, "*");
    </script></body>"""
    async with rendered(naive, result(approval({"text": SCRIPTS[1]})), tmp_path) as shown:
        await shown.until("document.querySelector('img')")
        await shown.until_outside("window.odd.length")
        assert await shown.outside("window.odd") == ["executed"]
        assert shown.requests == ["/leak"]


async def test_even_a_script_that_got_into_the_page_cannot_run_or_ask_for_anything(tmp_path: Path) -> None:
    broken = approval_page().replace("</main>", "</main>" + "".join(SCRIPTS[:5]))
    assert broken != approval_page()
    async with rendered(broken, result(approval({"amount_minor": 1})), tmp_path) as shown:
        await shown.until("!document.getElementById('approval').hidden")
        assert await shown.look("document.querySelectorAll('img').length") == 1
        assert await shown.outside("window.odd") == []
        assert shown.requests == []


@pytest.mark.proves("C3")
async def test_what_cannot_be_seen_is_spelled_out_and_look_alikes_are_named(tmp_path: Path) -> None:
    document = approval({"memo": BIDI, "action": LOOKS_ALIKE, "plain": "Überweisung für Łukasz, 二"}, BIDI)
    async with rendered(approval_page(), result(document), tmp_path) as shown:
        await shown.until("!document.getElementById('approval').hidden")
        marked = await shown.look("[...document.querySelectorAll('.hidden-character')].map(one => one.textContent)")
        hidden = ["U+202E", "U+202C", "U+2066", "U+2069", "U+200B", "U+00AD", "U+00A0"]
        assert marked == hidden * 2
        text = await shown.text()
        assert not set(text) & set("\u202e\u202c\u2066\u2069\u200b\u00ad\u00a0")
        warning = await shown.look("document.getElementById('warning').textContent")
        assert "U+0430" in warning
        assert "U+FF52" in warning
        assert "Überweisung für Łukasz, 二" in text
        assert "Ü" not in warning


@pytest.mark.proves("C3")
async def test_what_does_not_fit_its_digest_cannot_be_decided_on(tmp_path: Path) -> None:
    changed = approval({"amount_minor": 61250, "text": 'naïve €\u2028\\ "quoted" \t 😀'})
    assert changed["digest"] == digest(changed["call"])
    other = {**changed, "call": {**changed["call"], "arguments": {"amount_minor": 6125000}}}
    async with rendered(approval_page(), result(changed), tmp_path) as shown:
        await shown.until("!document.getElementById('decide').disabled")
        await shown.outside(f"window.show({json.dumps(result(other))})")
        await shown.until("document.getElementById('binding').textContent.includes('Do not decide')")
        assert await shown.look("document.getElementById('decide').disabled")


async def test_a_host_that_lets_the_page_call_nothing_leaves_only_reading(tmp_path: Path) -> None:
    async with rendered(approval_page(), result(approval({"a": 1})), tmp_path, callable_tools=False) as shown:
        await shown.until("!document.getElementById('approval').hidden")
        assert await shown.look("[...document.querySelectorAll('button')].every(one => one.disabled)")
        assert "decide in the chat, or in the queue" in await shown.text()


async def test_answers_that_hold_no_approval_are_said_as_text(tmp_path: Path) -> None:
    said = {"content": [{"type": "text", "text": SCRIPTS[0]}], "isError": True}
    async with rendered(approval_page(), said, tmp_path) as shown:
        await shown.until("document.getElementById('state').textContent.includes('<script>')")
        assert await shown.look("document.getElementById('approval').hidden")
        listed: dict[str, Any] = {"approvals": [approval({"a": 1}), {"call": {}}, 3], "more": False}
        await shown.outside(f"window.show({json.dumps(result(listed))})")
        await shown.until("!document.getElementById('queue').hidden")
        assert "1 listed" in await shown.text()


@pytest.mark.proves("C3")
async def test_the_evidence_of_a_review_is_shown_as_text_with_what_it_stands_on(tmp_path: Path) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []
    statements = [{"text": text, "events": ["audit:7", "run:2"]} for text in (*SCRIPTS, BIDI)]

    async def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append((name, arguments))
        sections = {"answered": [], "why": statements[:1], "evidence": statements, "permission": []}
        return {"result": {"content": [], "structuredContent": sections}}

    async with rendered(approval_page(), result(approval({"a": 1})), tmp_path, call=call) as shown:
        await shown.until("!document.getElementById('why').disabled")
        await shown.look("document.getElementById('why').click()")
        await shown.until("!document.getElementById('evidence').hidden")
        text = str(await shown.look("document.getElementById('evidence').innerText"))
        assert all(f"{hostile} [audit:7, run:2]" in text for hostile in SCRIPTS)
        assert "U+202E" in text
        assert await shown.look("document.querySelectorAll('#evidence :not(h2,ul,li,span)').length") == 0
        assert asked == [("explain_review", {"run_id": "run-1"})]
        assert await shown.outside("window.odd") == []
        assert shown.requests == []
