"""The files that a release is made of: taken from an installation, packed into a row, unpacked and checked.

The row is the truth. The folder under `releases/` in the data folder is only where readers find the files, and is
made again from the row whenever it is not exactly what the manifest says. Called by the store and by `following`.
"""

import hashlib
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from casewright.access.bundle import read_bundle
from casewright.canonical import canonical_json, digest, sha256_text
from casewright.errors import StorageError

POLICIES, PROMPTS, MODELS = "policies", "prompts", "models.toml"
_KINDS = {POLICIES: (".rego", ".json"), PROMPTS: (".md", ".lock")}
_FILES = TypeAdapter(dict[str, str])
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Text by path, with slashes: `policies/...`, `prompts/...`, `models.toml`."""

    files: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """Of names and contents."""
        return digest({name: sha256_text(text) for name, text in self.files.items()})

    @property
    def models(self) -> str | None:
        """The models file; None: the environment said which models there are."""
        return self.files.get(MODELS)

    @property
    def packed(self) -> bytes:
        return zlib.compress(canonical_json(dict(self.files)), 9)

    @classmethod
    def unpacked(cls, content: bytes, *, expected: str) -> "Pieces":
        """What was packed.

        Raises:
            StorageError: it is damaged, or its digest is another.
        """
        try:
            engine = zlib.decompressobj()
            pieces = cls(files=_FILES.validate_json(engine.decompress(content, _MOST_BYTES)))
        except (zlib.error, ValueError) as error:
            raise StorageError(f"the files of a release are damaged ({error}); restore the database") from error
        if pieces.digest != expected:
            raise StorageError("the files of a release are not those of its manifest; restore the database")
        return pieces


def collected(policies: Path, prompts: Path, models: Path) -> Pieces:
    """The files of an installation as they are now.

    Raises:
        StorageError: a file cannot be read, or a folder is missing.
    """
    files: dict[str, str] = {}
    try:
        for root, folder in ((POLICIES, policies), (PROMPTS, prompts)):
            found = {f"{root}/{name}": path.read_text(encoding="utf-8") for name, path in _walked(folder, _KINDS[root])}
            if not found:
                raise StorageError(f"{str(folder)!r} holds nothing that a release could pin; name the right folder")
            files |= found
        if models.is_file():
            files[MODELS] = models.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"what a release pins cannot be read: {error}; mend it and repeat") from error
    return Pieces(files=files)


def placed(pieces: Pieces, folder: Path) -> Path:
    """The folder with exactly these files; made again, all or nothing, if it is not.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        if folder.is_dir() and _same(pieces, folder):
            return folder
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = secrets.token_hex(6)
        temporary, aside = folder.with_name(f".{folder.name}.{mark}"), folder.with_name(f".{folder.name}.{mark}.old")
        _write(pieces, temporary)
        _swap(temporary, folder, aside)
    except OSError as error:
        raise StorageError(f"{str(folder)!r} cannot be written: {error}; make room or mend its permissions") from error
    return folder


def prompts_digest(folder: Path) -> str:
    """Over the prompt files of a folder: digest of their names and hashes, which runs are pinned to."""
    paths = sorted(folder.glob("*.md"))
    return digest([[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in paths])


def policy_revision(folder: Path) -> str:
    """The revision of a policy folder.

    Raises:
        PolicyError: it cannot be read.
    """
    return read_bundle(folder).revision


def _walked(folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in suffixes and path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            yield name, path


def _same(pieces: Pieces, folder: Path) -> bool:
    """Whether the folder holds these files and no other, byte for byte."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    return there == set(pieces.files) and all(
        (folder / name).read_bytes() == text.encode() for name, text in pieces.files.items()
    )


def _write(pieces: Pieces, folder: Path) -> None:
    for name, text in pieces.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise StorageError(f"the file {name!r} of a release lies outside of it; restore the database")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _swap(temporary: Path, folder: Path, aside: Path) -> None:
    """Put the new folder in place; another process may do the same at the same time, with the same files."""
    try:
        if folder.exists():
            folder.rename(aside)
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(temporary, ignore_errors=True)
