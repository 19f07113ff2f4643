"""What the tables of canonicalization hold; aligned networks are those of a zoo."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema, gathered
from nodeflow.zoo.schemas import ZOO

__all__ = [
    "ALIGNED_ZOO",
    "ALIGNMENT",
    "BARRIER",
    "COLLECTED_ALIGNMENT",
    "COLLECTED_BARRIER",
]

ALIGNMENT = Schema(
    "alignment",
    1,
    columns={
        "member": pa.int64(),
        "distance_before": pa.float64(),
        "distance_after": pa.float64(),
        "objective_before": pa.float64(),
        "objective_after": pa.float64(),
        "sweeps": pa.int64(),
        "status": pa.string(),
        "reason": pa.string(),
    },
    about={
        "member": "number of the network in its zoo",
        "distance_before": "Euclidean distance to the reference over all parameters, as given",
        "distance_after": "the same distance with the units of the network permuted",
        "objective_before": "inner product with the reference over all parameters, as given",
        "objective_after": "the same product with the units of the network permuted",
        "sweeps": "visits of all groups of units until nothing could be improved",
        "status": "ok, or failed or unmatched: then the network is left as it was",
        "reason": "why it failed, or why nothing of the architecture may move; empty if ok",
    },
)

BARRIER = Schema(
    "loss barrier",
    2,
    columns={
        "pair": pa.int64(),
        "lambda": pa.float64(),
        "loss": pa.float64(),
        "accuracy": pa.float64(),
        "recalibrated_loss": pa.float64(),
        "recalibrated_accuracy": pa.float64(),
    },
    about={
        "pair": "number of the pair of networks",
        "lambda": "place on the straight path between them, 0 at the first and 1 at the second",
        "loss": "mean cross-entropy of the network at this place, nats",
        "accuracy": "share of items that it classifies correctly",
        "recalibrated_loss": "the loss with running statistics measured anew at this place",
        "recalibrated_accuracy": "the accuracy with running statistics measured anew",
    },
)

ALIGNED_ZOO = Schema(
    "zoo and alignment",
    2,
    {"zoo": pa.string(), "alignment": pa.string()},
    {"zoo": "name of the zoo", "alignment": "raw, as trained, or aligned to the first member"},
)

COLLECTED_ALIGNMENT = gathered("alignment of all zoos", ALIGNMENT, ZOO)
COLLECTED_BARRIER = gathered("loss barriers of all zoos", BARRIER, ALIGNED_ZOO)
