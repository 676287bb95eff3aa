"""Holds every prompt file to the text that its version was locked with: `prompts.lock`, beside the prompts.

A version that was once locked never gets another text, so a version and a hash in a record mean the same for ever. A
changed prompt needs a higher `version` in its front matter, and then `casewright models lock`. It checks no grammar of
prompt files; see `casewright.models.prompts`.
"""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from casewright.contracts.base import Contract
from casewright.errors import InputError
from casewright.models.prompts import PromptLibrary

LOCK_FILE = "prompts.lock"
_HEAD = """\
# The text of every version of every prompt, by its SHA-256. Written by `casewright models lock`; lines are only added.
"""


class LockedPrompt(Contract):
    """One version of one prompt."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")]
    version: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PromptLock(Contract):
    """Every version that there ever was."""

    prompt: tuple[LockedPrompt, ...] = ()

    def newest(self, prompt_id: str) -> LockedPrompt | None:
        """The highest version of a prompt; None: there is none yet."""
        return max((one for one in self.prompt if one.id == prompt_id), key=lambda one: one.version, default=None)


def check_lock(library: PromptLibrary, folder: Path) -> None:
    """Return if every prompt has the text that its version was locked with.

    Raises:
        InputError: one has another text, or a version that is not locked; it is named, with the way out.
    """
    lock = read_lock(folder)
    problem = next(_problems(library, lock), None)
    if problem is not None:
        raise InputError(problem)


def renewed(library: PromptLibrary, lock: PromptLock) -> tuple[LockedPrompt, ...]:
    """The versions that are new; none: the lock is up to date.

    Raises:
        InputError: a prompt has another text under a version that is locked, or a lower version than before.
    """
    new: list[LockedPrompt] = []
    for name, prompt in library.files:
        now = LockedPrompt(id=prompt.head.id, version=prompt.head.version, sha256=prompt.sha256)
        newest = lock.newest(now.id)
        if newest is None or now.version > newest.version:
            new.append(now)
        elif now != newest:
            raise InputError(_changed(name, now, newest))
    return tuple(new)


def read_lock(folder: Path) -> PromptLock:
    """The lock of a folder; empty where there is none.

    Raises:
        InputError: it is malformed, or says two things of one version.
    """
    path = folder / LOCK_FILE
    try:
        lock = PromptLock.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return PromptLock()
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(
            f"{LOCK_FILE!r} cannot be read ({type(error).__name__}); take the one that was released"
        ) from error
    named = [(one.id, one.version) for one in lock.prompt]
    double = next((one for one in named if named.count(one) > 1), None)
    if double is not None:
        raise InputError(f"{LOCK_FILE!r} has two lines for version {double[1]} of {double[0]!r}; keep the released one")
    return lock


def lock_text(locked: Sequence[LockedPrompt]) -> str:
    """The file for these versions, in a fixed order."""
    ordered = sorted(locked, key=lambda one: (one.id, one.version))
    entries = [f'[[prompt]]\nid = "{one.id}"\nversion = {one.version}\nsha256 = "{one.sha256}"\n' for one in ordered]
    return "\n".join([_HEAD, *entries])


def _problems(library: PromptLibrary, lock: PromptLock) -> Iterator[str]:
    locked = {(one.id, one.version): one for one in lock.prompt}
    for name, prompt in library.files:
        now = LockedPrompt(id=prompt.head.id, version=prompt.head.version, sha256=prompt.sha256)
        then = locked.get((now.id, now.version))
        newest = lock.newest(now.id)
        if then is None and (newest is None or now.version > newest.version):
            yield f"version {now.version} of the prompt {name!r} is not locked; run `casewright models lock`"
        elif newest is not None and now != newest:
            yield _changed(name, now, newest)


def _changed(name: str, now: LockedPrompt, newest: LockedPrompt) -> str:
    if now.version < newest.version:
        what = f"is version {now.version}, and version {newest.version} was locked before"
    else:
        what = f"has another text than its version {now.version} was locked with"
    way_out = f"raise `version` in its front matter to {newest.version + 1} and run `casewright models lock`"
    return f"the prompt {name!r} {what}; {way_out}, or take back the change"
