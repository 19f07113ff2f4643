"""Paths that users name."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_file", "is_path"]


def is_file(path: str) -> bool:
    """Whether a file is there."""
    return is_path(path) and Path(path).is_file()


def is_path(text: str) -> bool:
    """Whether the system can be asked about it: names can be too long, or hold zeros."""
    try:
        Path(text).stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True
