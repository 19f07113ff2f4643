"""Functions of the user's own, named in a configuration as "package.module:function".

They are looked for in the folder in which one works, then among what is installed. Only what the
user wrote into a configuration is called; no file that is read can name any.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from nodeflow.problems import Problem

__all__ = ["NamedProblem", "call_named", "named_file"]

_NAMED = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"
"""The form of a name."""


class NamedProblem(Problem):
    """A function of the user's own is not there, or fails; the text names it."""


def named_file(name: str) -> Path | None:
    """The file that defines a function, without running it; None if it is no file of Python's.

    Args:
        name: "package.module:function".

    Raises:
        NamedProblem: the name has another form, or there is no such module.
    """
    module = _module(name)
    with _own_folder_first():
        spec, places = None, None
        for part in module.split("."):
            try:
                spec = PathFinder.find_spec(part, places)
            except ImportError:
                spec = None
            if spec is None:
                # Packages that were installed to be edited may be found in ways of their own.
                if places is None and part in sys.modules:
                    return None
                raise NamedProblem(
                    f"{name}: there is no module {module} in {Path.cwd()} or among what is "
                    "installed; write its file there, or correct the name."
                )
            places = list(spec.submodule_search_locations or [])
    origin = "" if spec is None else spec.origin or ""
    return Path(origin) if origin.endswith(".py") else None


def call_named(name: str, gives: str) -> Any:
    """What a function of the user's own returns; it is called without arguments.

    Args:
        name: "package.module:function"; a class will do.
        gives: what it has to return, for the text of an error.

    Raises:
        NamedProblem: it is not there, or raises something.
    """
    module, _, function = name.partition(":")
    _module(name)
    with _own_folder_first():
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and f"{module}.".startswith(f"{error.name}."):
                raise NamedProblem(
                    f"{name}: there is no module {module} in {Path.cwd()} or among what is "
                    "installed; write its file there, or correct the name."
                ) from error
            raise NamedProblem(
                f"{name}: {module} needs the module {error.name}, which is not installed; install "
                "it into nodeflow's environment."
            ) from error
        except Exception as error:  # whatever the user's code may raise
            raise NamedProblem(
                f"{name}: importing {module} failed{_where(error)}: {_said(error)}."
            ) from error
        try:
            target: Callable[[], Any] = resolve_name(name)
        except AttributeError as error:
            raise NamedProblem(
                f"{name}: {module} defines no {function}; name a function or a class that gives "
                f"{gives}."
            ) from error
        if not callable(target):
            raise NamedProblem(
                f"{name} is {type(target).__name__}; name a function or a class that gives {gives}."
            )
        try:
            return target()
        except Exception as error:
            raise NamedProblem(
                f"{name} failed{_where(error)}: {_said(error)}; it has to give {gives} when it is "
                "called without arguments."
            ) from error


def _module(name: str) -> str:
    if not re.match(_NAMED, name):
        raise NamedProblem(
            f'"{name}" names no function; write "package.module:function", e.g. "mynet:Net" for '
            "Net in mynet.py."
        )
    return name.partition(":")[0]


@contextmanager
def _own_folder_first() -> Iterator[None]:
    """While modules are looked for in the working folder first; afterwards last."""
    working = str(Path.cwd())
    before = [path for path in sys.path if path != working]
    sys.path[:] = [working, *before]
    try:
        yield
    finally:
        # What the user's code imports while it runs is still found, and hides nothing installed.
        sys.path[:] = [*before, working]


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())[:200].rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _where(error: Exception) -> str:
    """The line of the user's code that raised something."""
    trace = error.__traceback__
    line = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if Path(file).is_relative_to(Path.cwd()):
            line = f" in {os.path.relpath(file)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return line
