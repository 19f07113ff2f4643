"""What the tables of tests of neural ODEs hold: errors, fixed points, functions, noise.

Training does not follow from them: what it makes stands in `training_schemas`.
"""

from __future__ import annotations

import pyarrow as pa

from nodeflow.neural_ode.identity import MODELS, REPLICATE
from nodeflow.tables import Schema

__all__ = [
    "EIGENVALUES",
    "EVALUATED",
    "LAW",
    "MEAN_FIELD",
    "NEAR_ZERO",
    "NEURAL_ODE",
    "NEURAL_ODE_ERRORS",
    "NEURAL_ODE_FIXED_POINTS",
    "NEURAL_ODE_FUNCTIONS",
    "NEURAL_ODE_HIDDEN",
    "NEURAL_ODE_NOISE",
    "NEURAL_ODE_OVER_TRAINING",
    "NEURAL_ODE_REWIRED",
    "NEURAL_ODE_RUNS",
    "NOISY_EVALUATED",
    "OF_TRUTH",
    "PERSISTENCE",
    "TAILED",
]

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

_TRAINING_GRAPH = "index of the graph that the model was trained on"

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

OF_TRUTH = "true system: "
"""How the reason of a run begins that has nothing to be compared with."""

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
        "replicate": REPLICATE,
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
        "replicate": REPLICATE,
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
        "replicate": REPLICATE,
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
        "replicate": REPLICATE,
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
        "replicate": REPLICATE,
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
        "replicate": REPLICATE,
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
    5,
    {
        "replicate": pa.int32(),
        "training_graph": pa.int32(),
        "graph": pa.int32(),
        "test_noise": pa.float64(),
        **_STATUS,
        "mae": pa.float64(),
        "mae_floor": pa.float64(),
        "mae_observed": pa.float64(),
        "mae_observed_floor": pa.float64(),
        **_BASELINES,
    },
    {
        "replicate": REPLICATE,
        "training_graph": _TRAINING_GRAPH,
        "graph": "index of the test graph",
        "test_noise": "standard deviation of the noise on the initial states, and on observed ones",
        **_STATUS_ABOUT,
        "mae": "absolute error against the true trajectory without noise",
        "mae_floor": "the same for the true system from the noisy initial states",
        "mae_observed": "absolute error against the true trajectory with noise on all states",
        "mae_observed_floor": "the same for the true system from the noisy initial states",
        **_BASELINES_ABOUT,
    },
    identity=NOISY_EVALUATED,
)
