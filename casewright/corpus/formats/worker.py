"""The process in which one file is read: bytes in on stdin, a document or a reason out on stdout.

Started by `sandbox` alone, with the format and the limits as arguments.
"""

import json
import sys
from typing import Any


def main(arguments: list[str]) -> int:
    """Read, write, and say by the exit code how it went."""
    from casewright.corpus.formats.readers import own_reader
    from casewright.corpus.formats.sandbox import MEMORY_EXIT, REFUSED_EXIT, to_json
    from casewright.corpus.front_matter import UnreadableDocumentError

    name, limits = arguments
    _limit(json.loads(limits))
    content = sys.stdin.buffer.read()
    try:
        written = to_json(own_reader(name).read(content))  # pyright: ignore[reportArgumentType]
    except UnreadableDocumentError as error:
        sys.stdout.buffer.write(str(error).encode("utf-8", "replace"))
        return REFUSED_EXIT
    except (MemoryError, RecursionError):
        return MEMORY_EXIT
    sys.stdout.buffer.write(written)
    return 0


def _limit(limits: dict[str, Any]) -> None:
    """Take the limits on; without POSIX only the time limit of the parent holds."""
    if sys.platform == "win32":
        return
    import resource

    for kind, value in (
        (resource.RLIMIT_AS, int(limits["memory_bytes"])),
        (resource.RLIMIT_FSIZE, int(limits["output_bytes"])),
        (resource.RLIMIT_CPU, int(limits["seconds"]) + 5),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
