"""Recognises the URIs of declared resources, strictly: what a template does not say is no such URI.

The SDK's matching is lenient where clients are (further query parts, fragments, empty segments); here each of
them would be a second spelling of the same thing, or an empty name that means something else.
"""

from urllib.parse import parse_qsl

from servers.entry_spec import Given, ResourceSpec

MAX_URI = 2_000
"""Characters of a URI that is looked at."""


def matched(spec: ResourceSpec, uri: str) -> Given | None:
    """The variables of a URI that is one of this resource, decoded; None: it is not.

    Every variable of the path has a value; a variable of the query that is not there has none; nothing is there twice.
    """
    if len(uri) > MAX_URI or "#" in uri or not _is_plain(uri):
        return None
    found = spec.template.match(uri, max_uri_length=MAX_URI)
    if found is None:
        return None
    given = {name: value for name, value in found.items() if isinstance(value, str)}
    optional = spec.template.query_variable_names
    needed = [name for name in spec.template.variable_names if name not in optional]
    if len(given) != len(found) or not all(given.get(name) for name in needed):
        return None
    asked = [name for name, _ in parse_qsl(uri.partition("?")[2], keep_blank_values=True)]
    if not set(asked) <= optional or len(asked) != len(set(asked)):
        return None
    return given if all(_is_plain(value) for value in given.values()) else None


def _is_plain(text: str) -> bool:
    """No control characters, halves of characters, or what decoding could not read."""
    return text.isprintable() and "\ufffd" not in text
