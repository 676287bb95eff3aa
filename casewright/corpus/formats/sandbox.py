"""Run a reader in a process of its own with limits on memory, time and output.

The formats with a history of bombs and parser faults are read there: what they break is that process,
and the file goes to quarantine with the reason. It is deliberately *not* a defence against code that
runs as us: it has no network policy of its own and can read what we can.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from casewright.corpus.formats.blocks import Block, RawDocument
from casewright.corpus.formats.detection import FormatName
from casewright.corpus.front_matter import UnreadableDocumentError

REFUSED_EXIT = 3
MEMORY_EXIT = 4


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a reader may use for one file."""

    seconds: float = 120.0
    memory_bytes: int = 1_500_000_000
    """Of address space; the libraries alone take about a fifth."""
    output_bytes: int = 400_000_000


DEFAULT_LIMITS = Limits()


class SandboxedReader:
    """A reader whose work happens in a worker process, one per file."""

    def __init__(self, name: FormatName, limits: Limits) -> None:
        self.name: str = name
        self._limits = limits

    def version(self) -> str:
        from casewright.corpus.formats.readers import own_reader

        return own_reader(cast("FormatName", self.name)).version()

    def read(self, content: bytes) -> RawDocument:
        """The document; see `Reader.read`. Too much time or memory is a reason as well."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
            given.write(content)
            given.seek(0)
            code = self._run(given, output)
            output.seek(0)
            if code == REFUSED_EXIT:
                raise UnreadableDocumentError(output.read(2_000).decode("utf-8", "replace"))
            if code == MEMORY_EXIT:
                raise UnreadableDocumentError(
                    f"reading it takes more than {self._limits.memory_bytes // 1_000_000} MB of memory; split it or "
                    "save it in a plainer form"
                )
            if code != 0:
                raise UnreadableDocumentError(f"the {self.name} reader broke off on it (code {code}); save it again")
            return _document(output.read())

    def _run(self, given: IO[bytes], output: IO[bytes]) -> int:
        """The exit code of the worker; files instead of pipes, so that neither side can hold up the other."""
        limits = json.dumps(asdict(self._limits))
        command = [sys.executable, "-P", "-m", "casewright.corpus.formats.worker", self.name, limits]
        worker = subprocess.Popen(  # noqa: S603 -- this interpreter with arguments of our own, no shell
            command, stdin=given, stdout=output, stderr=subprocess.DEVNULL
        )
        try:
            return worker.wait(self._limits.seconds)
        except subprocess.TimeoutExpired as error:
            raise UnreadableDocumentError(
                f"reading it takes more than {self._limits.seconds:g} seconds; split it or save it in a plainer form"
            ) from error
        finally:
            worker.kill()
            worker.wait()


def to_json(document: RawDocument) -> bytes:
    """The document as the worker writes it."""
    return json.dumps(
        {
            "fields": dict(document.fields),
            "title": document.title,
            "blocks": [asdict(block) for block in document.blocks],
        },
        default=str,
    ).encode()


def _document(output: bytes) -> RawDocument:
    """The document as the worker wrote it, every value checked for its kind.

    Raises:
        UnreadableDocumentError: it is not one; the worker was broken into or broke off.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        value = cast("Mapping[str, Any]", json.loads(output))
        blocks = TypeAdapter(tuple[Block, ...]).validate_python(value["blocks"])
        fields = TypeAdapter(dict[str, str | int | list[str] | None]).validate_python(value["fields"])
        return RawDocument(fields=fields, title=str(value["title"]), blocks=blocks)
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        raise UnreadableDocumentError("its reader gave something that is not a document; save it again") from error
