"""What of a decision's input is kept as it is, left out, or encrypted.

The rules come from the policy's `recording` data, as paths with dots into the input document. A
path covers what is below it unless a longer one says otherwise; what no path covers is encrypted.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

from casewright.audit.sealing import Sealing

Treatment = Literal["keep", "redact", "encrypt"]
Path = tuple[str, ...]
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_STANDINS = {"sealed", "redacted"}


@dataclass(frozen=True, kw_only=True)
class RecordingRules:
    """Treatments by path; anything else than `keep` or `redact` encrypts."""

    paths: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def tree(self) -> "Node":
        """The paths as a tree."""
        root = Node()
        for path, treatment in self.paths.items():
            node = root
            for name in path.split("."):
                node = node.below.setdefault(name, Node())
            node.treatment = "keep" if treatment == "keep" else "redact" if treatment == "redact" else "encrypt"
        return root


@dataclass(kw_only=True)
class Node:
    """What the rules say of one place and of places below it."""

    treatment: Treatment | None = None
    below: "dict[str, Node]" = field(default_factory=lambda: dict[str, Node]())


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An input as it is stored."""

    shown: str
    """JSON of the input; what is not kept is `{"sealed": …}` or `{"redacted": …}` with a fingerprint."""
    sealed: str
    """What opens with the key: the encrypted values and the paths of what was left out; may be empty."""


def record_input(document: Mapping[str, Any], rules: RecordingRules, sealing: Sealing, *, about: str) -> Recorded:
    """Treat every part of the input as the rules say.

    Raises:
        ValueError: the document is not JSON (UnicodeEncodeError and TypeError included).
        StorageError: there is no key to seal with.
    """
    work = _Treating(sealing)
    shown = {
        name: work.treated(value, rules.tree.below.get(name), "encrypt", (name,)) for name, value in document.items()
    }
    sealed = ""
    if work.encrypted or work.redacted:
        sealed = sealing.seal(_json({"encrypted": work.encrypted, "redacted": work.redacted}), about=about)
    return Recorded(shown=_json(shown).decode(), sealed=sealed)


def restore_input(recorded: Recorded, sealing: Sealing, *, about: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The input with what was encrypted, and the paths of what stays redacted.

    Raises:
        StorageError: it does not open, or does not fit together.
        ValueError, LookupError, TypeError: the stored texts are not what was recorded.
    """
    document: dict[str, Any] = json.loads(recorded.shown)
    if not recorded.sealed:
        return document, ()
    parts: dict[str, Any] = json.loads(sealing.open(recorded.sealed, about=about))
    for path, value in parts["encrypted"]:
        place: Any = document
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
    return document, tuple(".".join(path) for path in parts["redacted"])


def input_digest(document: Mapping[str, Any]) -> str:
    """SHA-256 over the input as sorted, compact JSON; RFC 8785 cannot carry its nanoseconds."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def shown_input(recorded: Recorded) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The input as it is stored, without a key, and the paths of what it shows as a fingerprint only.

    Raises:
        ValueError: the stored text is not what was recorded.
    """
    document: dict[str, Any] = json.loads(recorded.shown)
    return document, tuple(".".join(path) for path in _fingerprints(document, ()))


def _fingerprints(value: Any, path: Path) -> Iterator[Path]:
    members = _members(value)
    if path and len(members) == 1 and isinstance(next(iter(members.values())), str) and members.keys() <= _STANDINS:
        yield path
        return
    for name, member in members.items():
        yield from _fingerprints(member, (*path, name))


class _Treating:
    """One walk over an input."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self.encrypted: list[tuple[Path, Any]] = []
        self.redacted: list[Path] = []

    def treated(self, value: Any, node: Node | None, inherited: Treatment, path: Path) -> Any:
        treatment = inherited if node is None or node.treatment is None else node.treatment
        members = _members(value) if node is not None and node.below else {}
        if node is not None and members:
            below = node.below
            return {
                name: self.treated(member, below.get(name), treatment, (*path, name))
                for name, member in members.items()
            }
        if treatment == "keep":
            return value
        fingerprint = self._sealing.fingerprint(_json(value))
        if treatment == "redact":
            self.redacted.append(path)
            return {"redacted": fingerprint}
        self.encrypted.append((path, value))
        return {"sealed": fingerprint}


def _members(value: Any) -> dict[str, Any]:
    """What lies below a value; nothing below anything but a map."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()
