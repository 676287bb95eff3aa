"""The pictures of `docs/clients.md` show what the product shows now.

Renew them: `python -m tests.acceptance.test_client_pictures`. Each picture carries the digest of what it was made from:
a text for a terminal, or the approval page with an answer. Another browser or another font draws other points; another
text is another picture, and this fails until it is renewed.
"""

import asyncio
import hashlib
import html
import io
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from commands.mcp_doctor import doctor_view
from commands.shell import plain_console
from servers.approval_page.page import approval_page
from tests.acceptance.test_approval_page import BIDI, approval, result
from tests.support.browser import browser, rendered
from tests.support.installation import CHECKOUT, World, opened, process_environment, structured

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(150)]
FOLDER = CHECKOUT / "docs" / "pictures"
GUIDE = CHECKOUT / "docs" / "clients.md"
LARGEST_BYTES = 80_000
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #11161d; color: #e6edf3; }
pre { margin: 0; padding: 14px 18px; font: 14px/1.4 "DejaVu Sans Mono", monospace; white-space: pre; }
</style><pre>$text</pre>"""
QUESTION = "When is a written confirmation of an oral notice required?"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a picture is made from."""

    text: str = ""
    """For a terminal."""
    answer: dict[str, Any] | None = None
    """For the approval page."""
    height: int = 0

    @property
    def digest(self) -> str:
        whole = [self.text, approval_page() if self.answer else "", json.dumps(self.answer, sort_keys=True)]
        return hashlib.sha256("\0".join(whole).encode()).hexdigest()


def approvals() -> dict[str, Source]:
    """The approval page: as it should be, and with what should make somebody stop."""
    call = {
        "action": "issue_provisional_credit",
        "amount_minor": 61250,
        "currency": "USD",
        "draft_digest": hashlib.sha256(b"draft").hexdigest(),
        "draft_id": "drf-0f3a6f0d",
        "draft_version": 1,
    }
    good = approval(call, "the notice was in time; § 1005.11(c)(2) applies")
    bad = approval({**call, "action": "issue_provisi\u043enal_credit"}, f"looks fine <b>to me</b>, {BIDI}")
    wrong = {**bad, "call": {**bad["call"], "arguments": {**bad["call"]["arguments"], "amount_minor": 6125000}}}
    return {
        "approval.png": Source(answer=result(good), height=825),
        "approval-warning.png": Source(answer=result(wrong), height=895),
    }


def examined() -> Source:
    """What `mcp doctor` says where two servers work and one does not."""

    def one(name: str, *, tools: int = 0, ms: int = 0, problem: str = "", way_out: str = "") -> dict[str, Any]:
        return {
            "client": "vscode",
            "path": "mcp.json",
            "name": f"casewright-{name}",
            "state": "mend" if problem else "ok",
            "era": "2026-07-28",
            "tools": [""] * tools,
            "ms": ms,
            "problem": problem,
            "way_out": way_out,
        }

    said = "a valid token for this server is needed. On stdio put it into CASEWRIGHT_TOKEN, on HTTP into the header"
    document = {
        "servers": [
            one("policy-search", tools=6, ms=610),
            one("review", tools=8, ms=640),
            one(
                "case-facts",
                problem=said,
                way_out="give the client a token that is valid now: `casewright token SERVER`",
            ),
        ]
    }
    out = io.StringIO()
    console = plain_console(out)
    console.width = 88
    console.print(doctor_view(document))
    return Source(text=f"$ casewright mcp doctor vscode\n{out.getvalue()}")


