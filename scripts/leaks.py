"""Check that no file of the project names a machine path, a registry or download host, or a credential.

Prints one line per finding and exits 1 when there is any. Called by `scripts/check` over the tracked (and not yet
tracked, not ignored) files of a git checkout, or over the whole tree where there is no git.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Written with a one-letter class each, so that this file does not find itself.
PATTERNS = (
    (r"(?<![\w.])/(?:w[o]rk|f[a]rm)/\w", "a machine path"),
    (r"(?<![\w.])/(?:h[o]me|U[s]ers|r[o]ot)/[\w.]", "a machine path"),
    (r"/t[m]p/[a-z]\w*", "a machine path (use the temporary folder the test framework gives)"),
    (r"files[.]pyth[o]nhosted|registry[.]npm[j]s|//(?:test[.])?py[p]i[.]org|crates[.]i[o]\b", "a registry host"),
    (r"^\s*--(?:extra-)?(?:i[n]dex-url|find-l[i]nks)", "an index address"),
    (r"-----BEGIN [A-Z ]*PRIVATE K[E]Y-----", "a private key"),
    (r"\bsk-[a]nt-[\w-]{16,}|\bAKI[A][0-9A-Z]{16}\b|\bgh[p]_\w{30,}", "a credential"),
)
COMPILED = tuple((re.compile(pattern, re.MULTILINE), meaning) for pattern, meaning in PATTERNS)
SKIPPED = {"__pycache__", "node_modules", "build", "dist"}
LARGEST_BYTES = 2_000_000


def project_files(root: Path) -> Iterator[Path]:
    """Files that belong to the project: as git lists them, else every file outside hidden folders."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (root / ".git").exists():
        names = subprocess.run(listing, capture_output=True, check=True, timeout=30).stdout.decode().split("\0")
        yield from (root / name for name in sorted(set(names)) if name and (root / name).is_file())
        return
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files))


def findings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and meaning of everything in one text file that does not belong there; nothing for binary files."""
    if path.stat().st_size > LARGEST_BYTES:
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for pattern, meaning in COMPILED:
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, f"{match.group().strip()!r} is {meaning}; take it out"


def main() -> int:
    """Check the tree given (the checkout by default)."""
    parser = argparse.ArgumentParser(description="Check that no file names a machine path, a registry or a secret.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    root: Path = parser.parse_args().root
    if not root.is_dir():
        print(f"{str(root)!r} is not a folder; name the folder to check", file=sys.stderr)
        return 2
    files = list(project_files(root))
    found = [f"{path.relative_to(root)}:{line}: {message}" for path in files for line, message in findings(path)]
    print("\n".join(found) if found else f"{len(files)} files name no machine, registry or secret")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
