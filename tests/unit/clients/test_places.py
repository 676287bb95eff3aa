"""Each client's file on each platform, computed anywhere."""

import pytest

from casewright.clients.places import CLIENTS, ClientName, Platform, Surroundings, configuration_path, platform_of
from casewright.errors import InputError

USERS: dict[Platform, str] = {"linux": "/u/ada", "darwin": "/u/ada", "win32": r"C:\Users\ada"}
PATHS: dict[tuple[ClientName, Platform], str] = {
    ("claude-desktop", "linux"): "/u/ada/.config/Claude/claude_desktop_config.json",
    ("claude-desktop", "darwin"): "/u/ada/Library/Application Support/Claude/claude_desktop_config.json",
    ("claude-desktop", "win32"): r"C:\Users\ada\AppData\Roaming\Claude\claude_desktop_config.json",
    ("vscode", "linux"): "/u/ada/.config/Code/User/mcp.json",
    ("vscode", "darwin"): "/u/ada/Library/Application Support/Code/User/mcp.json",
    ("vscode", "win32"): r"C:\Users\ada\AppData\Roaming\Code\User\mcp.json",
    ("cursor", "linux"): "/u/ada/.cursor/mcp.json",
    ("cursor", "darwin"): "/u/ada/.cursor/mcp.json",
    ("cursor", "win32"): r"C:\Users\ada\.cursor\mcp.json",
    ("claude-code", "linux"): "/u/ada/.claude.json",
    ("claude-code", "darwin"): "/u/ada/.claude.json",
    ("claude-code", "win32"): r"C:\Users\ada\.claude.json",
}
STORE = r"C:\Users\ada\AppData\Local\Packages\Claude_abc"


def place(client: ClientName, platform: Platform, *packages: str, **environment: str) -> str:
    where = Surroundings(
        platform=platform, environment=environment, user_folder=USERS[platform], store_packages=packages
    )
    return configuration_path(client, where)


@pytest.mark.proves("I6")
@pytest.mark.parametrize(("client", "platform"), [(client, platform) for client in CLIENTS for platform in USERS])
def test_every_client_has_its_file_on_every_platform(client: ClientName, platform: Platform) -> None:
    assert place(client, platform) == PATHS[client, platform]


def test_the_environment_says_where_else_applications_keep_their_files() -> None:
    assert place("vscode", "linux", XDG_CONFIG_HOME="/x") == "/x/Code/User/mcp.json"
    assert place("vscode", "darwin", XDG_CONFIG_HOME="/x") == PATHS["vscode", "darwin"]
    assert place("claude-desktop", "win32", APPDATA=r"D:\r") == r"D:\r\Claude\claude_desktop_config.json"
    assert place("claude-code", "linux", CLAUDE_CONFIG_DIR="/x") == "/x/.claude.json"


def test_claude_desktop_from_the_store_reads_its_own_folder() -> None:
    expected = STORE + r"\LocalCache\Roaming\Claude\claude_desktop_config.json"
    assert place("claude-desktop", "win32", STORE, APPDATA=r"D:\r") == expected
    assert place("vscode", "win32", STORE) == PATHS["vscode", "win32"]


def test_two_of_them_are_not_guessed_between() -> None:
    with pytest.raises(InputError, match=r"installed 2 times.*--print"):
        place("claude-desktop", "win32", STORE, STORE + "2")


def test_another_platform_is_refused_with_the_way_out() -> None:
    assert platform_of("darwin") == "darwin"
    with pytest.raises(InputError, match=r"'aix'.*--print"):
        platform_of("aix")
