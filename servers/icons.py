"""Small pictures of what an entry does, drawn from rows of text and handed out as PNG in `data:` URIs.

Nothing is fetched from anywhere, and a PNG holds no script. They are no part of a definition's hash: a model never
sees them.
"""

import base64
import struct
import zlib
from functools import cache
from pathlib import Path

from mcp_types import Icon

PICTURES = Path(__file__).with_name("pictures.txt")
SCALE = 3
"""Pixels to a side of one letter: rows of 16 make 48 by 48, which clients ask for."""
INK = bytes((0x24, 0x5B, 0x8F))


@cache
def icon(name: str) -> Icon:
    """The picture of this name; KeyError where there is none."""
    rows = _pictures()[name]
    side = len(rows) * SCALE
    source = "data:image/png;base64," + base64.b64encode(_png(rows)).decode("ascii")
    return Icon(src=source, mime_type="image/png", sizes=[f"{side}x{side}"])


@cache
def _pictures() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for block in PICTURES.read_text(encoding="ascii").strip().split("\n\n"):
        name, *rows = block.splitlines()
        found[name] = tuple(rows)
    return found


def _png(rows: tuple[str, ...]) -> bytes:
    """One bit a pixel, with a palette of nothing and ink (PNG, second edition, sections 11.2.2 to 11.3.2)."""
    side = len(rows) * SCALE
    lines = bytearray()
    for row in rows:
        bits = "".join(("1" if letter == "#" else "0") * SCALE for letter in row)
        lines += (b"\0" + int(bits, 2).to_bytes(side // 8, "big")) * SCALE
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 3, 0, 0, 0)),
        (b"PLTE", bytes(3) + INK),
        (b"tRNS", b"\0"),
        (b"IDAT", zlib.compress(bytes(lines), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
