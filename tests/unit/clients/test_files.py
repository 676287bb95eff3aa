"""A client's file on the disk: whole or not at all, with a copy of what was there."""

from pathlib import Path

import pytest

from casewright.clients.files import read_configuration, replace_configuration
from casewright.errors import ConflictError, InputError, StorageError

AT_NS = 1_794_000_000_000_000_000


@pytest.mark.proves("I6")
def test_what_was_there_is_kept_beside_it_and_no_copy_is_ever_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "mcp.json"
    assert read_configuration(path) is None
    assert replace_configuration(path, None, "one", at_ns=AT_NS) is None
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    first = replace_configuration(path, "one", "two", at_ns=AT_NS)
    second = replace_configuration(path, "two", "three", at_ns=AT_NS)
    assert first is not None
    assert second is not None
    assert [first.name, second.name] == ["mcp.json.20261106T212000Z.bak", "mcp.json.20261106T212000Z-2.bak"]
    assert (first.read_text(), second.read_text(), read_configuration(path)) == ("one", "two", "three")
    assert path.stat().st_mode & 0o777 == 0o640
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, first.name, second.name}


def test_a_change_by_somebody_else_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text("theirs")
    with pytest.raises(ConflictError, match="close the client"):
        replace_configuration(path, "read before", "ours", at_ns=AT_NS)
    assert path.read_text() == "theirs"
    assert not list(tmp_path.glob(".mcp.json.*"))


def test_a_link_stays_a_link_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("one")
    link = tmp_path / "mcp.json"
    link.symlink_to(real)
    replace_configuration(link, "one", "two", at_ns=AT_NS)
    assert link.is_symlink()
    assert real.read_text() == "two"


def test_what_cannot_be_read_or_written_is_said_and_left_alone(tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(InputError, match=r"not UTF-8 \(byte 8\)"):
        read_configuration(odd)
    with pytest.raises(InputError, match="is a folder"):
        read_configuration(tmp_path)
    with pytest.raises(StorageError, match="use --print"):
        replace_configuration(odd / "mcp.json", None, "x", at_ns=AT_NS)
