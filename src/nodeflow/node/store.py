"""Files of neural ODEs: models, training history, and errors on test graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nodeflow.tables import Kind, Schema, read_parameters, read_tensors, write_tensors

__all__ = [
    "NODE_ERRORS",
    "NODE_HISTORY",
    "NODE_MODELS",
    "NODE_RUNS",
    "Models",
    "read_models",
    "write_models",
]

NODE_MODELS = Kind("node models", 1)

_REPLICATE = "number of the model: training graph by training graph, seed by seed"

NODE_HISTORY = Schema(
    "node history",
    2,
    {
        "replicate": pa.int32(),
        "attempt": pa.int32(),
        "step": pa.int64(),
        "loss": pa.float64(),
        "status": pa.string(),
    },
    {
        "replicate": _REPLICATE,
        "attempt": "0, or how often it had failed before; later attempts take smaller steps",
        "step": "optimizer steps done",
        "loss": "training loss of this step, in units of the recipe",
        "status": "how the attempt ended: ok, or why its result was thrown away",
    },
)

NODE_ERRORS = Schema(
    "node errors",
    1,
    {
        "replicate": pa.int32(),
        "graph": pa.int32(),
        "node": pa.int32(),
        "degree": pa.int32(),
        "clustering": pa.float64(),
        "mse": pa.float64(),
        "mae": pa.float64(),
        "mre": pa.float64(),
        "outside": pa.float64(),
    },
    {
        "replicate": _REPLICATE,
        "graph": "index of the test graph",
        "node": "node id",
        "degree": "its degree",
        "clustering": "its local clustering; NaN below two neighbours",
        "mse": "squared error, mean over times and trajectories, as all below",
        "mae": "absolute error",
        "mre": "absolute error over (|true state| + 1e-15)",
        "outside": "share of times at which the true state is outside the states seen in training",
    },
)

NODE_RUNS = Schema(
    "node runs",
    1,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        "graph": pa.int32(),
        "status": pa.string(),
        "reason": pa.string(),
        "mse": pa.float64(),
        "mae": pa.float64(),
        "mae_persistence": pa.float64(),
        "outside": pa.float64(),
    },
    {
        "replicate": _REPLICATE,
        "training_graph": "index of the graph that the model was trained on",
        "graph": "index of the test graph",
        "status": "ok, or failed: then the errors are NaN",
        "reason": "why the model, its integration or that of the true system failed",
        "mse": "squared error, mean over nodes, times and trajectories",
        "mae": "absolute error, mean over nodes, times and trajectories",
        "mae_persistence": "the same for predicting that nothing ever changes",
        "outside": "share of node-times at which the true state is outside the training states",
    },
)


@dataclass(frozen=True)
class Models:
    """R trained neural ODEs of one system and training cell.

    Attributes:
        parameters: float32 arrays of shape (R, …) by name; see `layout`. NaN where the training
            failed.
        training_graph: (R,) index of the graph that each was trained on.
        seen: (R, 2) smallest and largest state in the training data of each.
        ok: (R,) False where the training failed.
    """

    parameters: dict[str, np.ndarray]
    training_graph: np.ndarray
    seen: np.ndarray
    ok: np.ndarray

    def __len__(self) -> int:
        return len(self.ok)


def write_models(path: str | Path, models: Models, parameters: Mapping[str, Any]) -> None:
    """Write models as one safetensors file; those whose training failed stay marked as such."""
    facts: dict[str, np.ndarray] = {
        "training_graph": models.training_graph.astype(np.int64),
        "seen": models.seen.astype(np.float64),
        "ok": models.ok.astype(np.uint8),
    }
    stored = {**parameters, "tensors": list(models.parameters)}
    write_tensors(path, {**models.parameters, **facts}, NODE_MODELS, stored)


def read_models(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Models:
    """Read and check models.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors = read_tensors(path, NODE_MODELS, parameters)
    names = read_parameters(path)["tensors"]
    return Models(
        {name: tensors[name] for name in names},
        tensors["training_graph"],
        tensors["seen"],
        tensors["ok"].astype(bool),
    )
