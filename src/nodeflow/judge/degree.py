"""Errors of neural ODEs grouped by degree: where on a graph they go wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from nodeflow.graphs.bins import degree_bins
from nodeflow.neural_ode.store import EVALUATED
from nodeflow.tables import Schema, gathered

__all__ = ["COLLECTED_ERRORS", "ERRORS_BY_DEGREE", "errors_by_degree"]

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


def errors_by_degree(errors: pd.DataFrame) -> pd.DataFrame:
    """Deciles of the node errors, and the share outside the training range, by degree bin.

    Args:
        errors: columns degree, mae, mae_persistence, mae_mean_field, outside, spread of
            `NEURAL_ODE_ERRORS`, of one test cell.

    Returns:
        Rows with the columns of `ERRORS_BY_DEGREE`, but for N, beta, gamma.
    """
    if errors.empty:
        return pd.DataFrame({name: [] for name in list(ERRORS_BY_DEGREE.columns)[3:]})
    groups = errors.assign(degree=degree_bins(errors["degree"].to_numpy())).groupby("degree")
    table = groups["mae"].quantile(np.array([0.1, 0.5, 0.9])).unstack()
    table.columns = pd.Index(["mae_low", "mae", "mae_high"])
    medians = ["mae_persistence", "mae_mean_field", "spread"]
    return (
        table.join(groups[medians].median())
        .assign(outside=groups["outside"].mean(), nodes=groups.size())
        .reset_index()
    )
