"""A real Chromium without a window, driven over its debugging protocol, and a host that renders a server's page.

The host is what a client's is: it puts the page into a sandboxed frame, answers its handshake, gives
it a tool's result and passes its calls on. It counts every request that reaches it and everything that
the frame says beyond the protocol. Without a Chromium the tests that need one are skipped.
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECONDS = 30
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--force-device-scale-factor=1",
    "--disable-features=IsolateSandboxedIframes",
    "--disable-site-isolation-trials",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)
HOST_PAGE = """<!doctype html><meta charset="utf-8">
<style>body{margin:0}iframe{border:0;width:100vw;height:100vh}</style>
<body><script>
window.heard = []; window.odd = [];
const given = $given;
const frame = document.createElement("iframe");
frame.setAttribute("sandbox", "allow-scripts");
const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
window.show = (result) => send({ method: "ui/notifications/tool-result", params: result });
window.addEventListener("message", async (event) => {
  const message = event.data;
  if (event.source !== frame.contentWindow || !message || message.jsonrpc !== "2.0") {
    window.odd.push(String(message));
    return;
  }
  window.heard.push(message);
  if (message.method === "ui/initialize") {
    send({ id: message.id, result: { protocolVersion: "2026-01-26", hostInfo: { name: "test", version: "1" },
      hostCapabilities: given.capabilities, hostContext: { theme: given.theme } } });
  } else if (message.method === "ui/notifications/initialized") {
    send({ method: "ui/notifications/tool-input", params: { arguments: {} } });
    window.show(given.result);
  } else if (message.method === "tools/call") {
    const answer = await (await fetch("/call", { method: "POST", body: JSON.stringify(message.params) })).json();
    send({ id: message.id, ...answer });
  }
});
frame.srcdoc = given.page;
document.body.append(frame);
</script>"""

Calls = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Calls a tool of the server for the page: name and arguments; the result as it goes over the wire."""


def chromium() -> str:
    """The Chromium of this machine, or the test is skipped."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"there is no {' or '.join(NAMES[:2])} on PATH; install the package of that name")
    return found


async def no_calls(name: str, _arguments: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError(f"the page called {name!r}")


@dataclass(kw_only=True)
class Shown:
    """A page in its frame."""

    tab: "Tab"
    frame: int
    """The world in which the frame is looked at; the page's own script cannot reach it."""
    requests: list[str] = field(default_factory=list[str])
    """Paths that were asked for beyond the host's own page."""

    async def look(self, expression: str) -> Any:
        """A value from inside the frame."""
        return await self.tab.evaluate(expression, world=self.frame)

    async def outside(self, expression: str) -> Any:
        """A value from the host."""
        return await self.tab.evaluate(expression)

    async def text(self) -> str:
        return str(await self.look("document.body.innerText"))

    async def until(self, expression: str) -> None:
        """Wait until something is so inside the frame."""
        if not await self.tab.comes_to(expression, world=self.frame):
            raise AssertionError(f"it never came to {expression}; the page says: {await self.text()}")

    async def until_outside(self, expression: str) -> None:
        """Wait until something is so in the host."""
        assert await self.tab.comes_to(expression), f"it never came to {expression}"

    async def picture(self, *, height: int) -> bytes:
        """A PNG of what is to be seen."""
        return await self.tab.picture(width=860, height=height)


