"""Bring what checks the servers from outside to `.tools/node`. Run as `scripts/get-node`.

That is Node 22, the official MCP conformance suite, the Inspector and the TypeScript SDK's client. npm installs them
from whatever registry it is set up with; each file is held against the hash in `scripts/node/package-lock.json`, and no
package runs a script of its own. Nothing is done where all of it is there in the right versions. Needs Python 3.11 and
npm; what the product itself needs is not here.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = ROOT / "scripts" / "node"
TARGET = ROOT / ".tools" / "node"
INSTALL_SECONDS = 900
NODE_MAJOR = 22


class NotHadError(Exception):
    """The tools cannot be had; the message says what to do."""


def wanted() -> dict[str, str]:
    """Names and versions of what `package.json` asks for directly."""
    return dict(json.loads((PINNED / "package.json").read_text(encoding="utf-8"))["dependencies"])


def lacking(target: Path) -> list[str]:
    """What is not there in the pinned version; empty when everything is."""
    missing = [f"{name} {version}" for name, version in wanted().items() if installed(target, name) != version]
    if node_major(target) != NODE_MAJOR:
        missing.append(f"node {NODE_MAJOR}")
    return missing


def installed(target: Path, name: str) -> str:
    """The version of a package that is there; empty when there is none."""
    try:
        return str(json.loads((target / "node_modules" / name / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


def node_major(target: Path) -> int:
    """The major version of the Node that is there; 0 when it does not run."""
    try:
        done = subprocess.run(
            [target / "node_modules" / ".bin" / "node", "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return int(done.stdout.strip().lstrip("v").partition(".")[0] or 0) if done.returncode == 0 else 0


def install(target: Path) -> None:
    """Install the pinned packages.

    Raises:
        NotHadError: there is no npm, or it did not install them all.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotHadError("there is no npm on PATH; install Node.js with npm, then run scripts/get-node again")
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PINNED / name, target / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=target, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False, env=environment()
        )
    except subprocess.TimeoutExpired as error:
        raise NotHadError(f"npm did not finish within {INSTALL_SECONDS} seconds; run scripts/get-node again") from error
    if done.returncode != 0:
        raise NotHadError(f"npm could not install what is pinned:\n{(done.stderr or done.stdout)[:1500]}")


def environment() -> dict[str, str]:
    """This environment without what a surrounding `npm run` would add about another project."""
    return {name: value for name, value in os.environ.items() if not name.startswith("npm_package_")}


def main() -> int:
    """Install what is lacking, and say what is there."""
    if lacking(TARGET):
        try:
            install(TARGET)
        except NotHadError as error:
            print(f"get-node: {error}", file=sys.stderr)
            return 1
    still = lacking(TARGET)
    if still:
        print(f"get-node: not there after the installation: {', '.join(still)}", file=sys.stderr)
        return 1
    print(
        f"Node {NODE_MAJOR} and {', '.join(f'{name} {version}' for name, version in wanted().items())} in .tools/node"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
