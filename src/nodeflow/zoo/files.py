"""Files of checkpoints in a folder, without opening them and without torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nodeflow.problems import Problem

__all__ = ["INDEX", "SUFFIXES", "CheckpointProblem", "checkpoint_files", "in_order"]

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
"""Endings of files that are read: safetensors, and what `torch.save` writes."""

INDEX = ".index.json"
"""The ending of a file that lists the parts of a checkpoint in several files."""


class CheckpointProblem(Problem):
    """A checkpoint cannot be taken as a network; the text names it and what to do."""


def checkpoint_files(folder: str | Path, pattern: str = "") -> list[Path]:
    """The checkpoints in a folder, numbers in their names in the order of numbers.

    Args:
        folder: holds them.
        pattern: which files, relative to the folder, e.g. "*/model.safetensors" or
            "**/epoch_20.pt"; empty for all files of the folder with one of `SUFFIXES`.

    Raises:
        CheckpointProblem: no folder, or no such file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointProblem(f"{folder} is no folder; name the one that holds the checkpoints.")
    try:
        matching = [path for path in folder.glob(pattern or "*") if path.is_file()]
    except (ValueError, NotImplementedError) as error:
        raise CheckpointProblem(
            f'"{pattern}" is no pattern of file names in {folder} ({error}); write e.g. "*.pt" or '
            '"*/model.safetensors".'
        ) from error
    files = [
        path
        for path in matching
        if not path.name.startswith(".") and (pattern or path.suffix in SUFFIXES)
    ]
    if files:
        return in_order(files)
    if pattern:
        raise CheckpointProblem(
            f'no file in {folder} is like "{pattern}"; correct the pattern or the folder.'
        )
    deeper = [path for path in folder.rglob("*") if path.suffix in SUFFIXES]
    hint = (
        f"there are some further down, as {min(deeper).relative_to(folder)}: name them with a "
        'pattern, e.g. "*/*.pt"'
        if deeper
        else "name the folder that holds them, or a pattern"
    )
    raise CheckpointProblem(
        f"{folder} holds no file that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}; {hint}."
    )


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Paths by name, net_2 before net_10."""
    return sorted(paths, key=_key)


def _key(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(x), x) if x.isdigit() else (1, 0, x) for x in parts]
