"""Fashion-MNIST: 28 × 28 images of clothes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nodeflow.datasets import idx
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

_HOME = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"

DATASET = Known(
    item=(1, 28, 28),
    classes=10,
    training_items=50_000,
    load=partial(idx.idx_dataset, "fashion_mnist"),
    files=tuple(idx.IDX_FILES.values()),
    present=idx.idx_path,
    debian="dataset-fashion-mnist",
    home=Path("/usr/share/datasets/fashion-mnist"),
    sources=(
        Source(
            f"{_HOME}/train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        Source(
            f"{_HOME}/train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        Source(
            f"{_HOME}/t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        Source(
            f"{_HOME}/t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
)
