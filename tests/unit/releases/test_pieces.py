"""The files of a release: packed, unpacked, and made again where they are not exactly what was packed."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.errors import StorageError
from casewright.releases.pieces import Pieces, collected, placed

FILES = {"policies/a/rules.rego": "package a\n", "prompts/one.md": "§ 1\n", "models.toml": ""}
NAMES = st.text("abcdef/._-", min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.text(max_size=200), max_size=8))
def test_what_is_unpacked_is_what_was_packed(files: dict[str, str]) -> None:
    pieces = Pieces(files=files)
    assert Pieces.unpacked(pieces.packed, expected=pieces.digest).files == files


@pytest.mark.proves("H3")
@given(at=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_a_changed_byte_of_what_was_packed_is_found(at: int, mask: int) -> None:
    pieces = Pieces(files=FILES)
    content = bytearray(pieces.packed)
    content[at % len(content)] ^= mask
    with contextlib.suppress(StorageError):
        assert Pieces.unpacked(bytes(content), expected=pieces.digest).files == FILES  # a byte that says nothing


def test_other_files_than_the_manifest_names_are_refused() -> None:
    with pytest.raises(StorageError, match="not those of its manifest"):
        Pieces.unpacked(Pieces(files=FILES | {"x.md": ""}).packed, expected=Pieces(files=FILES).digest)


@pytest.mark.proves("H3")
@pytest.mark.parametrize("harm", ["changed", "gone", "more", "whole"])
def test_a_folder_that_is_not_what_was_packed_is_made_again(tmp_path: Path, harm: str) -> None:
    pieces, folder = Pieces(files=FILES), tmp_path / "releases" / "rel-1"
    placed(pieces, folder)
    if harm == "changed":
        (folder / "policies/a/rules.rego").write_text("package b\n", encoding="utf-8")
    elif harm == "gone":
        (folder / "prompts/one.md").unlink()
    elif harm == "more":
        (folder / "policies/a/more.rego").write_text("package c\n", encoding="utf-8")
    placed(pieces, folder)
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["rel-1"]


def test_a_file_that_would_lie_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="outside"):
        placed(Pieces(files={"../../elsewhere": "x"}), tmp_path / "a" / "releases" / "rel-1")
    assert not (tmp_path / "elsewhere").exists() and not (tmp_path / "a" / "elsewhere").exists()


def test_policies_prompts_and_models_are_collected_and_nothing_else(tmp_path: Path) -> None:
    for name in ("policies/a.rego", "policies/data/x/data.json", "policies/.hidden/b.rego", "policies/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "one.md").write_text("one", encoding="utf-8")
    found = collected(tmp_path / "policies", tmp_path / "prompts", tmp_path / "models.toml")
    assert sorted(found.files) == ["policies/a.rego", "policies/data/x/data.json", "prompts/one.md"]
    assert found.models is None
    (tmp_path / "models.toml").write_text("[tiers]", encoding="utf-8")
    assert collected(tmp_path / "policies", tmp_path / "prompts", tmp_path / "models.toml").models == "[tiers]"


def test_an_installation_without_prompts_is_pinned_by_no_release(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.rego").write_text("package a", encoding="utf-8")
    with pytest.raises(StorageError, match="nothing that a release could pin"):
        collected(tmp_path / "policies", tmp_path / "prompts", tmp_path / "models.toml")
