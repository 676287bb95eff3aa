"""The people of a local installation: found by id, by duty, and never by accident."""

import stat
from pathlib import Path

import pytest

from casewright.errors import InputError, NotFoundError, StorageError
from casewright.identity.local import LocalIdentities, load_identities, sample_identities, save_identities


def test_people_are_found_by_their_exact_id() -> None:
    people = sample_identities()
    assert people.find("rosa").roles == ("reviewer",)
    for other in ("Rosa", "rosa ", "", "*", "nobody"):
        with pytest.raises(NotFoundError, match=r"."):
            people.find(other)


def test_without_a_name_the_default_of_the_duty_acts() -> None:
    people = sample_identities()
    assert people.acting(None, duty="audit").id == "avery"
    assert people.acting("tomas", duty="audit").id == "tomas"


def test_without_a_default_a_name_is_needed() -> None:
    people = LocalIdentities(people=sample_identities().people, defaults={})
    with pytest.raises(InputError, match="--as"):
        people.acting(None, duty="review")


def test_what_was_saved_is_read_again_and_only_its_owner_may(tmp_path: Path) -> None:
    path = tmp_path / "identities.json"
    save_identities(path, sample_identities())
    assert load_identities(path) == sample_identities()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["identities.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"people": [{"id": "x"}], "defaults": {}}', "not JSON"])
def test_a_file_that_is_no_directory_of_people_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "identities.json"
    path.write_text(content)
    with pytest.raises(StorageError, match="identities"):
        load_identities(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="casewright init"):
        load_identities(tmp_path / "identities.json")


def test_roles_that_decide_are_apart_from_roles_that_ask() -> None:
    for person in sample_identities().people:
        assert not {"reviewer", "supervisor"} <= set(person.roles), person.id
