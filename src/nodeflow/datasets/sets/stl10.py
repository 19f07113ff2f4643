"""STL-10, shrunk to 32 × 32."""

from __future__ import annotations

from nodeflow.datasets import colour
from nodeflow.datasets.known import Known
from nodeflow.datasets.sources import Source

__all__ = ["DATASET"]

DATASET = Known(
    item=(3, 32, 32),
    classes=10,
    training_items=4_167,
    load=colour.stl10,
    files=colour.STL10_FILES,
    sources=(
        Source(
            "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
        ),
    ),
)
