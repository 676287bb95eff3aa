"""The report of an evaluation in a real browser, and the picture of it in `docs/evals/README.md`.

Renew the picture: `python -m tests.acceptance.test_eval_report_page`. It carries the digest of the page it was made
from; another page is another picture, and this fails until it is renewed.
"""

import asyncio
import contextlib
import hashlib
import io
import itertools
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from evals.report.page import report_page
from tests.evals.report_example import record
from tests.support.browser import Tab, browser
from tests.support.installation import CHECKOUT

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(150)]
PICTURE = CHECKOUT / "docs" / "pictures" / "evals" / "report.png"
SIZE = (1100, 1960)
"""Down to the figures of the suites."""
LARGEST_BYTES = 120_000
LAST = "document.querySelector('footer')"
WIDEST = "document.documentElement.scrollWidth"


def page() -> str:
    """The made-up evaluation."""
    return report_page(record())


def written(folder: Path) -> Path:
    """The page as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "report.html"
    file.write_text(page(), encoding="utf-8")
    return file


@contextlib.asynccontextmanager
async def shown(folder: Path, *, width: int = SIZE[0], dark: bool = False) -> AsyncGenerator[Tab]:
    """The report as a file that somebody opened."""
    file = written(folder)
    async with browser(folder / "browser") as tab:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await tab.send("Emulation.setEmulatedMedia", {"features": [scheme]})
        metrics = {"width": width, "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        await tab.send("Emulation.setDeviceMetricsOverride", metrics)
        await tab.send("Page.navigate", {"url": file.as_uri()})
        assert await tab.comes_to(f"document.readyState === 'complete' && {LAST} !== null")
        yield tab


async def drawn(folder: Path) -> bytes:
    """The picture, small, with the digest of the page."""
    async with shown(folder) as tab:
        points = await tab.picture(width=SIZE[0], height=SIZE[1])
    info = PngInfo()
    info.add_text("source", hashlib.sha256(page().encode()).hexdigest())
    small = io.BytesIO()
    Image.open(io.BytesIO(points)).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True, pnginfo=info
    )
    return small.getvalue()


@pytest.mark.parametrize(("dark", "paper"), [(False, "rgb(255, 255, 255)"), (True, "rgb(17, 22, 29)")])
async def test_the_page_has_its_style_in_light_and_dark_and_asks_for_nothing(
    tmp_path: Path, dark: bool, paper: str
) -> None:
    async with shown(tmp_path, dark=dark) as tab:
        assert await tab.evaluate("getComputedStyle(document.body).backgroundColor") == paper
        assert await tab.evaluate("getComputedStyle(document.querySelector('.verdict')).fontSize") == "20px"
        assert await tab.evaluate("performance.getEntriesByType('resource').length") == 0
        assert await tab.evaluate("document.scripts.length + document.images.length") == 0
        assert await tab.evaluate("[...document.links].every((a) => a.getAttribute('href').startsWith('#'))")


async def test_the_page_fits_a_narrow_screen_and_folds_what_is_wide_into_its_own_scrolling(tmp_path: Path) -> None:
    async with shown(tmp_path, width=420) as tab:
        assert await tab.evaluate(WIDEST) <= 420


async def test_hostile_texts_are_seen_as_text_and_no_order_of_theirs_is_followed(tmp_path: Path) -> None:
    async with shown(tmp_path) as tab:
        words = await tab.evaluate("document.body.innerText")
        assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in words
        assert "\\u202egnp.exe" in words
        assert "\u202e" not in words


async def test_the_page_can_be_walked_through_by_headings_and_every_plot_has_a_name(tmp_path: Path) -> None:
    async with shown(tmp_path) as tab:
        levels = await tab.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        nameless = "[...document.querySelectorAll('svg')].filter((s) => s.getAttribute('role') !== 'img' || "
        assert await tab.evaluate(f"{nameless}!s.getAttribute('aria-label') || !s.querySelector('title')).length") == 0
        assert await tab.evaluate("document.querySelectorAll('svg').length") > 10


async def test_folded_cases_are_printed_too(tmp_path: Path) -> None:
    async with shown(tmp_path) as tab:
        folded = "document.querySelector('details.case:not([open]) dl')"
        height = f"Math.round({folded}.getBoundingClientRect().height)"
        assert await tab.evaluate(f"{folded}.checkVisibility({{contentVisibilityAuto: true}}) && {height} > 0") is False
        await tab.send("Emulation.setEmulatedMedia", {"media": "print"})
        assert await tab.evaluate(height) > 40


async def test_the_picture_of_the_guide_shows_the_report_of_now(tmp_path: Path) -> None:
    kept = Image.open(PICTURE)
    source = getattr(kept, "text", {}).get("source")
    renew = "renew it: python -m tests.acceptance.test_eval_report_page"
    assert source == hashlib.sha256(page().encode()).hexdigest(), renew
    assert PICTURE.stat().st_size <= LARGEST_BYTES
    again = Image.open(io.BytesIO(await drawn(tmp_path)))
    dark = [sum(1 for point in picture.convert("L").tobytes() if point < 128) for picture in (again, kept)]
    assert again.size == kept.size
    assert 0.8 < dark[0] / dark[1] < 1.25, "about as much ink; fonts differ from machine to machine"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_bytes(asyncio.run(drawn(Path(scratch))))
        sys.stdout.write(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes\n")
