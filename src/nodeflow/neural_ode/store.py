"""Files of neural ODEs: models, training history, and errors on test graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nodeflow.neural_ode.layout import SELU
from nodeflow.tables import Kind, Schema, read_parameters, read_tensors, write_tensors

__all__ = [
    "EIGENVALUES",
    "EVALUATED",
    "LAW",
    "MEAN_FIELD",
    "MODELS",
    "NEAR_ZERO",
    "NEURAL_ODE",
    "NEURAL_ODE_ERRORS",
    "NEURAL_ODE_FIXED_POINTS",
    "NEURAL_ODE_FUNCTIONS",
    "NEURAL_ODE_HIDDEN",
    "NEURAL_ODE_HISTORY",
    "NEURAL_ODE_NOISE",
    "NEURAL_ODE_OVER_TRAINING",
    "NEURAL_ODE_REWIRED",
    "NEURAL_ODE_RUNS",
    "NODE_MODELS",
    "NODE_SNAPSHOTS",
    "NOISY_EVALUATED",
    "PERSISTENCE",
    "TAILED",
    "Models",
    "Snapshots",
    "model_tensors",
    "models_from",
    "read_models",
    "read_snapshots",
    "write_models",
    "write_snapshots",
]

MODELS = Schema(
    "models",
    2,
    {
        "system": pa.string(),
        "variant": pa.string(),
        "trained_beta": pa.float64(),
        "trained_gamma": pa.float64(),
    },
    {
        "system": "dynamical system",
        "variant": "training data: plain, noise~σ, or covering: states up to those of hubs",
        "trained_beta": "inverse temperature β of the training graphs",
        "trained_gamma": "degree exponent γ of the training graphs",
    },
)

NEURAL_ODE, LAW, MEAN_FIELD, PERSISTENCE = "neural ODE", "law", "mean field", "persistence"
TAILED = "neural ODE with tails"
"""What tests evaluate, as the column `method` says it."""

EVALUATED = Schema(
    "evaluated",
    1,
    {"method": pa.string(), **MODELS.columns},
    {
        "method": "what was evaluated: neural ODE, neural ODE with tails (of a law, beyond states "
        "that it saw), law, mean field or persistence",
        **MODELS.about,
    },
)

NOISY_EVALUATED = Schema(
    "evaluated, trained with noise",
    1,
    {**EVALUATED.columns, "training_noise": pa.float64()},
    {**EVALUATED.about, "training_noise": "standard deviation of the noise on the training states"},
)

NODE_MODELS = Kind("node models", 2)
NODE_SNAPSHOTS = Kind("node snapshots", 1)

_REPLICATE = "number of the model: training graph by training graph, seed by seed"
_TRAINING_GRAPH = "index of the graph that the model was trained on"

NEURAL_ODE_HISTORY = Schema(
    "node history",
    4,
    {
        "replicate": pa.int32(),
        "attempt": pa.int32(),
        "step": pa.int64(),
        "loss": pa.float64(),
        "loss_persistence": pa.float64(),
        "loss_mean_field": pa.float64(),
        "status": pa.string(),
    },
    {
        "replicate": _REPLICATE,
        "attempt": "0, or how often it had failed before; later attempts take smaller steps",
        "step": "optimizer steps done",
        "loss": "training loss of this step: of states, or in recipe matching of slopes",
        "loss_persistence": "loss of predicting that nothing ever changes",
        "loss_mean_field": "loss of the degree-based mean field of the true system",
        "status": "how the attempt ended: ok; weak, but kept, where its error is above a third of "
        "that of standing still; or why its result was thrown away",
    },
    identity=MODELS,
)

_CELL: dict[str, pa.DataType] = {"N": pa.int32(), "beta": pa.float64(), "gamma": pa.float64()}
_CELL_ABOUT = {
    "N": "number of nodes of the test graph",
    "beta": "its inverse temperature β",
    "gamma": "its degree exponent γ",
}
_STATUS: dict[str, pa.DataType] = {"status": pa.string(), "reason": pa.string()}
_STATUS_ABOUT = {
    "status": "ok, or failed: then the errors are NaN",
    "reason": "why the model, its integration or that of the true system failed",
}
_BASELINES: dict[str, pa.DataType] = {
    "mae_persistence": pa.float64(),
    "mae_mean_field": pa.float64(),
}
_BASELINES_ABOUT = {
    "mae_persistence": "the same for predicting that nothing ever changes",
    "mae_mean_field": "the same for the degree-based mean field of the true system",
}

NEAR_ZERO = 1e-3
"""A node whose mean state is smaller counts as near zero."""

NEURAL_ODE_ERRORS = Schema(
    "node errors",
    5,
    {
        "replicate": pa.int32(),
        **_CELL,
        "graph": pa.int32(),
        "node": pa.int32(),
        "degree": pa.int32(),
        "clustering": pa.float32(),
        "mse": pa.float32(),
        "mae": pa.float32(),
        "mre": pa.float32(),
        "mae_persistence": pa.float32(),
        "mae_mean_field": pa.float32(),
        "size": pa.float32(),
        "outside": pa.float32(),
        "spread": pa.float32(),
        "change": pa.float32(),
        "apart": pa.float32(),
    },
    {
        "replicate": _REPLICATE,
        **_CELL_ABOUT,
        "graph": "index of the test graph",
        "node": "node id",
        "degree": "its degree",
        "clustering": "its local clustering; NaN below two neighbours",
        "mse": "squared error, mean over times and trajectories, as all below",
        "mae": "absolute error",
        "mre": "absolute error over (|true state| + 1e-15)",
        "mae_persistence": "absolute error of predicting that nothing ever changes",
        "mae_mean_field": "absolute error of the degree-based mean field of the true system",
        "size": "|true state|",
        "outside": "share of times at which the true state is outside the states seen in training",
        "spread": "standard deviation of all models' predictions; NaN for fewer than two",
        "change": "distance of the prediction from the initial state, which persistence predicts",
        "apart": "distance of the prediction from that of the mean field",
    },
    identity=EVALUATED,
)

NEURAL_ODE_RUNS = Schema(
    "node runs",
    5,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        **_CELL,
        "graph": pa.int32(),
        **_STATUS,
        "mse": pa.float64(),
        "mae": pa.float64(),
        "mae_hubs": pa.float64(),
        "mae_inside": pa.float64(),
        "mre": pa.float64(),
        "near_zero": pa.float64(),
        **_BASELINES,
        "outside": pa.float64(),
        "outside_hubs": pa.float64(),
    },
    {
        "replicate": _REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        **_CELL_ABOUT,
        "graph": "index of the test graph",
        **_STATUS_ABOUT,
        "mse": "squared error, mean over nodes, times and trajectories",
        "mae": "absolute error, mean over nodes, times and trajectories",
        "mae_hubs": "the same for the hundredth of the nodes with the highest degrees",
        "mae_inside": "the same for the nodes whose true state never leaves the training states",
        "mre": "median over nodes of the mean relative error",
        "near_zero": "share of nodes whose mean |true state| is below 1e-3: their mre says little",
        **_BASELINES_ABOUT,
        "outside": "share of node-times at which the true state is outside the training states",
        "outside_hubs": "the same for the hundredth of the nodes with the highest degrees",
    },
    identity=EVALUATED,
)

NEURAL_ODE_OVER_TRAINING = Schema(
    "node errors over training",
    2,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        "step": pa.int64(),
        **_CELL,
        "graph": pa.int32(),
        **_STATUS,
        "mse": pa.float64(),
        "mae": pa.float64(),
        **_BASELINES,
    },
    {
        "replicate": _REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        "step": "optimizer steps done: 0 is the untrained model, the last one the trained model",
        **_CELL_ABOUT,
        "graph": "index of the test graph",
        **_STATUS_ABOUT,
        "mse": "squared error, mean over nodes, times and trajectories",
        "mae": "absolute error, mean over nodes, times and trajectories",
        **_BASELINES_ABOUT,
    },
    identity=MODELS,
)

NEURAL_ODE_REWIRED = Schema(
    "errors on rewired graphs",
    1,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        **_CELL,
        "graph": pa.int32(),
        **_STATUS,
        "mae": pa.float64(),
        "status_original": pa.string(),
        "mae_original": pa.float64(),
        "clustering": pa.float64(),
        "clustering_original": pa.float64(),
    },
    {
        "replicate": _REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        **_CELL_ABOUT,
        "graph": "index of the test graph of which every node keeps its degree, and no more",
        **_STATUS_ABOUT,
        "mae": "absolute error, mean over nodes, times and trajectories",
        "status_original": "as status, on the test graph itself",
        "mae_original": "as mae, on the test graph itself",
        "clustering": "mean local clustering of the nodes with two neighbours or more",
        "clustering_original": "as clustering, of the test graph itself",
    },
    identity=MODELS,
)

EIGENVALUES = 6
"""How many eigenvalues of a Jacobian are compared."""

_LATER = [f": number {place} from the right" for place in range(2, EIGENVALUES + 1)]
_PLACES = ["", *(f"_{place}" for place in range(2, EIGENVALUES + 1))]

NEURAL_ODE_FIXED_POINTS = Schema(
    "node fixed points",
    5,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        "graph": pa.int32(),
        **_STATUS,
        "residual": pa.float64(),
        "mae": pa.float64(),
        "mae_giant": pa.float64(),
        "mae_hubs": pa.float64(),
        **_BASELINES,
        "size": pa.float64(),
        "rightmost": pa.float64(),
        "rightmost_true": pa.float64(),
        **{f"rightmost_giant{place}": pa.float64() for place in _PLACES},
        **{f"rightmost_giant_true{place}": pa.float64() for place in _PLACES},
    },
    {
        "replicate": _REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        "graph": "index of the test graph",
        **_STATUS_ABOUT,
        "residual": "largest |dx_i/dt| of the model at its fixed point",
        "mae": "displacement: mean over nodes of |x* of the model − x* of the true system|",
        "mae_giant": "the same over the largest component",
        "mae_hubs": "the same for the hundredth of the nodes with the highest degrees",
        **_BASELINES_ABOUT,
        "size": "mean over nodes of |x*| of the true system",
        "rightmost": "largest real part of the Jacobian's eigenvalues at the model's fixed point",
        "rightmost_true": "the same for the true system",
        **{
            f"rightmost_giant{place}": f"as rightmost, of the largest component alone{text}"
            for place, text in zip(_PLACES, ["", *_LATER], strict=True)
        },
        **{
            f"rightmost_giant_true{place}": f"the same for the true system{text}"
            for place, text in zip(_PLACES, ["", *_LATER], strict=True)
        },
    },
    identity=EVALUATED,
)

NEURAL_ODE_FUNCTIONS = Schema(
    "node functions",
    3,
    {
        "replicate": pa.int32(),
        "function": pa.string(),
        "x": pa.float64(),
        "learned": pa.float64(),
        "true": pa.float64(),
        "inside": pa.bool_(),
    },
    {
        "replicate": "number of the model",
        "function": "f, h_ego, h_alt, or product: h_ego(x) h_alt(x)",
        "x": "state",
        "learned": "value of the network; h_ego and h_alt scaled to the true ones",
        "true": "value of the true system",
        "inside": "whether the state lies within the states seen in training",
    },
    identity=EVALUATED,
)

NEURAL_ODE_HIDDEN = Schema(
    "unobserved nodes",
    4,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        "graph": pa.int32(),
        "removed": pa.int32(),
        "share": pa.float64(),
        **_STATUS,
        "mae": pa.float64(),
        "mae_floor": pa.float64(),
        "mae_whole": pa.float64(),
        **_BASELINES,
    },
    {
        "replicate": _REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        "graph": "index of the test graph",
        "removed": "number of unobserved nodes",
        "share": "the same over the number of nodes",
        **_STATUS_ABOUT,
        "mae": "absolute error of the model on the observed subgraph, mean over nodes and times",
        "mae_floor": "the same for the true system on that subgraph",
        "mae_whole": "the same for the model on the whole graph, over the same nodes",
        **_BASELINES_ABOUT,
    },
    identity=EVALUATED,
)

NEURAL_ODE_NOISE = Schema(
    "node noise",
    4,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        "graph": pa.int32(),
        "test_noise": pa.float64(),
        **_STATUS,
        "mae": pa.float64(),
        "mae_floor": pa.float64(),
        **_BASELINES,
    },
    {
        "replicate": _REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        "graph": "index of the test graph",
        "test_noise": "standard deviation of the noise on the initial states",
        **_STATUS_ABOUT,
        "mae": "absolute error against the true trajectory without noise",
        "mae_floor": "the same for the true system from the noisy initial states",
        **_BASELINES_ABOUT,
    },
    identity=NOISY_EVALUATED,
)


@dataclass(frozen=True)
class Snapshots:
    """The parameters of R neural ODEs at S steps of their training.

    Attributes:
        steps: (S,) optimizer steps done; the first is 0, the last the end of the training.
        parameters: float32 arrays of shape (S, R, …) by name; see `layout`. Of a replicate that was
            trained again, those of the attempt that was kept; NaN where the training failed.
    """

    steps: np.ndarray
    parameters: dict[str, np.ndarray]


@dataclass(frozen=True)
class Models:
    """R trained neural ODEs of one system and training cell.

    Attributes:
        parameters: float32 arrays of shape (R, …) by name; see `layout`. NaN where the training
            failed.
        training_graph: (R,) index of the graph that each was trained on.
        seen: (R, 2) smallest and largest state in the training data of each.
        ok: (R,) False where the training failed.
        error: (R,) mean absolute error of each on trajectories it was trained on; NaN where the
            training failed.
        snapshots: earlier parameters, from a training whose recipe keeps them; else None. They have
            a file of their own.
        activation: of their networks, one of `layout.ACTIVATIONS`.
    """

    parameters: dict[str, np.ndarray]
    training_graph: np.ndarray
    seen: np.ndarray
    ok: np.ndarray
    error: np.ndarray
    snapshots: Snapshots | None = None
    activation: str = SELU

    def __len__(self) -> int:
        return len(self.ok)

    def labels(self, replicate: int) -> dict[str, int]:
        """What names a model in tables of its runs."""
        return {"replicate": replicate, "training_graph": int(self.training_graph[replicate])}


def model_tensors(models: Models) -> dict[str, np.ndarray]:
    """All arrays of a file that holds models."""
    return models.parameters | {
        "training_graph": models.training_graph.astype(np.int64),
        "seen": models.seen.astype(np.float64),
        "ok": models.ok.astype(np.uint8),
        "error": models.error.astype(np.float64),
    }


def models_from(tensors: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> Models:
    """The models of which a file holds these arrays, and says these facts.

    `tensors` are the names of their parameters, `activation` is SELU where it is not named.
    """
    return Models(
        {name: tensors[name] for name in facts["tensors"]},
        tensors["training_graph"],
        tensors["seen"],
        tensors["ok"].astype(bool),
        tensors["error"],
        activation=facts.get("activation", SELU),
    )


def write_models(path: str | Path, models: Models, parameters: Mapping[str, Any]) -> None:
    """Write models as one safetensors file; those whose training failed stay marked as such."""
    stored = {"tensors": list(models.parameters), "activation": models.activation}
    write_tensors(path, model_tensors(models), NODE_MODELS, {**parameters, **stored})


def read_models(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Models:
    """Read and check models.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors = read_tensors(path, NODE_MODELS, parameters)
    return models_from(tensors, read_parameters(path))


def write_snapshots(path: str | Path, snapshots: Snapshots, parameters: Mapping[str, Any]) -> None:
    """Write snapshots as one safetensors file: `steps`, and each parameter by its name."""
    tensors = {**snapshots.parameters, "steps": snapshots.steps.astype(np.int64)}
    write_tensors(path, tensors, NODE_SNAPSHOTS, parameters)


def read_snapshots(path: str | Path, parameters: Mapping[str, Any] | None = None) -> Snapshots:
    """Read and check snapshots.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    tensors = read_tensors(path, NODE_SNAPSHOTS, parameters)
    return Snapshots(tensors.pop("steps"), tensors)
