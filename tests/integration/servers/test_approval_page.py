"""The approval page as the review server serves it."""

import base64
import hashlib
import re

import pytest
from mcp.shared.exceptions import MCPError

from servers.approval_page.page import MIME_TYPE, URI, approval_page
from tests.support.installation import MODES, Bearer, Mode, World

REMOTE = re.compile(
    r"""https?:|//[a-z]|\bsrc=|\bhref=|@import|url\(|innerHTML|outerHTML|insertAdjacent|document\.write"""
)


def test_the_page_is_whole_and_its_policy_names_its_own_script_and_style_alone() -> None:
    page = approval_page()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
    for name, element in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        expected = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{expected}'"
    assert REMOTE.findall(page) == []
    assert "unsafe" not in policy
    assert "$" not in re.sub(r"<script>.*</script>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("mode", MODES)
async def test_the_tools_name_the_page_and_the_page_is_there(world: World, mode: Mode) -> None:
    async with world.client("review", Bearer(identity="selma", case_id=""), mode=mode) as client:
        tools = {tool.name: tool.meta for tool in (await client.list_tools()).tools}
        on_page = {name for name, meta in tools.items() if meta and meta.get("ui") == {"resourceUri": URI}}
        assert on_page == {"list_approvals", "get_approval", "decide_approval"}
        listed = {resource.uri: resource for resource in (await client.list_resources()).resources}
        assert listed[URI].mime_type == MIME_TYPE
        (content, *_) = (await client.read_resource(URI)).contents
        assert content.mime_type == MIME_TYPE
        assert getattr(content, "text", "") == approval_page()
        assert content.meta == {"ui": {"csp": {}, "prefersBorder": True}}


async def test_whoever_may_not_list_approvals_gets_no_page(world: World) -> None:
    agent = Bearer(agent="verifier", scopes=("verify_draft",))
    async with world.client("review", agent) as client:
        with pytest.raises(MCPError, match="not available"):
            await client.read_resource(URI)
