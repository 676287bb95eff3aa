"""Bring a checked OPA to `.tools/opa`, where `scripts/check`, the tests and people find it. Run as `scripts/get-opa`.

Taken is the first that works: an `opa` on PATH that is recent enough; the official release of this system; a build by
Go where Go is at hand. A release is held against the SHA-256 given with `--sha256`, or else against the file that is
published beside it (which finds a damaged file, not a release that was replaced as a whole). A build is held against
the module's hash below and, for what it depends on, against Go's checksum database. Every wait is bounded.
"""

import argparse
import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = "1.21.3"
OLDEST = (1, 21, 3)
RELEASE = f"https://github.com/open-policy-agent/opa/releases/download/v{VERSION}"
ASSETS = {
    ("linux", "x86_64"): "opa_linux_amd64_static",
    ("linux", "aarch64"): "opa_linux_arm64_static",
    ("darwin", "x86_64"): "opa_darwin_amd64",
    ("darwin", "arm64"): "opa_darwin_arm64_static",
}
MODULE = "github.com/open-policy-agent/opa"
MODULE_HASH = "h1:dLKnsisFIuICZAWDvG3Us2k/TjGkxOCJ7fWINcnwKHM="
LARGEST_BYTES = 300_000_000
CONNECT_SECONDS = 15
DOWNLOAD_SECONDS = 600
BUILD_SECONDS = 1_200


class NotHadError(Exception):
    """Try the next way; the message says why this one does not do."""


def version_of(binary: str) -> tuple[int, ...]:
    """The version a binary states; (0,) when it is no OPA."""
    try:
        done = subprocess.run([binary, "version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    found = re.search(r"^Version: (\d+)\.(\d+)\.(\d+)", done.stdout, re.MULTILINE)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def from_path(target: Path) -> str:
    """Link the `opa` on PATH."""
    outside = [part for part in os.environ.get("PATH", "").split(os.pathsep) if Path(part) != target.parent]
    found = shutil.which("opa", path=os.pathsep.join(outside))
    if found is None:
        raise NotHadError("there is no opa on PATH")
    if version_of(found) < OLDEST:
        raise NotHadError(f"{found} is older than {VERSION}")
    target.unlink(missing_ok=True)
    target.symlink_to(Path(found).resolve())
    return f"the one on PATH, {found}"


def from_release(target: Path, *, sha256: str) -> str:
    """Download the official release of this system."""
    asset = ASSETS.get((platform.system().lower(), platform.machine()))
    if asset is None:
        raise NotHadError(f"there is no release for {platform.system()} on {platform.machine()}")
    expected = sha256 or fetched(f"{RELEASE}/{asset}.sha256", most=1_000).decode("ascii", "replace").split()[0]
    content = fetched(f"{RELEASE}/{asset}", most=LARGEST_BYTES)
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected.lower():
        raise NotHadError(f"{asset} has the SHA-256 {actual}, not {expected}; it is not used")
    replace(target, content)
    return f"the release {asset}, SHA-256 {actual}"


def fetched(url: str, *, most: int) -> bytes:
    """The content at an https address, also after redirects."""
    content = bytearray()
    until = time.monotonic() + DOWNLOAD_SECONDS
    try:
        with urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as answer:  # noqa: S310 (https, written above)
            if not answer.url.startswith("https://"):
                raise NotHadError(f"{url} leads to {answer.url}, which is not https")
            while chunk := answer.read(1 << 20):
                content += chunk
                if len(content) > most or time.monotonic() > until:
                    raise NotHadError(f"{url} gives too much or takes too long; it is not used")
    except (OSError, http.client.HTTPException) as error:
        raise NotHadError(f"{url} cannot be had: {error}") from error
    if not content.split():
        raise NotHadError(f"{url} is empty")
    return bytes(content)


def from_go(target: Path) -> str:
    """Build the module of that version with Go."""
    go = shutil.which("go")
    if go is None:
        raise NotHadError("there is no Go to build it with")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        environment = os.environ | {"GOBIN": folder, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
        known = json.loads(ran([go, "mod", "download", "-json", f"{MODULE}@v{VERSION}"], environment, folder))
        if known.get("Sum") != MODULE_HASH:
            raise NotHadError(f"the module has the hash {known.get('Sum')}, not {MODULE_HASH}; it is not used")
        print(f"building opa {VERSION} with {go}; this takes a few minutes", file=sys.stderr)
        ran([go, "install", "-trimpath", f"{MODULE}@v{VERSION}"], environment, folder)
        replace(target, (Path(folder) / "opa").read_bytes())
    return f"built from {MODULE}@v{VERSION}, {MODULE_HASH}"


def ran(command: list[str], environment: dict[str, str], folder: str) -> str:
    """What a command printed."""
    try:
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHadError(f"{' '.join(command[:3])} failed: {error}") from error
    if done.returncode != 0:
        raise NotHadError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def replace(target: Path, content: bytes) -> None:
    """Put an executable in place in one step."""
    new = target.with_name(f".{target.name}.new")
    new.write_bytes(content)
    new.chmod(0o755)
    new.replace(target)


def main() -> int:
    """Bring it, or say why no way worked."""
    parser = argparse.ArgumentParser(description=f"Bring a checked opa {VERSION} (or later, from PATH) to .tools/opa.")
    parser.add_argument("--sha256", default="", help="the SHA-256 that the release has to have")
    parser.add_argument("--into", type=Path, default=ROOT / ".tools", help="the folder to bring it to")
    arguments = parser.parse_args()
    folder: Path = arguments.into.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "opa"
    if version_of(str(target)) >= OLDEST:
        print(f"{target} is there already: {'.'.join(map(str, version_of(str(target))))}")
        return 0
    ways: tuple[Callable[[Path], str], ...] = (
        from_path,
        lambda path: from_release(path, sha256=arguments.sha256),
        from_go,
    )
    reasons: list[str] = []
    for way in ways:
        try:
            how = way(target)
            if version_of(str(target)) < OLDEST:
                target.unlink(missing_ok=True)
                raise NotHadError(f"{how} does not run here as opa {VERSION}")
        except NotHadError as reason:
            reasons.append(str(reason))
            continue
        print(f"{target}: {how}")
        return 0
    print("no opa: " + "; ".join(reasons) + f". Put opa {VERSION} or later on PATH and try again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
