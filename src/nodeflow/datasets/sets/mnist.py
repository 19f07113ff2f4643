"""MNIST: 28 × 28 images of digits."""

from __future__ import annotations

from functools import partial

from nodeflow.datasets import idx
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

_HOME = "https://storage.googleapis.com/cvdf-datasets/mnist"

DATASET = Known(
    item=(1, 28, 28),
    classes=10,
    training_items=50_000,
    load=partial(idx.idx_dataset, "mnist"),
    files=tuple(idx.IDX_FILES.values()),
    present=idx.idx_path,
    sources=(
        Source(
            f"{_HOME}/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Source(
            f"{_HOME}/train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        Source(
            f"{_HOME}/t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Source(
            f"{_HOME}/t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
)
