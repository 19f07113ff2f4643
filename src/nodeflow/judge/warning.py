"""The spread of an ensemble as a warning: does it tell which nodes are predicted badly?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from nodeflow.judge.error_schemas import AREAS, CURVES
from nodeflow.neural_ode.collected import own_cell
from nodeflow.neural_ode.identity import MODELS
from nodeflow.neural_ode.schemas import NEURAL_ODE_ERRORS
from nodeflow.tables import check_place, read_parameters, stream_table

__all__ = ["judge_warning", "receiver_curve"]

BAD = 10.0
"""A node is predicted badly if its error is so many times the median at the training size."""

SIGNALS = ("spread", "outside", "degree", "change", "apart")

_GRID = np.linspace(0.0, 1.0, 101)


def judge_warning(
    paths: Iterable[str], size: int, training_size: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Curves and areas of each signal, for models tested on larger graphs of their own cell.

    A node's error is the mean over models.

    Args:
        paths: files of node errors, one a system and training cell.
        size: number of nodes of the test graphs.
        training_size: number of nodes of the training graphs; among the test sizes.

    Returns:
        Tables with the columns of `CURVES` and of `AREAS`.

    Raises:
        FileProblem: a file is missing, damaged, or of other models than its path says.
    """
    curves, areas = [], []
    for path in paths:
        metadata = read_parameters(path)
        check_place(path, metadata, MODELS.columns)
        models = {name: metadata[name] for name in MODELS.columns}
        nodes, floor = _nodes(path, size, training_size)
        if nodes.empty:
            continue
        bad = (nodes["mae"] > BAD * floor).to_numpy()
        for signal in SIGNALS:
            shared = {**models, "N": size, "signal": signal}
            score = nodes[signal].to_numpy(dtype=np.float64)
            curve, area = receiver_curve(bad, score)
            curves.append(pd.DataFrame({"false_alarms": _GRID, "found": curve}).assign(**shared))
            areas.append({**shared, "graph": -1, "bad": bad.mean(), "area": area})
            for graph, rows in nodes.groupby("graph"):
                mine = nodes.index.get_indexer(rows.index)
                _, area = receiver_curve(bad[mine], score[mine])
                areas.append({**shared, "graph": graph, "bad": bad[mine].mean(), "area": area})
    columns = list(AREAS.columns)
    empty = pd.DataFrame({name: [] for name in CURVES.columns})
    return pd.concat(curves) if curves else empty, pd.DataFrame(areas, columns=columns)


def _nodes(path: str, size: int, training_size: int) -> tuple[pd.DataFrame, float]:
    """Every node's error and signals at `size`, and the median error at the training size."""
    trained = ["trained_beta", "trained_gamma"]
    columns = [*trained, "N", "beta", "gamma", "graph", "node", "mae", *SIGNALS]
    parts, small = [], []
    for rows in stream_table(path, NEURAL_ODE_ERRORS, columns=columns):
        same_cell = own_cell(rows)
        rows = rows.drop(columns=trained)
        parts.append(rows[same_cell & (rows["N"] == size)])
        small.append(rows[same_cell & (rows["N"] == training_size)]["mae"])
    nodes = pd.concat(parts).groupby(["graph", "node"]).mean().reset_index()
    return nodes.dropna(subset=["spread"]).reset_index(drop=True), float(pd.concat(small).median())


def receiver_curve(
    bad: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Share of bad items found at shares of false alarms 0, 0.01 … 1, and the area under it.

    Items of equal score are warned of together, so a constant score gives the diagonal.

    Args:
        bad: (n,) which items are bad.
        score: (n,) the signal; larger is more alarming.
    """
    if bad.all() or not bad.any():
        return np.full(len(_GRID), np.nan), np.nan
    alarms, shares, _ = roc_curve(bad, score, drop_intermediate=False)
    return np.interp(_GRID, alarms, shares), float(auc(alarms, shares))
