"""A release: what it pins, how it came about, and which one is in force.

The manifest is content: its digest is the release's id, and it is signed as the head of the audit is. What happens to
a release later (an override's confirmation, its retirement, a switch) stands beside it.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import EvaluatedVersions

ReleaseId = Annotated[str, StringConstraints(pattern=r"^rel-[0-9a-f]{16}$")]
ReleaseState = Literal["proposed", "ready", "retired"]
"""`proposed`: an override that waits for its second person; it cannot be put in force."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MoveKind = Literal["promoted", "rolled_back", "canary"]


class ReleaseManifest(Contract):
    """What a release consists of, and the evaluation that it was made under."""

    schema_version: Literal["release/v1"] = "release/v1"
    versions: EvaluatedVersions
    pieces: Digest
    """Over names and hashes of the copied files: policies, prompts and, where there is one, `models.toml`."""
    report: Digest
    """SHA-256 of the eval report's file."""
    results: Digest | None = None
    """SHA-256 of the file of results that the report's figures were counted again from; None: they were not."""
    eval_id: str
    gate: Literal["green", "overridden"]
    passed_over: tuple[str, ...] = ()
    """What spoke against it, in words; of a green gate nothing."""


class Override(Contract):
    """Who let a release through without a green gate."""

    why: str
    recorded_by: str
    confirmed_by: str
    """Empty: nobody yet."""


class Release(Contract):
    """One release as it stands."""

    release_id: ReleaseId
    state: ReleaseState
    created_by: str
    created_ns: int
    manifest: ReleaseManifest
    override: Override | None
    """None: it was made under a green gate."""


class ReleaseMove(Contract):
    """The newest switch: which release answers, and what `rollback` goes back to."""

    seq: int = 0
    at_ns: int = 0
    subject: str = ""
    kind: MoveKind | Literal["none"] = "none"
    active: str = ""
    """Empty: the installation's own files are in force, and no release is named."""
    previous: str = ""
    canary: str = ""
    """The release that a share of the cases runs on; empty: none."""
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    why: str = ""
