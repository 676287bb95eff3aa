"""A client's file on the disk: read, kept as a copy, and replaced whole or not at all."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from casewright.errors import ConflictError, InputError, StorageError


def read_configuration(path: Path) -> str | None:
    """The text of a file; None where there is none.

    Raises:
        InputError: it is a folder, or not UTF-8.
        StorageError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise InputError(f"{str(path)!r} is not UTF-8 (byte {error.start + 1}); nothing was changed") from error
    except IsADirectoryError as error:
        raise InputError(f"{str(path)!r} is a folder; nothing was changed") from error
    except OSError as error:
        raise StorageError(f"{str(path)!r} cannot be read: {error.strerror}; use --print instead") from error


def replace_configuration(path: Path, before: str | None, text: str, *, at_ns: int) -> Path | None:
    """Put the text in place of what was read before; where the copy of that is, if there was anything.

    A link is followed: the file that it names is replaced. The new one has the permissions of the old.

    Args:
        at_ns: the time that names the copy.

    Raises:
        ConflictError: the file changed since it was read; nothing is lost.
        StorageError: the folder cannot be written.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if before is not None else 0o600
        backup = _keep(target, before, mode, at_ns) if before is not None else None
        fresh = _written(target.with_name(f".{target.name}.{secrets.token_hex(4)}"), text, mode)
    except OSError as error:
        raise StorageError(f"{str(target)!r} cannot be written: {error.strerror}; use --print instead") from error
    try:
        if read_configuration(target) != before:
            raise ConflictError(f"{str(target)!r} changed while it was being edited; close the client and run it again")
        fresh.replace(target)
    except OSError as error:
        raise StorageError(f"{str(target)!r} cannot be replaced: {error.strerror}; use --print instead") from error
    finally:
        fresh.unlink(missing_ok=True)
    return backup


def _keep(target: Path, text: str, mode: int, at_ns: int) -> Path:
    """A copy under a name that was free: an older copy is never overwritten."""
    stamp = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    number = 1
    while True:
        again = "" if number == 1 else f"-{number}"
        try:
            return _written(target.with_name(f"{target.name}.{stamp}{again}.bak"), text, mode)
        except FileExistsError:
            number += 1


def _written(path: Path, text: str, mode: int) -> Path:
    """A new file with this text, on the disk when it returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    return path
