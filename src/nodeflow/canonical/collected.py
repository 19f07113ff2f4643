"""Alignment and loss barriers of all zoos in one table each."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.canonical.store import ALIGNMENT, BARRIER
from nodeflow.tables import Schema, gathered
from nodeflow.zoo.collected import ZOO

__all__ = ["COLLECTED_ALIGNMENT", "COLLECTED_BARRIER", "ZOO_WEIGHTS"]

ZOO_WEIGHTS = Schema(
    "zoo and weights",
    1,
    {"zoo": pa.string(), "weights": pa.string()},
    {"zoo": "name of the zoo", "weights": "raw, as trained, or aligned to the first member"},
)

COLLECTED_ALIGNMENT = gathered("alignment of all zoos", ALIGNMENT, ZOO)
COLLECTED_BARRIER = gathered("loss barriers of all zoos", BARRIER, ZOO_WEIGHTS)
