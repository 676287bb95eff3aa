"""The ways in which a text may be read: as it is, without its disguises, and decoded.

Every reading keeps where in the text each of its characters comes from, so that a reviewer can be shown the place.
Decoding is bounded: pieces of a text are decoded at most twice, and a reading is never longer than the text allows.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

How = Literal["plain", "base64", "hex", "rot13", "tags"]
DEEPEST = 2
_CONFUSABLE = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтАЕОРСУХІЈЅВКМНТαεορτυνικχΑΕΟΡΤΥΝΙΚΧΒΗΜΖℓ",
    "aeopcyxijsdhlbkmhtAEOPCYXIJSBKMHTaeoptuvikxAEOPTYNIKXBHMZl",
)
"""Letters of other alphabets that look like Latin ones (after Unicode TR 39, the common ones)."""
_ESCAPED = re.compile(r"&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z]{2,8});|(?:%[0-9a-fA-F]{2})+|(?:\\x[0-9a-fA-F]{2})+")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{20,}={0,2}(?![A-Za-z0-9+/_-])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9a-fA-F]{2}[ :]?){12,}(?![0-9A-Za-z])")
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_LONGEST_PIECE = 20_000
_LEAST_READABLE = 0.9


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a text, in small letters."""

    how: tuple[How, ...]
    """From the outside in; `plain` alone: only disguises were taken off."""
    text: str
    places: range | list[int]
    """Where in the original each character comes from; of a decoded piece, the piece."""
    decoded: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of a part of this reading, the end exclusive."""
        if self.decoded:
            return self.places[0], self.places[-1] + 1
        return self.places[start], self.places[end - 1] + 1


def readings(text: str) -> Iterator[Reading]:
    """Every reading of `text` that is worth a look, the plain one first."""
    plain = _plain(text)
    yield plain
    yield Reading(how=("rot13",), text=codecs.encode(plain.text, "rot13"), places=plain.places)
    yield from _decoded(text, (), None)


def hidden(text: str) -> Iterator[tuple[int, int]]:
    """Runs of characters that nobody sees: without width, bidirectional controls, tags."""
    if text.isascii():
        return
    for match in _HIDDEN.finditer(text):
        yield match.span()


_HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\U000e0000-\U000e007f]+")


def _plain(text: str) -> Reading:
    """Without disguises: escapes read, look-alikes and compatibility forms folded, invisible characters left out."""
    if text.isascii() and "&" not in text and "%" not in text and "\\x" not in text:
        return Reading(how=("plain",), text=text.lower(), places=range(len(text)))
    letters: list[str] = []
    places: list[int] = []
    for character, at in _characters(text):
        for folded in _folded(character):
            letters.append(folded)
            places.append(at)
    return Reading(how=("plain",), text="".join(letters), places=places)


def _characters(text: str) -> Iterator[tuple[str, int]]:
    at = 0
    for match in _ESCAPED.finditer(text):
        yield from ((text[place], place) for place in range(at, match.start()))
        yield from ((character, match.start()) for character in _unescaped(match[0]))
        at = match.end()
    yield from ((text[place], place) for place in range(at, len(text)))


def _unescaped(escape: str) -> str:
    if escape.startswith("&"):
        return html.unescape(escape)
    return bytes.fromhex(re.sub(r"%|\\x", "", escape)).decode("utf-8", "replace")


def _folded(character: str) -> str:
    if character.isascii():
        return character.lower()
    kept = (one for one in unicodedata.normalize("NFKD", character) if unicodedata.category(one) not in ("Cf", "Mn"))
    return "".join(kept).translate(_CONFUSABLE).lower()


def _decoded(text: str, how: tuple[How, ...], at: tuple[int, int] | None) -> Iterator[Reading]:
    """What pieces of `text` say when decoded; `at` is where in the original `text` comes from, None: it is that."""
    for kind, start, end, said in _pieces(text):
        place = at or (start, end)
        way = (*how, kind)
        yield Reading(how=way, text=_plain(said).text, places=range(*place), decoded=True)
        if len(way) < DEEPEST:
            yield from _decoded(said, way, place)


def _pieces(text: str) -> Iterator[tuple[How, int, int, str]]:
    for match in _BASE64.finditer(text):
        if said := _readable(_from_base64(match[0][:_LONGEST_PIECE])):
            yield "base64", match.start(), match.end(), said
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|[ :]", "", match[0])[:_LONGEST_PIECE]
        if said := _readable(bytes.fromhex(digits[: len(digits) // 2 * 2])):
            yield "hex", match.start(), match.end(), said
    for match in _TAGS.finditer(text):
        yield "tags", match.start(), match.end(), "".join(chr(ord(one) - 0xE0000) for one in match[0])


def _from_base64(piece: str) -> bytes:
    plain = piece.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""


def _readable(content: bytes) -> str:
    """The content as text; empty: it is none."""
    said = content.decode("utf-8", "replace")
    printable = sum((one.isprintable() and one != "\ufffd") or one in "\n\t" for one in said)
    is_text = " " in said or _BASE64.fullmatch(said) is not None
    return said if is_text and printable / len(said) >= _LEAST_READABLE else ""
