"""Where a result came from: digests of code and configuration, versions, and the commit.

The digest of the code decides which jobs run again. It covers the script, the modules of the
functions that it is handed by name, and every nodeflow module that these import, directly or
through others. It ignores what cannot change a result: comments, formatting and docstrings.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nodeflow.problems import Problem

__all__ = [
    "EntryProblem",
    "code_digest",
    "commit",
    "config_digest",
    "entry_arguments",
    "entry_file",
    "imported_modules",
    "remember_config",
    "versions",
]

PACKAGE = "nodeflow"


class EntryProblem(Problem):
    """A function or schema that is named as text is not there; the text says what is missing."""


_SOURCE = Path(__file__).parent
INSTALLED_COMMIT = "commit.txt"
"""Beside the modules of an installed copy: the commit that its wheel was built from."""
_CONFIG_VARIABLE = "NODEFLOW_CONFIG"
_LIBRARIES = ("nodeflow", "numpy", "scipy", "pandas", "pyarrow", "torch", "numba", "safetensors")


def code_digest(
    script: str | Path,
    source: Path = _SOURCE,
    entries: Iterable[str] = (),
    without: Collection[str] = (),
) -> str:
    """Hexadecimal digest of a script and of all nodeflow modules that it reaches.

    Args:
        script: path of the script.
        source: folder of the package.
        entries: what the script is handed by name: "module:function", or a schema, of nodeflow.
        without: modules to pass over, with what only they reach; see `imported_modules`.
    """
    files = [Path(script), *sorted(imported_modules(script, source, entries, without))]
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(path.stem.encode() + b"\0" + _module(path, source).meaning + b"\0")
    return digest.hexdigest()


def imported_modules(
    script: str | Path,
    source: Path = _SOURCE,
    entries: Iterable[str] = (),
    without: Collection[str] = (),
) -> set[Path]:
    """Files of all nodeflow modules that a script reaches by import statements or by name.

    A package loads its public names lazily, from a stub `__init__.pyi` that only imports them (a
    test holds it to that). The stub is followed when a name is imported from the package itself,
    and not merely because a module lies in it. A package without a stub finds its modules itself,
    so all of them are reached with it.

    Args:
        script: path of the script.
        source: folder of the package.
        entries: as in `code_digest`.
        without: files inside the package, e.g. "graphs/measures.py", that are not followed: what
            the rest of the script makes does not depend on them.
    """
    passed = {source / file for file in without}
    reached = {entry_file(entry, source) for entry in entries}
    waiting, named = [Path(script), *reached], set[str]()
    while waiting:
        imports = {*_module(waiting.pop(), source).imports} - named
        named |= imports
        files = {file for name in imports if (file := _file_of(name, source))}
        new = files - reached - passed
        reached |= new
        waiting += new
    return reached


def entry_file(entry: str, source: Path = _SOURCE) -> Path:
    """The file of an entry "module:name" of nodeflow, without importing it.

    Raises:
        EntryProblem: there is no such module.
    """
    module = entry.partition(":")[0]
    path = source.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise EntryProblem(f"there is no module {PACKAGE}.{module}")
    return path


def entry_arguments(entry: str, source: Path = _SOURCE) -> tuple[str, ...] | None:
    """Names of the arguments of an entry "module:function"; None if it is no function.

    The module is read and not imported, which takes Snakemake's parsing too long.

    Raises:
        EntryProblem: there is no such module, or nothing of this name on its top level.
    """
    path, name = entry_file(entry, source), entry.partition(":")[2]
    known = _module(path, source).top_level
    if name not in known:
        raise EntryProblem(f"{PACKAGE}.{entry.partition(':')[0]} has no {name or 'empty name'}")
    return known[name]


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
    """Commit that this package is of: of the checkout that it runs from, or was installed from.

    With "-dirty" at its end if the files had changes; "unknown" where neither git nor the wheel
    says it.
    """
    return _commit(_SOURCE)


@cache
def _commit(folder: Path) -> str:
    # An installed copy may lie inside of a checkout, in .venv: then the checkout's commit is not
    # its own.
    if _git(folder, "ls-files", "--error-unmatch", "provenance.py"):
        return _git(folder, "describe", "--always", "--abbrev=40", "--dirty") or "unknown"
    try:
        return (folder / INSTALLED_COMMIT).read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    """What git answers, or nothing where it cannot."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


@cache
def versions() -> str:
    """Versions of Python and of the libraries that results rest on, as JSON text."""
    installed = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return json.dumps(installed, sort_keys=True)


@dataclass(frozen=True)
class _Module:
    """What is asked of a file of Python, from one reading of it.

    Attributes:
        meaning: its syntax without comments, layout and docstrings.
        imports: names that it imports from nodeflow, wherever in it.
        top_level: what it defines: arguments of its functions, None for everything else.
    """

    meaning: bytes
    imports: tuple[str, ...]
    top_level: Mapping[str, tuple[str, ...] | None]


def _module(path: Path, source: Path) -> _Module:
    return _read(path, source, path.stat().st_mtime_ns)


@cache
def _read(path: Path, source: Path, _changed: int) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = path.parent.relative_to(source).parts if path.is_relative_to(source) else ()
    package = ".".join((PACKAGE, *inside))
    names: set[str] = set()
    if path.name == "__init__.py":
        names = {f"{package}.{file.stem}.*" for file in path.parent.glob("[!_]*.py")}
    waiting: list[Any] = [tree]
    # Statements stand in statements: expressions, most of a tree, need not be gone through.
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [x for x in node.body if not _is_text(x)] or [ast.Pass()]
        names.update(_names(node, package))
        # What only a type checker imports changes no result.
        skipped = isinstance(node, ast.If) and _is_checked_only(node.test)
        for part in ("orelse", "finalbody", "handlers", "cases", *(() if skipped else ("body",))):
            waiting += getattr(node, part, ())
    return _Module(ast.dump(tree).encode(), tuple(names), dict(_definitions(tree)))


def _is_checked_only(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _definitions(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            arguments = statement.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            yield statement.name, tuple(x.arg for x in every)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from ((target.id, None) for target in targets if isinstance(target, ast.Name))


def _names(statement: ast.AST, package: str) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (x.name for x in statement.names if x.name.startswith(PACKAGE))
    elif isinstance(statement, ast.ImportFrom):
        module = f"{package}.{statement.module}" if statement.level else statement.module or ""
        if module.split(".")[0] == PACKAGE:
            # `from package import name`: a module, or something that the package has.
            yield from (f"{module}.{x.name}" for x in statement.names)


def _file_of(module: str, source: Path) -> Path | None:
    return next((path for path in _candidates(module, source) if path.is_file()), None)


@cache
def _candidates(module: str, source: Path) -> tuple[Path, ...]:
    """Files that a module, or the package or module that a name is imported from, may lie in."""
    parts = module.split(".")[1:]
    itself, holder = source.joinpath(*parts), source.joinpath(*parts[:-1])
    files = [itself.with_suffix(".py")] if parts else []
    if len(parts) > 1:
        packages = (holder / "__init__.pyi", holder / "__init__.py")
        files += [holder.with_suffix(".py"), *packages]
    return tuple(files)
