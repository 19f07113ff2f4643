"""What the tables of errors of neural ODEs hold: errors by degree, and warnings of them."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.neural_ode.identity import MODELS
from nodeflow.neural_ode.schemas import EVALUATED
from nodeflow.tables import Schema, gathered

__all__ = ["AREAS", "COLLECTED_ERRORS", "CURVES", "ERRORS_BY_DEGREE"]

ERRORS_BY_DEGREE = Schema(
    "errors by degree",
    5,
    {
        "N": pa.int32(),
        "beta": pa.float64(),
        "gamma": pa.float64(),
        "degree": pa.float64(),
        "mae_low": pa.float64(),
        "mae": pa.float64(),
        "mae_high": pa.float64(),
        "mae_persistence": pa.float64(),
        "mae_mean_field": pa.float64(),
        "outside": pa.float64(),
        "spread": pa.float64(),
        "nodes": pa.int64(),
    },
    {
        "N": "number of nodes of the test graphs",
        "beta": "their inverse temperature β",
        "gamma": "their degree exponent γ",
        "degree": "centre of the degree bin; 0 for isolated nodes",
        "mae_low": "first decile of the nodes' mean absolute errors",
        "mae": "their median",
        "mae_high": "their last decile",
        "mae_persistence": "median error of predicting that nothing ever changes",
        "mae_mean_field": "median error of the degree-based mean field of the true system",
        "outside": "share of node-times at which the true state is outside the training range",
        "spread": "median of the nodes' standard deviations over models",
        "nodes": "number of node errors: nodes times models",
    },
    identity=EVALUATED,
)

COLLECTED_ERRORS = gathered("errors by degree of all models", ERRORS_BY_DEGREE, EVALUATED)

_SHARED: dict[str, pa.DataType] = {**MODELS.columns, "N": pa.int32(), "signal": pa.string()}
_SHARED_ABOUT = {
    **MODELS.about,
    "N": "number of nodes of the test graphs",
    "signal": "what warns: spread of the models, share of times outside the training range, degree,"
    " distance of the prediction from persistence (change) or from the mean field (apart)",
}

CURVES = Schema(
    "warning curves",
    2,
    {**_SHARED, "false_alarms": pa.float64(), "found": pa.float64()},
    {
        **_SHARED_ABOUT,
        "false_alarms": "share of the well predicted nodes that the signal warns of",
        "found": "share of the badly predicted nodes that it warns of",
    },
)

AREAS = Schema(
    "warning areas",
    2,
    {**_SHARED, "graph": pa.int32(), "bad": pa.float64(), "area": pa.float64()},
    {
        **_SHARED_ABOUT,
        "graph": "index of the test graph; −1 for all together",
        "bad": "share of badly predicted nodes: error 10 times the median at the training size",
        "area": "area under the curve: 0.5 for a useless signal; NaN where all nodes are alike",
    },
)
