"""Zoos that flows learn, from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.zoo.store import open_blocks

__all__ = ["open_zoos"]


def open_zoos(
    paths: Sequence[str | Path],
    made: Sequence[Sequence[Mapping[str, Any]]],
    learned: Sequence[int],
    origins: Sequence[Origin],
) -> dict[str, LearnedZoo]:
    """Zoos in files by name, each as members to learn from and held-out ones.

    Args:
        paths: the blocks of all zoos, one zoo after the other.
        made: of each zoo, what each of its blocks must have been made with.
        learned: of each zoo, the number that members to learn from are below.
        origins: how the members of each zoo came to be.

    Raises:
        FileProblem: see `nodeflow.zoo.open_blocks`.
    """
    zoos, start = {}, 0
    for own, below, origin in zip(made, learned, origins, strict=True):
        stored = open_blocks(paths[start : start + len(own)], own)
        zoos[origin.zoo] = LearnedZoo(*stored.split(below), origin)
        start += len(own)
    return zoos
