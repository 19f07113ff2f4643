"""Iris: four measures of flowers, standardized, and which of three species they are of."""

from __future__ import annotations

from pathlib import Path

from nodeflow.datasets.dataset import Dataset, standardized, thirds
from nodeflow.datasets.known import Known

__all__ = ["DATASET"]


def _load(_: Path) -> Dataset:
    """The test items are those of Gupta et al. 2026 (arXiv:2601.05052)."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return standardized(thirds("iris", x, y, classes=3))


DATASET = Known(item=(4,), classes=3, training_items=105, load=_load)
