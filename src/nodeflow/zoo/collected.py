"""Members of all zoos in one table."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema, gathered
from nodeflow.zoo.metrics import ZOO_METRICS

__all__ = ["COLLECTED_MEMBERS", "ZOO"]

ZOO = Schema("zoo", 1, {"zoo": pa.string()}, {"zoo": "name of the zoo"})

COLLECTED_MEMBERS = gathered("members of all zoos", ZOO_METRICS, ZOO)
