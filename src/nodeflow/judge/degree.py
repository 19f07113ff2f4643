"""Errors of neural ODEs grouped by degree: where on a graph they go wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from nodeflow.graphs.bins import degree_bins
from nodeflow.node.collected import TESTS
from nodeflow.node.store import NODE_ERRORS
from nodeflow.tables import Schema, gathered, read_parameters, read_table

__all__ = ["COLLECTED_ERRORS", "ERRORS_BY_DEGREE", "collect_errors_by_degree", "errors_by_degree"]

ERRORS_BY_DEGREE = Schema(
    "errors by degree",
    1,
    {
        "degree": pa.float64(),
        "mae_low": pa.float64(),
        "mae": pa.float64(),
        "mae_high": pa.float64(),
        "outside": pa.float64(),
        "nodes": pa.int64(),
    },
    {
        "degree": "centre of the degree bin; 0 for isolated nodes",
        "mae_low": "first decile of the nodes' mean absolute errors",
        "mae": "their median",
        "mae_high": "their last decile",
        "outside": "share of node-times at which the true state is outside the training range",
        "nodes": "number of node errors: nodes times models",
    },
)

COLLECTED_ERRORS = gathered("errors by degree of all models", ERRORS_BY_DEGREE, TESTS)


def errors_by_degree(errors: pd.DataFrame) -> pd.DataFrame:
    """Deciles of the node errors, and the share outside the training range, by degree bin.

    Args:
        errors: columns degree, mae, outside of `NODE_ERRORS`.

    Returns:
        Rows with the columns of `ERRORS_BY_DEGREE`.
    """
    if errors.empty:
        return pd.DataFrame({name: [] for name in ERRORS_BY_DEGREE.columns})
    groups = errors.assign(degree=degree_bins(errors["degree"].to_numpy())).groupby("degree")
    table = groups["mae"].quantile(np.array([0.1, 0.5, 0.9])).unstack()
    table.columns = pd.Index(["mae_low", "mae", "mae_high"])
    return table.assign(outside=groups["outside"].mean(), nodes=groups.size()).reset_index()


def collect_errors_by_degree(paths: Sequence[str]) -> pd.DataFrame:
    """`errors_by_degree` of many error tables, each row with its models and cell.

    Raises:
        FileProblem: a file is missing or damaged.
    """
    parts = []
    for path in paths:
        made = read_parameters(path)
        errors = read_table(path, NODE_ERRORS, columns=["degree", "mae", "outside"])
        parts.append(
            errors_by_degree(errors).assign(**{name: made[name] for name in TESTS.columns})
        )
    return pd.concat(parts, ignore_index=True)
