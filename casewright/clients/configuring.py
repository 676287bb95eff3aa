"""The new text of a client's file: with our servers put in, or taken out, and everything else as it was.

Pure: texts in, texts out. What a text means after the change is computed on its own and compared,
so that an edit that went wrong is refused instead of written.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from casewright.clients.editing import drop, put_item, put_member
from casewright.clients.entries import DIALECTS, OURS, PREFIX, TOKEN, Wanted, entry, entry_name, inputs
from casewright.clients.places import ClientName
from casewright.clients.reading import Document, MalformedError, Node, read_document
from casewright.errors import CasewrightError, InputError

MARK = "\ufeff"
"""Some editors of Windows begin a file with it."""
LARGEST_CHARACTERS = 50_000_000


def installed(text: str, client: ClientName, wanted: Sequence[Wanted], *, path: str) -> str:
    """The text with these servers in it; the same text where they already are.

    Args:
        text: what the file holds now; empty where there is none.
        path: for the message only.

    Raises:
        InputError: the text is not what the client would read; named with line and column, and nothing is lost.
    """
    dialect, mark, body = DIALECTS[client], *_marked(text)
    document = _read(body if body.strip() else "{}\n", client, path)
    expected = dict(document.root.value)
    for one in wanted:
        servers = dict(_object(expected, dialect.servers, path))
        servers[entry_name(one)] = _merged(servers.get(entry_name(one)), entry(client, one))
        expected[dialect.servers] = servers
        document = _with_member(document, client, path, entry_name(one), servers[entry_name(one)])
        for question in inputs(client, one):
            document = _with_input(document, client, path, question)
            expected["inputs"] = _asked(expected.get("inputs", []), question)
    return mark + _checked(document, expected, path)


def removed(text: str, client: ClientName, names: Sequence[str], *, path: str) -> str:
    """The text without these entries and what was asked for them; the same text where there are none.

    Raises:
        InputError: as for `installed`.
    """
    mark, body = _marked(text)
    if not body.strip():
        return text
    document, key = _read(body, client, path), DIALECTS[client].servers
    expected = dict(document.root.value)
    servers = {name: value for name, value in _object(expected, key, path).items() if name not in names}
    if key in expected:
        expected[key] = servers
    for name in names:
        owner = _member_node(document.root, key)
        position = _position(owner, name)
        if owner is not None and position is not None:
            document = _again(document, drop(document, owner, position), client, path)
    gone = {f"{PREFIX}token-{name.removeprefix(PREFIX)}" for name in names}
    document = _without_inputs(document, client, path, gone)
    if "inputs" in expected and isinstance(expected["inputs"], list):
        asked = cast(list[Any], expected["inputs"])
        expected["inputs"] = [question for question in asked if _id(question) not in gone]
    return mark + _checked(document, expected, path)


def configured(text: str, client: ClientName, *, path: str) -> Mapping[str, Any]:
    """All servers of a client's file by name, as they stand there.

    Raises:
        InputError: as for `installed`.
    """
    body = _marked(text)[1]
    return _object(_read(body, client, path).root.value, DIALECTS[client].servers, path) if body.strip() else {}


def is_plain(text: str, client: ClientName, *, path: str) -> bool:
    """Whether the text is JSON as it stands, without comments."""
    return _read(_marked(text)[1], client, path).is_plain


def value_of(text: str, client: ClientName, *, path: str) -> dict[str, Any]:
    """What the text means."""
    return dict(_read(_marked(text)[1], client, path).root.value)


def _read(text: str, client: ClientName, path: str) -> Document:
    if len(text) > LARGEST_CHARACTERS:
        raise InputError(f"{path!r} holds {len(text)} characters; that is no list of servers, so it is left alone")
    try:
        document = read_document(text, comments=DIALECTS[client].comments)
    except MalformedError as error:
        raise InputError(
            f"{path}:{error.line}:{error.column}: {error.what}; nothing was changed: mend the file, or move it away"
        ) from error
    if document.root.kind != "object":
        raise InputError(f"{path}:1:1: an object is expected; nothing was changed: mend the file, or move it away")
    return document


def _again(before: Document, text: str, client: ClientName, path: str) -> Document:
    return before if text == before.text else _read(text, client, path)


def _with_member(document: Document, client: ClientName, path: str, name: str, value: Any) -> Document:
    key = DIALECTS[client].servers
    owner = _member_node(document.root, key)
    if owner is None:
        return _again(document, put_member(document, document.root, key, {name: value}), client, path)
    return _again(document, put_member(document, owner, name, value), client, path)


def _with_input(document: Document, client: ClientName, path: str, question: dict[str, Any]) -> Document:
    owner = _member_node(document.root, "inputs")
    if owner is None:
        return _again(document, put_member(document, document.root, "inputs", [question]), client, path)
    if owner.kind != "array":
        raise InputError(f"{path!r}: 'inputs' is no list; nothing was changed: mend the file, or move it away")
    known = [_id(element.node.value) for element in owner.elements]
    position = known.index(question["id"]) if question["id"] in known else len(known)
    if position < len(known) and owner.elements[position].node.value == question:
        return document
    return _again(document, put_item(document, owner, position, question), client, path)


def _without_inputs(document: Document, client: ClientName, path: str, gone: set[str]) -> Document:
    owner = _member_node(document.root, "inputs")
    for position in reversed(range(len(owner.elements) if owner is not None else 0)):
        current = _member_node(document.root, "inputs")
        if current is not None and _id(current.elements[position].node.value) in gone:
            document = _again(document, drop(document, current, position), client, path)
    return document


def _checked(document: Document, expected: Mapping[str, Any], path: str) -> str:
    if document.root.value != expected:
        raise CasewrightError(f"{path!r} could not be changed without touching something else; use --print and do it")
    return document.text


def _marked(text: str) -> tuple[str, str]:
    body = text.removeprefix(MARK)
    return text[: len(text) - len(body)], body


def _asked(now: Any, question: dict[str, Any]) -> list[Any]:
    asked = list(cast(list[Any], now))
    if question["id"] not in [_id(item) for item in asked]:
        return [*asked, question]
    return [question if _id(item) == question["id"] else item for item in asked]


def _merged(now: Any, ours: dict[str, Any]) -> dict[str, Any]:
    """Our entry with whatever else the person put into it; a token in the environment does not stay."""
    if not isinstance(now, Mapping):
        return ours
    there = cast(Mapping[str, Any], now)
    merged = {key: value for key, value in there.items() if key not in OURS or key in ours}
    merged |= ours
    environment = there.get("env")
    if "command" in ours and isinstance(environment, Mapping):
        own = {name: value for name, value in cast(Mapping[str, Any], environment).items() if name != TOKEN}
        merged["env"] = own | ours.get("env", {})
    if merged.get("env") == {}:
        del merged["env"]
    return merged


def _object(owner: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    value = owner.get(key, {})
    if not isinstance(value, Mapping):
        raise InputError(f"{path!r}: {key!r} is no object; nothing was changed: mend the file, or move it away")
    return cast(Mapping[str, Any], value)


def _member_node(owner: Node, name: str) -> Node | None:
    member = owner.member(name)
    return member.node if member is not None else None


def _position(owner: Node | None, name: str) -> int | None:
    names = [element.name for element in owner.elements] if owner is not None else []
    return names.index(name) if name in names else None


def _id(question: Any) -> str:
    return str(cast(Mapping[str, Any], question).get("id", "")) if isinstance(question, Mapping) else ""
