"""The tables of laws: what they are, and how far they are from the true ones."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.neural_ode.identity import MODELS
from nodeflow.tables import Schema, gathered

__all__ = ["COLLECTED_LAWS", "LAW_TABLE"]

LAW_TABLE = Schema(
    "law table",
    1,
    {
        "training_graph": pa.int32(),
        "status": pa.string(),
        "reason": pa.string(),
        "law": pa.string(),
        "latex": pa.string(),
        "undetermined": pa.bool_(),
        "explains": pa.bool_(),
        "weight": pa.float64(),
        "alternatives": pa.int32(),
        "noise": pa.float64(),
        "check": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "error_seen": pa.float64(),
        "error_beyond": pa.float64(),
    },
    {
        "training_graph": "index of the graph that the law was found on",
        "status": "ok, or none: then nothing but the reason is said",
        "reason": "why no law was found",
        "law": "the three functions of the state x",
        "latex": "the equation in LaTeX",
        "undetermined": "whether the data do not decide on a law, or it does not explain them",
        "explains": "whether the law leaves no more than noise of the data",
        "weight": "probability of the law among itself and its alternatives",
        "alternatives": "number of other laws that the data do not exclude",
        "noise": "standard deviation of what the law leaves of the observations",
        "check": "residual on trajectories that had no part in choosing it, in units of the noise",
        "low": "smallest state that it was found from",
        "high": "largest state that it was found from",
        "error_seen": "largest error of f(x) and of h_ego(x) h_alt(x) between these, each in units "
        "of the largest true value there",
        "error_beyond": "the same from the largest state to three times as far",
    },
    identity=MODELS,
)

COLLECTED_LAWS = gathered("all laws", LAW_TABLE, MODELS)
