"""Where a result came from: digests of code and configuration, versions, and the commit.

The digest of the code decides which jobs run again. It covers the script and every nodeflow module
that the script imports, directly or through others, and ignores what cannot change a result:
comments, formatting and docstrings.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = [
    "code_digest",
    "commit",
    "config_digest",
    "imported_modules",
    "remember_config",
    "versions",
]

PACKAGE = "nodeflow"
_SOURCE = Path(__file__).parent
_CONFIG_VARIABLE = "NODEFLOW_CONFIG"
_LIBRARIES = ("nodeflow", "numpy", "scipy", "pandas", "pyarrow", "torch", "numba", "safetensors")


def code_digest(script: str | Path, source: Path = _SOURCE, without: Collection[str] = ()) -> str:
    """Hexadecimal digest of a script and of all nodeflow modules that it reaches.

    Args:
        script: path of the script.
        source: folder of the package.
        without: modules to pass over, with what only they reach; see `imported_modules`.
    """
    files = [Path(script), *sorted(imported_modules(script, source, without))]
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(path.stem.encode() + b"\0" + _meaning(path, path.stat().st_mtime_ns) + b"\0")
    return digest.hexdigest()


def imported_modules(
    script: str | Path, source: Path = _SOURCE, without: Collection[str] = ()
) -> set[Path]:
    """Files of all nodeflow modules that a script reaches through import statements.

    A package loads its public names lazily, from a stub `__init__.pyi` that only imports them (a
    test holds it to that). The stub is followed when a name is imported from the package itself,
    and not merely because a module lies in it.

    Args:
        script: path of the script.
        source: folder of the package.
        without: files inside the package, e.g. "graphs/measures.py", that are not followed: what
            the rest of the script makes does not depend on them.
    """
    passed = {source / file for file in without}
    reached: set[Path] = set()
    waiting = [Path(script)]
    while waiting:
        file = waiting.pop()
        for module in _imports(file, source, file.stat().st_mtime_ns):
            path = _file_of(module, source)
            if path is not None and path not in reached | passed:
                reached.add(path)
                waiting.append(path)
    return reached


def remember_config(config: Mapping[str, Any]) -> None:
    """Let this process and those that it starts write the digest of a configuration into files.

    Not a parameter of the files: a changed key would then re-run every job.
    """
    text = json.dumps(config, sort_keys=True)
    os.environ[_CONFIG_VARIABLE] = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def config_digest() -> str:
    """Hexadecimal digest of the run's configuration, or "none" outside a run."""
    return os.environ.get(_CONFIG_VARIABLE, "none")


def commit() -> str:
    """Commit of the checkout that this package runs from, with "-dirty" if it has changes."""
    return _commit(_SOURCE)


@cache
def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()


@cache
def versions() -> str:
    """Versions of Python and of the libraries that results rest on, as JSON text."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return json.dumps(found, sort_keys=True)


@cache
def _meaning(path: Path, _changed: int) -> bytes:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ):
            node.body = [x for x in body if not _is_text(x)] or [ast.Pass()]
    return ast.dump(tree).encode()


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _imports(path: Path, source: Path, _changed: int) -> tuple[str, ...]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = path.parent.relative_to(source).parts if path.suffix == ".pyi" else ()
    return tuple(_names(tree, ".".join((PACKAGE, *inside))))


def _names(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (x.name for x in node.names if x.name.startswith(PACKAGE))
        elif isinstance(node, ast.ImportFrom):
            module = f"{package}.{node.module}" if node.level else node.module or ""
            if module.split(".")[0] == PACKAGE:
                # `from package import name`: a module, or something that the package has.
                yield from (f"{module}.{x.name}" for x in node.names)


def _file_of(module: str, source: Path) -> Path | None:
    parts = module.split(".")[1:]
    for known in (parts, parts[:-1]):
        stem = source.joinpath(*known)
        if known and stem.with_suffix(".py").is_file():
            return stem.with_suffix(".py")
        if known and known == parts[:-1] and (stem / "__init__.pyi").is_file():
            return stem / "__init__.pyi"
    return None
