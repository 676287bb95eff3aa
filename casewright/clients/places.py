"""Where each MCP client keeps the list of its servers, by platform.

Pure: the platform, the environment and what is there are arguments, so that the paths of Windows
and macOS are tested on any machine. Sources: each client's own documentation, named in
`docs/clients.md`. It is deliberately *not* a reader of those files.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ntpath import join as windows_join
from typing import Literal

from casewright.errors import InputError

ClientName = Literal["claude-desktop", "vscode", "cursor", "claude-code"]
CLIENTS: tuple[ClientName, ...] = ("claude-desktop", "vscode", "cursor", "claude-code")
Platform = Literal["linux", "darwin", "win32"]
STORE_FOLDERS = "Claude_*"
"""Folders of packages under `%LOCALAPPDATA%\\Packages`: Claude Desktop from the store reads its file there alone."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a path depends on."""

    platform: Platform
    environment: Mapping[str, str]
    user_folder: str
    """The person's own folder, absolute."""
    store_packages: Sequence[str] = ()
    """Folders that match `STORE_FOLDERS`, on Windows."""


def platform_of(name: str) -> Platform:
    """The platform of `sys.platform`.

    Raises:
        InputError: no client of ours is known there.
    """
    for known in ("linux", "darwin", "win32"):
        if name == known:
            return known
    raise InputError(f"no client's files are known on {name!r}; use --print and put the entry in by hand")


def configuration_path(client: ClientName, where: Surroundings) -> str:
    """The client's file of this person, absolute, in the platform's own form; it need not be there.

    Raises:
        InputError: several packaged Claude Desktops are installed, and which one is meant is not known.
    """
    match client:
        case "claude-desktop":
            return _claude_desktop(where)
        case "vscode":
            return _join(where, _applications(where), "Code", "User", "mcp.json")
        case "cursor":
            return _join(where, where.user_folder, ".cursor", "mcp.json")
        case "claude-code":
            return _join(where, where.environment.get("CLAUDE_CONFIG_DIR") or where.user_folder, ".claude.json")


def _claude_desktop(where: Surroundings) -> str:
    name = "claude_desktop_config.json"
    if where.platform == "win32" and len(where.store_packages) > 1:
        raise InputError(
            f"Claude Desktop is installed {len(where.store_packages)} times: {', '.join(where.store_packages)}; "
            "use --print and put it into the right one's LocalCache\\Roaming\\Claude\\" + name
        )
    if where.platform == "win32" and where.store_packages:
        return windows_join(where.store_packages[0], "LocalCache", "Roaming", "Claude", name)
    return _join(where, _applications(where), "Claude", name)


def _applications(where: Surroundings) -> str:
    """The folder under which applications keep what is this person's."""
    match where.platform:
        case "win32":
            return where.environment.get("APPDATA") or windows_join(where.user_folder, "AppData", "Roaming")
        case "darwin":
            return posixpath.join(where.user_folder, "Library", "Application Support")
        case "linux":
            return where.environment.get("XDG_CONFIG_HOME") or posixpath.join(where.user_folder, ".config")


def _join(where: Surroundings, *parts: str) -> str:
    return windows_join(*parts) if where.platform == "win32" else posixpath.join(*parts)
