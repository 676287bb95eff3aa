"""Check the size limits of the house: short files, short functions, few parameters.

Prints one line per excess and exits 1 when there is any. Called by `scripts/check`; the limits are binding,
because an advisory limit rots.
"""

import argparse
import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 500
FUNCTION_LINES = 60
PARAMETERS = 6
REGO_LINES = 120
SKIPPED = {"__pycache__", "node_modules", "build", "dist"}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def source_files(root: Path) -> Iterator[Path]:
    """Every Python and Rego file under `root`, without hidden folders, environments and build results."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files) if name.endswith((".py", ".rego")))


def excesses(path: Path) -> Iterator[tuple[int, str]]:
    """Line and message of everything in one file that is larger than allowed."""
    text = path.read_text(encoding="utf-8")
    allowed = REGO_LINES if path.suffix == ".rego" else FILE_LINES
    lines = len(text.splitlines())
    if lines > allowed:
        yield 1, f"the file has {lines} lines ({allowed} at most); split it by concept"
    if path.suffix == ".py":
        yield from _function_excesses(ast.parse(text, filename=str(path)))


def _function_excesses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    methods = {item for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body}
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield node.lineno, f"{node.name!r} has {lines} lines ({FUNCTION_LINES} at most); extract a function"
        parameters = _parameter_count(node, is_method=node in methods)
        if parameters > PARAMETERS:
            advice = "pass a frozen dataclass"
            yield node.lineno, f"{node.name!r} has {parameters} parameters ({PARAMETERS} at most); {advice}"


def _parameter_count(node: FunctionNode, *, is_method: bool) -> int:
    """Parameters a caller can pass; `self` and `cls` do not count, `*args` and `**kwargs` count one each."""
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    bound = is_method and bool(named) and named[0].arg in {"self", "cls"}
    return len(named) - bound + (node.args.vararg is not None) + (node.args.kwarg is not None)


def main() -> int:
    """Check the tree given (the checkout by default)."""
    parser = argparse.ArgumentParser(description="Check the size limits of files, functions and parameters.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    root: Path = parser.parse_args().root
    if not root.is_dir():
        print(f"{str(root)!r} is not a folder; name the folder to check", file=sys.stderr)
        return 2
    files = list(source_files(root))
    found = [f"{path.relative_to(root)}:{line}: {message}" for path in files for line, message in excesses(path)]
    print("\n".join(found) if found else f"{len(files)} files within the limits")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
