"""What the `opa` and `regal` programs say of a policy folder: check, format, style, tests.

Their findings become `Problem`s with paths relative to the folder, like those of our own lint.
It is deliberately *not* the OPA server that decides; see `opa`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casewright.access.binaries import Binary, run
from casewright.access.syntax import Problem
from casewright.errors import PolicyError


def opa_check(opa: Binary, folder: Path) -> tuple[Problem, ...]:
    """`opa check --strict`, with the schemas of the folder where it has any."""
    schemas = folder / "schemas"
    command = [str(opa.path), "check", "--strict", "--format", "json", "--bundle", str(folder)]
    done = run([*command, "--schema", str(schemas)] if schemas.is_dir() else command)
    if done.returncode == 0:
        return ()
    return tuple(_opa_problem(folder, error) for error in _errors(done.stdout or done.stderr))


def opa_format(opa: Binary, folder: Path) -> tuple[Problem, ...]:
    """Files that `opa fmt` would write differently, with the first line that differs."""
    done = run([str(opa.path), "fmt", "--list", str(folder)])
    if done.returncode not in (0, 1):
        return (Problem(path=str(folder), line=0, message=_first_line(done.stderr)),)
    return tuple(_format_problem(opa, folder, Path(name)) for name in done.stdout.splitlines() if name.strip())


def opa_test(opa: Binary, folder: Path, *, pattern: str = "") -> Mapping[str, bool]:
    """Name of every test, `package.test_name`, to whether it passed.

    Raises:
        PolicyError: OPA could not run them.
    """
    command = [str(opa.path), "test", "--bundle", str(folder), "--format", "json", "--timeout", "60s"]
    done = run([*command, "--run", pattern] if pattern else command)
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout or "[]") or []
    except ValueError as error:
        raise PolicyError(f"opa test failed: {_first_line(done.stderr)}; run `casewright policy check`") from error
    if not rows and done.returncode not in (0, 2):
        raise PolicyError(f"opa test failed: {_first_line(done.stderr)}; run `casewright policy check`")
    return {f"{row['package'].removeprefix('data.')}.{row['name']}": not _failed(row) for row in rows}


def regal_lint(regal: Binary, folder: Path) -> tuple[Problem, ...]:
    """What `regal lint` calls errors, with the configuration that lies above the folder; warnings are for editors."""
    done = run([str(regal.path), "lint", "--format", "json", str(folder)])
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        message = f"regal gave no report: {_first_line(done.stderr)}; run it by hand"
        return (Problem(path=str(folder), line=0, message=message),)
    violations: list[dict[str, Any]] = report.get("violations") or []
    return tuple(
        Problem(
            path=_relative(folder, row["location"]["file"]),
            line=int(row["location"]["row"]),
            message=f"{row['title']}: {row['description']}",
        )
        for row in violations
        if row.get("level", "error") == "error"
    )


def _failed(row: Mapping[str, Any]) -> bool:
    return bool(row.get("fail") or row.get("error") or row.get("skip"))


def _errors(text: str) -> list[dict[str, Any]]:
    try:
        errors: list[dict[str, Any]] = json.loads(text)["errors"]
    except (ValueError, KeyError, TypeError):
        return [{"message": _first_line(text)}]
    return errors


def _opa_problem(folder: Path, error: Mapping[str, Any]) -> Problem:
    place: dict[str, Any] = error.get("location") or {}
    return Problem(
        path=_relative(folder, str(place.get("file", folder))),
        line=int(place.get("row", 0)),
        message=str(error.get("message", "opa refused it without a message")),
    )


def _format_problem(opa: Binary, folder: Path, file: Path) -> Problem:
    wanted = run([str(opa.path), "fmt", str(file)]).stdout.splitlines()
    given = file.read_text(encoding="utf-8").splitlines()
    same = next((index for index, pair in enumerate(zip(given, wanted, strict=False)) if pair[0] != pair[1]), -1)
    line = same + 1 if same >= 0 else min(len(given), len(wanted)) + 1
    path = _relative(folder, str(file))
    return Problem(path=path, line=line, message=f"not formatted; run `opa fmt --write {path}` in the folder")


def _relative(folder: Path, name: str) -> str:
    path = Path(name)
    for base in (folder, folder.resolve()):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return name


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:400]
