"""SVHN: 32 × 32 colour images of house numbers."""

from __future__ import annotations

from nodeflow.datasets import colour
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

_HOME = "http://ufldl.stanford.edu/housenumbers"

DATASET = Known(
    item=(3, 32, 32),
    classes=10,
    training_items=61_048,
    load=colour.svhn,
    files=colour.SVHN_FILES,
    sources=(
        Source(
            f"{_HOME}/train_32x32.mat",
            "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        ),
        Source(
            f"{_HOME}/test_32x32.mat",
            "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        ),
    ),
)
