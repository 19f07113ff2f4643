"""Errors of neural ODEs grouped by degree: where on a graph they go wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.graphs.bins import degree_bins
from nodeflow.judge.error_schemas import ERRORS_BY_DEGREE

__all__ = ["errors_by_degree"]


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
