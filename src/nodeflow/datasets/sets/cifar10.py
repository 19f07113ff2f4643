"""CIFAR-10: 32 × 32 colour images of ten kinds of things."""

from __future__ import annotations

from functools import partial

from nodeflow.datasets import colour
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

_HOME = "https://www.cs.toronto.edu/~kriz"

DATASET = Known(
    item=(3, 32, 32),
    classes=10,
    training_items=41_667,
    load=partial(colour.cifar, "cifar10"),
    files=tuple(file for half in colour.CIFAR_FILES["cifar10"] for file in half),
    sources=(
        Source(
            f"{_HOME}/cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
)