def printed(home: Path, folder: Path) -> Source:
    """What `mcp install --print` prints for somebody without any other server."""
    words = ["mcp", "install", "vscode", "--as", "rosa", "--server", "policy-search", "--print"]
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *words],
        env={**process_environment(home, HOME=str(folder)), "XDG_CONFIG_HOME": str(folder)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    entry = json.loads(done.stdout)["servers"]["casewright-policy-search"]
    text = done.stdout.replace(str(home), "/data/casewright").replace(
        entry["command"], "/opt/casewright/bin/casewright"
    )
    module = r'\n\s*"-m",\n\s*"casewright.launch",'  # where the command was not installed beside Python
    return Source(text=f"$ casewright {' '.join(words)}\n{re.sub(module, '', text)}")


async def first_answer(world: World) -> Source:
    """What the first question finds, as a client gets it."""
    found = structured(await world.call("policy-search", "search_policies", {"query": QUESTION, "limit": 1}))
    hit = found["hits"][0]
    lines = [f"search_policies({json.dumps({'query': QUESTION})})", ""]
    lines += [f"{name}: {hit[name]}" for name in ("document_id", "version", "label")]
    words, line = ["text:"], ""
    for word in str(hit["text"]).split():
        if len(line) + len(word) > 82:
            words.append(f"  {line.strip()}")
            line = ""
        line += f" {word}"
    return Source(text="\n".join([*lines, *words, f"  {line.strip()}"]) + "\n")


async def drawn(source: Source, folder: Path) -> bytes:
    """The picture, small, with the digest of its source."""
    if source.answer is not None:
        async with rendered(approval_page(), source.answer, folder) as shown:
            await shown.until("!document.getElementById('approval').hidden")
            points = await shown.picture(height=source.height)
    else:
        async with browser(folder) as tab:
            tree = await tab.send("Page.getFrameTree")
            page = TERMINAL.replace("$text", html.escape(source.text.rstrip("\n")))
            await tab.send("Page.setDocumentContent", {"frameId": tree["frameTree"]["frame"]["id"], "html": page})
            size = await tab.evaluate("(({width, height}) => [width, height])(document.body.getBoundingClientRect())")
            points = await tab.picture(width=860, height=round(size[1]))
    info = PngInfo()
    info.add_text("source", source.digest)
    small = io.BytesIO()
    Image.open(io.BytesIO(points)).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True, pnginfo=info
    )
    return small.getvalue()


def kept(name: str) -> Image.Image:
    return Image.open(FOLDER / name)


async def everything(world: World, folder: Path) -> dict[str, Source]:
    return {
        "install-print.png": printed(world.home, folder),
        "doctor.png": examined(),
        "first-answer.png": await first_answer(world),
        **approvals(),
    }


async def test_every_picture_of_the_guide_shows_what_the_product_shows_now(world: World, tmp_path: Path) -> None:
    sources = await everything(world, tmp_path)
    named = set(re.findall(r"\]\(pictures/([a-z-]+\.png)\)", GUIDE.read_text(encoding="utf-8")))
    assert named == set(sources) == {path.name for path in FOLDER.glob("*.png")}
    stale = [name for name, source in sources.items() if getattr(kept(name), "text", {}).get("source") != source.digest]
    assert stale == [], "renew them: python -m tests.acceptance.test_client_pictures"
    assert all((FOLDER / name).stat().st_size <= LARGEST_BYTES for name in sources)


async def test_a_picture_drawn_again_looks_like_the_one_that_is_kept(tmp_path: Path) -> None:
    source = approvals()["approval-warning.png"]
    again = Image.open(io.BytesIO(await drawn(source, tmp_path / "browser"))).convert("L")
    there = kept("approval-warning.png").convert("L")
    assert again.size == there.size
    dark = [sum(1 for point in picture.tobytes() if point < 128) for picture in (again, there)]
    assert 0.8 < dark[0] / dark[1] < 1.25, "about as much ink; fonts differ from machine to machine"


async def test_the_first_question_of_the_guide_finds_the_clause_that_it_names(world: World) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert QUESTION in text
    found = (await first_answer(world)).text
    (label,) = re.findall(r"^label: (.*)$", found, re.MULTILINE)
    assert label in text


def initialised(home: Path) -> None:
    words = [sys.executable, "-m", "casewright.launch", "init", "--home", str(home), "--json"]
    subprocess.run(words, env=process_environment(home), cwd=CHECKOUT, capture_output=True, timeout=120, check=True)


async def renew(folder: Path) -> None:
    """Draw every picture anew over an installation in this folder."""
    async with opened(folder / "home") as world:
        for name, source in (await everything(world, folder)).items():
            (FOLDER / name).write_bytes(await drawn(source, folder / name.removesuffix(".png")))
            sys.stdout.write(f"{name}: {(FOLDER / name).stat().st_size} bytes\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        initialised(Path(scratch) / "home")
        FOLDER.mkdir(exist_ok=True)
        asyncio.run(renew(Path(scratch)))
