"""Jobs that make several files, each with parameters of its own.

Such a job makes only those anew that are missing, damaged, or made with other parameters than it is
asked for; the others keep their bytes. What follows from them need not run again, either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nodeflow.tables import said_parameters

__all__ = ["outdated"]


def outdated(parts: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The files of a job that it has to make anew, as far as they say so themselves.

    Damage is not looked for: this is for plans over many files. The job itself reads them whole;
    see `nodeflow.tables.is_current`.

    Args:
        parts: what each file is made with, by its path.
    """
    return {path for path, made in parts.items() if not _made_with(Path(path), made)}


def _made_with(path: Path, made: Mapping[str, Any]) -> bool:
    try:
        entry = path.stat()
    except OSError:
        return False
    said = _said(path, entry.st_mtime_ns, entry.st_size) or {}
    return all(
        said.get(name) == value for name, value in json.loads(json.dumps(dict(made))).items()
    )


@cache
def _said(path: Path, _changed: int, _size: int) -> dict[str, Any] | None:
    return said_parameters(path)
