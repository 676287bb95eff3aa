"""The YAML front matter of a document: who issued it, for whom, and from when it holds.

Every field is read strictly; what is not understood raises `UnreadableDocumentError`, whose
text says what is wrong and how to mend it. Called by `documents` and the readers of formats.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from casewright.contracts.clause import DocumentStatus
from casewright.errors import InputError

_NAME = re.compile(r"[^\s@#/\\\x00-\x1f]{1,120}")
JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_STATUSES: dict[str, DocumentStatus] = {"published": "published", "draft": "draft", "withdrawn": "withdrawn"}
_MAX_TEXT = 1_000
_MAX_LABELS = 32
_MAX_CORRECTION = 9_999
_YEARS = range(1700, 9999)


class UnreadableDocumentError(InputError):
    """Mend the document: it goes to quarantine with this reason, and the rest goes on."""


@dataclass(frozen=True, kw_only=True)
class FrontMatter:
    """What a document says about itself."""

    document_id: str
    version: str
    title: str
    status: DocumentStatus
    effective_from: dt.date
    effective_to: dt.date | None
    issuer: str
    jurisdiction: str
    """Where it holds: a code of ISO 3166-1 or 3166-2 (`US`, `US-CA`); "" where it does not say, which is everywhere."""
    labels: tuple[str, ...]
    correction: int
    """Of a text with the same first day; the highest counts."""
    published: dt.date | None
    supersedes: str
    """The version it names as the one before; "" where it names none."""


def split_front_matter(text: str) -> tuple[str, str]:
    """The YAML between the two `---` lines, and the body after them.

    Raises:
        UnreadableDocumentError: the document does not begin with front matter.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].strip() != "---":
        raise UnreadableDocumentError(
            "it does not begin with front matter; put a line '---' first, then title, document_id, version, "
            "effective_from and status, then '---'"
        )
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    raise UnreadableDocumentError("its front matter is not closed; end it with a line '---'")


def typed_matter(fields: Mapping[str, object], *, tenant: str) -> FrontMatter:
    """Typed front matter of a document that `tenant` ingests.

    Raises:
        UnreadableDocumentError: a field missing or of the wrong kind, or another tenant named.
    """
    named = fields.get("tenant", tenant)
    if named != tenant:
        raise UnreadableDocumentError(
            f"it names the tenant {named!r} but is ingested for {tenant!r}; ingest it for the tenant it names or "
            "correct 'tenant'"
        )
    matter = FrontMatter(
        document_id=_name(fields, "document_id"),
        version=_name(fields, "version"),
        title=_text(fields, "title"),
        status=_status(fields),
        effective_from=_date(fields, "effective_from"),
        effective_to=_date(fields, "effective_to") if fields.get("effective_to") is not None else None,
        issuer=_text(fields, "issuer") if fields.get("issuer") is not None else "",
        jurisdiction=_jurisdiction(fields),
        labels=_labels(fields),
        correction=_correction(fields),
        published=_date(fields, "published") if fields.get("published") is not None else None,
        supersedes=_name(fields, "supersedes") if fields.get("supersedes") is not None else "",
    )
    if matter.effective_to is not None and matter.effective_to < matter.effective_from:
        raise UnreadableDocumentError(
            f"effective_to {matter.effective_to} is before effective_from {matter.effective_from}; correct one of them"
        )
    if matter.supersedes == matter.version:
        raise UnreadableDocumentError(
            f"version {matter.version!r} supersedes itself; name the earlier version or drop 'supersedes'"
        )
    return matter


def merged(own: Mapping[str, object], beside: Mapping[str, object]) -> Mapping[str, object]:
    """What a document and its sidecar say together: the sidecar wins, but for whom it is may not differ.

    Raises:
        UnreadableDocumentError: tenant or access labels differ.
    """
    for name in ("tenant", "labels"):
        if name in own and name in beside and own[name] != beside[name]:
            raise UnreadableDocumentError(
                f"it says {name!r} is {_shown(own[name])} and its sidecar {_shown(beside[name])}; make them agree"
            )
    return {**own, **beside}


def read_fields(source: str) -> dict[str, object]:
    """The `name: value` lines of YAML, not yet checked.

    Raises:
        UnreadableDocumentError: not YAML, or not such lines.
    """
    import yaml

    try:
        value: object = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first_line = str(error).split("\n", 1)[0]
        raise UnreadableDocumentError(
            f"its front matter is not YAML ({first_line}); quote values that contain ':' or '#'"
        ) from error
    if not isinstance(value, dict):
        raise UnreadableDocumentError(
            "its front matter is not a list of 'name: value' lines; write title, document_id, version, "
            "effective_from and status"
        )
    return cast("dict[str, object]", value)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and value.strip() and len(value) <= _MAX_TEXT:
        return unicodedata.normalize("NFC", " ".join(value.split()))
    raise UnreadableDocumentError(
        f"front matter {name!r} is {_shown(value)}; give it as text of 1 to {_MAX_TEXT} characters"
    )


def _name(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and _NAME.fullmatch(value) and unicodedata.is_normalized("NFC", value):
        return value
    raise UnreadableDocumentError(
        f"front matter {name!r} is {_shown(value)}; give 1 to 120 characters without spaces, '@', '#', '/' and put "
        "it in quotes, so that YAML keeps it as text"
    )


def _status(fields: Mapping[str, object]) -> DocumentStatus:
    value = fields.get("status")
    if isinstance(value, str) and value in _STATUSES:
        return _STATUSES[value]
    raise UnreadableDocumentError(f"front matter 'status' is {_shown(value)}; write published, draft or withdrawn")


def _date(fields: Mapping[str, object], name: str) -> dt.date:
    value = fields.get(name)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        with suppress(ValueError):
            value = dt.date.fromisoformat(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime) and value.year in _YEARS:
        return value
    raise UnreadableDocumentError(
        f"front matter {name!r} is {_shown(value)}; write a date of {_YEARS[0]} to {_YEARS[-1]} as YYYY-MM-DD"
    )


def _correction(fields: Mapping[str, object]) -> int:
    value = fields.get("correction", 0)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 4:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_CORRECTION:
        return value
    raise UnreadableDocumentError(
        f"front matter 'correction' is {_shown(value)}; write a number of 0 to {_MAX_CORRECTION}"
    )


def _jurisdiction(fields: Mapping[str, object]) -> str:
    value = fields.get("jurisdiction", "")
    if isinstance(value, str) and (not value or JURISDICTION.fullmatch(value)):
        return value
    raise UnreadableDocumentError(
        f"front matter 'jurisdiction' is {_shown(value)}; write a code of ISO 3166 such as US or US-CA, in quotes "
        "where YAML reads it as something else, as with 'NO'"
    )


def _labels(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Access labels; a value that is not a list of names must never read as 'no labels'."""
    if "labels" not in fields:
        return ()
    value: object = fields["labels"]
    if not isinstance(value, list):
        raise UnreadableDocumentError(
            f"front matter 'labels' is {_shown(value)}; write a list such as [fraud-ops], or [] for none"
        )
    listed = cast("list[object]", value)
    if len(listed) > _MAX_LABELS:
        raise UnreadableDocumentError(f"it has {len(listed)} access labels; give it at most {_MAX_LABELS}")
    labels: set[str] = set()
    for label in listed:
        if not (isinstance(label, str) and _NAME.fullmatch(label)):
            raise UnreadableDocumentError(f"access label {_shown(label)} is not a name; use letters, digits and '-'")
        labels.add(label)
    return tuple(sorted(labels))


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)[:120]
