"""Which file is a client's on this machine, and how a client starts us from anywhere."""

import sys
from pathlib import Path

import pytest

from casewright.errors import InputError
from commands.client_files import carried_settings, client_path, own_command


def test_on_windows_the_packaged_claude_desktop_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    environment = {"LOCALAPPDATA": str(tmp_path), "APPDATA": "C:\\Roaming"}
    assert str(client_path("claude-desktop", environment)) == "C:\\Roaming\\Claude\\claude_desktop_config.json"
    package = tmp_path / "Packages" / "Claude_abc"
    package.mkdir(parents=True)
    assert str(client_path("claude-desktop", environment)).startswith(str(package))
    (tmp_path / "Packages" / "Claude_xyz").mkdir()
    with pytest.raises(InputError, match="2 times"):
        client_path("claude-desktop", environment)
    assert "Claude_abc" not in str(client_path("claude-desktop", {"APPDATA": "C:\\Roaming"}))


def test_the_command_is_absolute_with_and_without_an_installed_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert own_command() == (str(tmp_path / "python"), "-m", "casewright.launch")
    script = tmp_path / "casewright"
    script.touch()
    assert len(own_command()) == 3, "a file that cannot be run is no command"
    script.chmod(0o755)
    assert own_command() == (str(script),)


@pytest.mark.proves("I6")
def test_settings_are_carried_over_and_secrets_are_not() -> None:
    environment = {
        "CASEWRIGHT_ENGINE": "opa",
        "CASEWRIGHT_OPA_URL": "http://127.0.0.1:8181",
        "CASEWRIGHT_OIDC_ISSUER": "https://issuer.example",
        "CASEWRIGHT_TOKEN": "secret",
        "CASEWRIGHT_TOKEN_REVIEW": "secret",
        "CASEWRIGHT_OPA_TOKEN": "secret",
        "CASEWRIGHT_OIDC_CLIENT_SECRET": "secret",
        "CASEWRIGHT_HOME": "/elsewhere",
        "ANTHROPIC_API_KEY": "secret",
        "PATH": "/bin",
    }
    assert set(carried_settings(environment)) == {"CASEWRIGHT_ENGINE", "CASEWRIGHT_OPA_URL", "CASEWRIGHT_OIDC_ISSUER"}
