"""CIFAR-100: 32 × 32 colour images of a hundred kinds of things, the fine classes."""

from __future__ import annotations

from functools import partial

from nodeflow.datasets import colour
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

_HOME = "https://www.cs.toronto.edu/~kriz"

DATASET = Known(
    item=(3, 32, 32),
    classes=100,
    training_items=41_667,
    load=partial(colour.cifar, "cifar100"),
    files=tuple(file for half in colour.CIFAR_FILES["cifar100"] for file in half),
    sources=(
        Source(
            f"{_HOME}/cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
)
