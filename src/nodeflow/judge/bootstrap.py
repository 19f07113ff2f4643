"""Medians over graphs and models with bootstrapped intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["INTERVAL", "crossed_medians", "interval", "median_band"]

INTERVAL = (0.025, 0.975)
_DRAWS = 500


def crossed_medians(
    table: pd.DataFrame, value: str, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Medians of a value over runs, of the table and of its resamples.

    Graphs and models are both random, so both are drawn anew (with replacement, independently), as
    Owen's pigeonhole bootstrap does (Ann. Appl. Stat. 1, 386, 2007). A failed run counts as
    infinitely bad.

    Args:
        table: columns replicate, graph, status and `value`; one row a run.
        value: the column.
        generator: source of randomness.

    Returns:
        Shape (1 + draws,): first the median itself; empty without runs.
    """
    if table.empty:
        return np.empty(0)
    failed = table["status"] != "ok"
    values = table.assign(**{value: table[value].mask(failed, np.inf)})
    matrix = values.pivot_table(
        index="replicate", columns="graph", values=value, aggfunc="median", dropna=False
    ).to_numpy()
    models, graphs = matrix.shape
    rows = generator.integers(0, models, (_DRAWS, models))
    columns = generator.integers(0, graphs, (_DRAWS, graphs))
    drawn = matrix[rows[:, :, None], columns[:, None, :]].reshape(_DRAWS, -1)
    return np.concatenate([[np.nanmedian(matrix)], np.nanmedian(drawn, axis=1)])


def interval(medians: NDArray[np.float64]) -> tuple[float, float, float]:
    """Value and 95 % interval of what `crossed_medians` returned, or of a function of it."""
    if not len(medians) or np.isnan(medians[0]):
        return np.nan, np.nan, np.nan
    low, high = np.nanquantile(medians[1:], INTERVAL, method="nearest")
    return float(medians[0]), float(low), float(high)


def median_band(
    table: pd.DataFrame, by: str, value: str, generator: np.random.Generator
) -> pd.DataFrame:
    """Median and 95 % interval of a value at each `by`: columns low, median, high, count."""
    rows = {}
    for at, group in table.groupby(by):
        middle, low, high = interval(crossed_medians(group, value, generator))
        rows[at] = {"low": low, "median": middle, "high": high, "count": len(group)}
    return pd.DataFrame.from_dict(rows, orient="index")