class Tab:
    """One tab, over the debugging protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": params or {}})
        while True:
            message = json.loads(await self._socket.receive_str(timeout=SECONDS))
            if message.get("id") == self._sent:
                assert "error" not in message, message
                return message["result"]

    async def evaluate(self, expression: str, *, world: int | None = None) -> Any:
        params: dict[str, Any] = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        if world is not None:
            params["contextId"] = world
        result = await self.send("Runtime.evaluate", params)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def comes_to(self, expression: str, *, world: int | None = None) -> bool:
        """Whether it is so within a bounded time."""
        for _ in range(SECONDS * 20):
            if await self.evaluate(f"Boolean({expression})", world=world):
                return True
            await asyncio.sleep(0.05)
        return False

    async def picture(self, *, width: int, height: int) -> bytes:
        """A PNG of the tab in this size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", metrics)
        shot = await self.send("Page.captureScreenshot", {"format": "png"})
        return base64.b64decode(shot["data"])

    async def world_of(self, address: str) -> int:
        """A world of our own in the frame with this address, when it is there."""
        for _ in range(SECONDS * 20):
            tree = (await self.send("Page.getFrameTree"))["frameTree"]
            for child in tree.get("childFrames", []):
                if child["frame"]["url"] == address:
                    made = await self.send("Page.createIsolatedWorld", {"frameId": child["frame"]["id"]})
                    return int(made["executionContextId"])
            await asyncio.sleep(0.05)
        raise AssertionError(f"no frame came to {address!r}")


@contextlib.asynccontextmanager
async def rendered(
    page: str, result: dict[str, Any], folder: Path, *, call: Calls = no_calls, callable_tools: bool = True
) -> AsyncGenerator[Shown]:
    """The page in a host's frame, after it was given one result.

    Args:
        folder: where the browser may write; a new one.
        call: what is done when the page calls a tool.
        callable_tools: whether the host lets the page call any.
    """
    requests: list[str] = []
    given: dict[str, Any] = {
        "page": page,
        "result": result,
        "theme": "light",
        "capabilities": {"serverTools": {}} if callable_tools else {},
    }
    # "</" would end the script that holds it
    text = HOST_PAGE.replace("$given", json.dumps(given).replace("</", "<\\/"))

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/host":
            return web.Response(text=text, content_type="text/html")
        if request.path == "/call":
            asked = json.loads(await request.text())
            return web.json_response(await call(asked["name"], asked["arguments"]))
        requests.append(request.path_qs)
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with _serving(app) as base, browser(folder) as tab:
        await tab.send("Page.navigate", {"url": f"{base}/host"})
        shown = Shown(tab=tab, frame=await tab.world_of("about:srcdoc"), requests=requests)
        yield shown


@contextlib.asynccontextmanager
async def _serving(app: web.Application) -> AsyncGenerator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncGenerator[Tab]:
    """A tab of a browser of its own, ended afterwards."""
    process = _started(folder)
    try:
        port = await _port(folder / "DevToolsActivePort", process)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(await _first_tab(session, port), max_msg_size=0) as socket,
        ):
            yield Tab(socket)
    finally:
        await asyncio.to_thread(_ended, process)


async def _first_tab(session: aiohttp.ClientSession, port: int) -> str:
    """Where the browser's tab is spoken to, as soon as there is one."""
    for _ in range(SECONDS * 20):
        async with session.get(f"http://127.0.0.1:{port}/json/list") as listed:
            for one in await listed.json():
                if one["type"] == "page":
                    return str(one["webSocketDebuggerUrl"])
        await asyncio.sleep(0.05)
    raise AssertionError("the browser opened no tab")


def _ended(process: subprocess.Popen[bytes]) -> None:
    """End the browser with all its processes: what is on PATH may be a script that only starts it."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if not _group_lives(process.pid):
            return


def _group_lives(group: int) -> bool:
    """Whether a process of the group is still there, after some time to go."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def _started(folder: Path) -> subprocess.Popen[bytes]:
    command = [chromium(), *OPTIONS, f"--user-data-dir={folder}", "--window-size=860,900", "about:blank"]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, env={**kept, "HOME": str(folder)}, stderr=quiet, stdout=quiet, start_new_session=True
    )


async def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    for _ in range(SECONDS * 20):
        if port := _written(file):
            return port
        assert process.poll() is None, "the browser ended at once"
        await asyncio.sleep(0.05)
    raise AssertionError("the browser said no port")


def _written(file: Path) -> int:
    """The port that the browser wrote down; 0: it did not yet."""
    try:
        return int(file.read_text(encoding="utf-8").split()[0])
    except (OSError, IndexError):
        return 0
