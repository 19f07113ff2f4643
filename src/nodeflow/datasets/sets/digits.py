"""Digits: scikit-learn's 8 × 8 images."""

from __future__ import annotations

from pathlib import Path

from nodeflow.datasets.dataset import Dataset, thirds
from nodeflow.datasets.known import Known

__all__ = ["DATASET"]


def _load(_: Path) -> Dataset:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return thirds("digits", x / 16, y, classes=10)


DATASET = Known(item=(1, 8, 8), classes=10, training_items=1257, load=_load)
