"""Puts the approval page together, and declares it as a resource of the review server.

One file without anything remote. Its policy names its own script and style by their hashes, so
nothing else can run in it whatever text it shows, and no request can leave it. What it shows comes
from the review server's tools; it is deliberately *not* made per approval: the page is the same
for everybody, and holds nothing of anybody.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from casewright import __version__
from servers.entry_spec import ResourceSpec

URI = "ui://review/approval"
MIME_TYPE = "text/html;profile=mcp-app"
"""Hosts render a page of no other type."""
SHOWN_ON_PAGE: Mapping[str, Any] = {"ui": {"resourceUri": URI}}
"""`_meta` of the tools whose answers the page shows."""


def approval_page() -> str:
    """The whole page."""
    folder = files("servers.approval_page")
    style = folder.joinpath("page.css").read_text(encoding="utf-8")
    script = folder.joinpath("page.js").read_text(encoding="utf-8").replace('"$version"', f'"{__version__}"')
    page = Template(folder.joinpath("page.html").read_text(encoding="utf-8"))
    return page.substitute(policy=content_policy(script, style), style=style, script=script)


def content_policy(script: str, style: str) -> str:
    """What the page may do: run this script, use this style, and nothing else."""
    allowed = {
        "default-src": "'none'",
        "script-src": f"'sha256-{_hash(script)}'",
        "style-src": f"'sha256-{_hash(style)}'",
        "connect-src": "'none'",
        "img-src": "'none'",
        "frame-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


async def read_page(**_narrowing: Any) -> str:
    """The page, for `resources/read`; what it could be narrowed by changes nothing."""
    return approval_page()


def page_resource() -> ResourceSpec:
    """The page as the review server declares it; whoever may list approvals may have it."""
    return ResourceSpec(
        uri=URI,
        name="approval_page",
        title="Approval page",
        description="Shows an approval exactly as it would be executed, in clients that render pages.",
        asks="list_approvals",
        mime_type=MIME_TYPE,
        read=read_page,
        meta={"ui": {"csp": {}, "prefersBorder": True}},
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
