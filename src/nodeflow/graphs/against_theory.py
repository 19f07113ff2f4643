"""Sampled graphs beside what the S¹ model predicts, for a few cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nodeflow.graphs.schemas import CELL, NODES
from nodeflow.graphs.theory import S1Theory, s1_theory
from nodeflow.tables import check_place, read_parameters, read_table

__all__ = ["against_theory", "degree_exceedance"]

_POINTS = 40
"""At most so many degrees."""


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
        metadata = read_parameters(path)
        check_place(path, metadata, CELL.columns)
        cell = {name: metadata[name] for name in CELL.columns}
        model = s1_theory(
            metadata["N"], metadata["beta"], metadata["gamma"], metadata["mean_degree"]
        )
        degrees.append(degree_exceedance(nodes, model).assign(**cell))
        clustering.append({**cell, "expected": model.clustering()})
    return pd.concat(degrees, ignore_index=True), pd.DataFrame(clustering)


def degree_exceedance(nodes: pd.DataFrame, model: S1Theory) -> pd.DataFrame:
    """P(degree ≥ k), observed and expected, at log-spaced degrees up to the largest observed.

    Args:
        nodes: columns graph, degree.
        model: of the same cell.
    """
    values = np.sort(nodes["degree"].to_numpy())
    at = np.unique(np.geomspace(1, max(int(values[-1]), 1), _POINTS).round().astype(np.int64))
    return pd.DataFrame(
        {
            "degree": at,
            "observed": 1 - np.searchsorted(values, at, side="left") / len(values),
            "expected": model.degree_exceedance(at),
            "graphs": nodes["graph"].nunique(),
        }
    )
