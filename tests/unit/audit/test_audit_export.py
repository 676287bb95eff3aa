"""The exported audit: checked offline with a public key, any changed byte or missing line found."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewright.audit.export import export, verify_export
from casewright.errors import InputError, StorageError
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import kernel
from tests.unit.audit.test_audit_log import change, filled


@pytest.fixture
async def exported(tmp_path: Path) -> tuple[Path, SigningKey, tuple[int, str]]:
    async with kernel(tmp_path) as world:
        await filled(world)
        target = tmp_path / "audit.jsonl"
        assert (await export(world.database, target))[0] == 12
        return target, world.signer, await world.audit.head()


@pytest.mark.proves("G1")
async def test_an_export_verifies_offline_and_names_the_same_head(
    exported: tuple[Path, SigningKey, tuple[int, str]],
) -> None:
    path, signer, head = exported
    verdict = verify_export(path, signer, expected_head=head)
    assert (verdict.ok, verdict.events, verdict.head) == (True, 12, head)
    assert list(path.parent.glob("*.partial")) == []


@pytest.mark.proves("G1")
async def test_any_changed_removed_or_added_byte_of_an_export_is_found(
    exported: tuple[Path, SigningKey, tuple[int, str]],
) -> None:
    path, signer, _ = exported
    whole = path.read_bytes()

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(at=st.integers(0, len(whole) - 1), how=st.sampled_from(["flip", "cut", "double"]), bit=st.integers(0, 7))
    def check(at: int, how: str, bit: int) -> None:
        middle = {"flip": bytes([whole[at] ^ (1 << bit)]), "cut": b"", "double": whole[at : at + 1] * 2}[how]
        path.write_bytes(whole[:at] + middle + whole[at + 1 :])
        verdict = verify_export(path, signer)
        assert (verdict.ok, verdict.first_bad is not None) == (False, True)

    check()


@pytest.mark.proves("G1")
@pytest.mark.parametrize("kept", [0, 1, 5, 12])
async def test_an_export_without_its_last_lines_is_incomplete(
    exported: tuple[Path, SigningKey, tuple[int, str]], kept: int
) -> None:
    path, signer, head = exported
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]))
    verdict = verify_export(path, signer, expected_head=head)
    assert (verdict.ok, verdict.events) == (False, kept)


async def test_lines_after_the_head_are_refused(exported: tuple[Path, SigningKey, tuple[int, str]]) -> None:
    path, signer, _ = exported
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[0]]))
    assert "after the head" in verify_export(path, signer).problem


async def test_an_export_signed_by_another_key_does_not_verify(
    exported: tuple[Path, SigningKey, tuple[int, str]],
) -> None:
    path, _, _ = exported
    assert verify_export(path, SigningKey.generate()).ok is False


async def test_a_missing_export_is_the_callers_to_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        verify_export(tmp_path / "none.jsonl", SigningKey.generate())


async def test_an_unreadable_event_stops_the_export_and_leaves_no_file(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world)
        change(world.path, "UPDATE audit_events SET body = '{' WHERE seq = 3")
        with pytest.raises(StorageError, match="event 3"):
            await export(world.database, tmp_path / "audit.jsonl")
        assert not (tmp_path / "audit.jsonl").exists() and not (tmp_path / "audit.jsonl.partial").exists()


async def test_an_export_into_a_missing_folder_says_so(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        with pytest.raises(StorageError, match="cannot be written"):
            await export(world.database, tmp_path / "none" / "audit.jsonl")
