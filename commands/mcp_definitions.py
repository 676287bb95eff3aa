"""`casewright mcp definitions`: what the servers of this checkout show, compared with what was pinned in a review."""

import argparse
import json
import sys
from pathlib import Path

from casewright.config import Settings, app_root, process_environment
from casewright.contracts.principal import SERVERS
from casewright.definitions import LOCK, DefinitionsLock, differences, lock_text, read_lock
from casewright.errors import CasewrightError, ConflictError
from casewright.services import Services


def run(arguments: list[str]) -> int:
    """Show, check or write the pinned definitions; the process's exit code."""
    options = _parse(arguments)
    try:
        return _run(options, app_root() / LOCK)
    except CasewrightError as error:
        sys.stderr.write(f"casewright: {error}\n")
        return error.exit_code


def _run(options: argparse.Namespace, path: Path) -> int:
    from servers.build import ServerFactory
    from servers.definitions import current_lock, shown_by

    settings = Settings.load(home=options.home, environment=process_environment(), app_root=app_root())
    factory = ServerFactory(Services(settings))
    current = current_lock(factory)
    if options.write:
        path.write_text(lock_text(current), encoding="utf-8")
    pinned = read_lock(path)
    found: dict[str, tuple[str, ...]] = {
        name: differences(pinned.server(name), shown_by(factory.spec(name)), whole=True) for name in SERVERS
    }
    found |= {server.name: ("the server is gone",) for server in pinned.servers if server.name not in found}
    sys.stdout.write(_json(current, found) if options.json else _text(current, found))
    if options.check and any(found.values()):
        raise ConflictError(
            "what the servers show is not what was reviewed; if the change is meant, run `casewright mcp definitions "
            "--write` and have the lock reviewed with it: open approvals of a changed tool no longer fit"
        )
    return 0


def _json(current: DefinitionsLock, found: dict[str, tuple[str, ...]]) -> str:
    document = {
        "lock": current.model_dump(mode="json"),
        "pinned": not any(found.values()),
        "differences": {name: list(problems) for name, problems in found.items() if problems},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _text(current: DefinitionsLock, found: dict[str, tuple[str, ...]]) -> str:
    lines = [f"{server.name}: {len(server.entries)} entries, {server.hash[:16]}" for server in current.servers]
    lines += [f"{name}: {problem}" for name, problems in found.items() for problem in problems]
    return "\n".join([*lines, "not as pinned" if any(found.values()) else "as pinned"]) + "\n"


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="casewright mcp definitions",
        description="Names, titles, descriptions, schemas, annotations and prompts of all servers, and their hashes.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="exit with 1 where they are not the pinned ones")
    how.add_argument("--write", action="store_true", help="pin them as they are; the file is to be reviewed")
    parser.add_argument("--json", action="store_true", help="print a document")
    parser.add_argument("--home", default=None, help="the data folder (default CASEWRIGHT_HOME)")
    return parser.parse_args(arguments)
