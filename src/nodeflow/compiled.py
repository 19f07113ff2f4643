"""numba's compiler, with a folder for what it compiled wherever the library is installed.

numba keeps compiled functions in NUMBA_CACHE_DIR, else beside the source, else in the home folder.
In a container or a shared installation none of them may be writable, and it would then raise. A
folder of the user's own among the temporary files serves instead; where that is not safe either,
each process compiles anew.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

__all__ = ["njit"]

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(**options: Any) -> Callable[[Function], Function]:
    """As `numba.njit` with `cache=True`."""

    def compiled(function: Function) -> Function:
        if function.__module__ not in sys.modules:  # of a text: numba could not load it again
            return _njit(function, cache=False, **options)
        try:
            return _njit(function, cache=True, **options)
        except RuntimeError as error:  # no locator available
            if "cannot cache" not in str(error):
                raise
        folder = _folder()
        if folder is None:
            return _njit(function, cache=False, **options)
        settings: Any = numba.config
        before = settings.CACHE_DIR  # read when a function is decorated, here alone
        settings.CACHE_DIR = str(folder)
        try:
            return _njit(function, cache=True, **options)
        finally:
            settings.CACHE_DIR = before

    return compiled


def _njit(function: Function, **options: Any) -> Function:
    decorated: Function = numba.njit(**options)(function)
    return decorated


def _folder(base: Path | None = None) -> Path | None:
    """The user's own folder among temporary files, or None if others could write into it.

    numba loads what it finds there as code.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = (base or Path(tempfile.gettempdir())) / f"nodeflow-numba-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        entry = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(entry.st_mode) and not stat.S_IMODE(entry.st_mode) & 0o077
    if hasattr(os, "getuid") and not (private and entry.st_uid == user):
        return None
    return folder if os.access(folder, os.W_OK) else None
