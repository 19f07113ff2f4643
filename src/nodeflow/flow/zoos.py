"""Zoos that flows learn, from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.zoo.described import architecture_of, data_of
from nodeflow.zoo.settings import TrainSettings
from nodeflow.zoo.store import open_blocks

__all__ = ["open_zoos", "origins"]


def origins(made: Mapping[str, Any], folders: Sequence[str | Path | None]) -> list[Origin]:
    """How the members of the zoos that a flow learns came to be.

    Args:
        made: what the flow is made with: zoos, datasets, trainings, and their architecture.
        folders: with the files of each zoo's data set.
    """
    architecture = architecture_of(made["architecture"])
    return [
        Origin(
            zoo,
            architecture,
            data_of(source, folder, architecture),
            None if training is None else TrainSettings(**training),
        )
        for zoo, source, folder, training in zip(
            made["zoos"], made["datasets"], folders, made["trainings"], strict=True
        )
    ]


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
