"""Sampled graphs beside what the S¹ model predicts, for a few cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from nodeflow.graphs.collected import CELL
from nodeflow.graphs.store import NODES
from nodeflow.graphs.theory import Prediction, predict
from nodeflow.tables import Schema, check_place, gathered, read_parameters, read_table

__all__ = ["COLLECTED_CLUSTERING", "COLLECTED_DEGREES", "against_theory", "degree_exceedance"]

_DEGREES = Schema(
    "degrees against theory",
    1,
    {
        "degree": pa.int64(),
        "observed": pa.float64(),
        "expected": pa.float64(),
        "graphs": pa.int64(),
    },
    {
        "degree": "degree k",
        "observed": "share of nodes with a degree of at least k, over all graphs of the cell",
        "expected": "the model's probability of a degree of at least k",
        "graphs": "number of graphs",
    },
)
_CLUSTERING = Schema(
    "clustering against theory",
    1,
    {"expected": pa.float64()},
    {"expected": "the model's mean local clustering of nodes with at least two neighbours"},
)
COLLECTED_DEGREES = gathered("degrees of all cells against theory", _DEGREES, CELL)
COLLECTED_CLUSTERING = gathered("clustering of all cells in theory", _CLUSTERING, CELL)


def against_theory(paths: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Observed and expected degrees, and expected clustering, of many cells.

    Args:
        paths: node tables, one a cell.

    Returns:
        Rows with the columns of `COLLECTED_DEGREES` and of `COLLECTED_CLUSTERING`.

    Raises:
        FileProblem: a file is missing, damaged, or of another cell than its path says.
    """
    degrees, clustering = [], []
    for path in paths:
        nodes = read_table(path, NODES, columns=["graph", "degree"])
        made = read_parameters(path)
        check_place(path, made, CELL.columns)
        cell = {name: made[name] for name in CELL.columns}
        model = predict(made["N"], made["beta"], made["gamma"], made["mean_degree"])
        degrees.append(degree_exceedance(nodes, model).assign(**cell))
        clustering.append({**cell, "expected": model.clustering()})
    return pd.concat(degrees, ignore_index=True), pd.DataFrame(clustering)


def degree_exceedance(nodes: pd.DataFrame, model: Prediction, points: int = 40) -> pd.DataFrame:
    """P(degree ≥ k), observed and expected, at log-spaced degrees up to the largest observed.

    Args:
        nodes: columns graph, degree.
        model: of the same cell.
        points: at most so many degrees.
    """
    values = np.sort(nodes["degree"].to_numpy())
    at = np.unique(np.geomspace(1, max(int(values[-1]), 1), points).round().astype(np.int64))
    return pd.DataFrame(
        {
            "degree": at,
            "observed": 1 - np.searchsorted(values, at, side="left") / len(values),
            "expected": model.degree_exceedance(at),
            "graphs": nodes["graph"].nunique(),
        }
    )
