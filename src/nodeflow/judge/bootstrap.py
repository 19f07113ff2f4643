"""Medians over graphs and models with bootstrapped intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.neural_ode.schemas import OF_TRUTH

__all__ = [
    "INTERVAL",
    "crossed_means",
    "crossed_medians",
    "drawn_together",
    "interval",
    "median_band",
    "true_failed",
]

INTERVAL = (0.025, 0.975)
_DRAWS = 500


def crossed_medians(
    table: pd.DataFrame, value: str, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Medians of a value over runs, of the table and of its resamples.

    Graphs and models are both random, so both are drawn anew (with replacement, independently), as
    Owen's pigeonhole bootstrap does (Ann. Appl. Stat. 1, 386, 2007); models that share a training
    graph are drawn together with it (Davison and Hinkley 1997, §3.8). A failed run counts as
    infinitely bad; one that has no truth to compare with, as the true system failed, does not.

    Args:
        table: columns replicate, training_graph, graph, status and `value`; one row a run.
        value: the column.
        generator: source of randomness.

    Returns:
        Shape (1 + draws,): first the median itself; empty without runs.
    """
    table = table[~true_failed(table)]
    failed = table["status"] != "ok"
    values = table.assign(**{value: table[value].mask(failed, np.inf)})
    return _crossed(values, value, generator, np.nanmedian)


def true_failed(table: pd.DataFrame) -> pd.Series[bool]:
    """Runs that nothing is known of, because the true system could not be integrated.

    Args:
        table: with the column status, and with reason where runs have one.
    """
    if "reason" not in table:
        return pd.Series(False, index=table.index)
    return (table["status"] != "ok") & table["reason"].astype(str).str.startswith(OF_TRUTH)


def crossed_means(
    table: pd.DataFrame, value: str, generator: np.random.Generator
) -> NDArray[np.float64]:
    """As `crossed_medians`, of means, and over the runs that did not fail."""
    return _crossed(table[table["status"] == "ok"], value, generator, np.nanmean)


def _crossed(
    table: pd.DataFrame,
    value: str,
    generator: np.random.Generator,
    statistic: Callable[..., NDArray[np.float64]],
) -> NDArray[np.float64]:
    if table.empty:
        return np.empty(0)
    matrix = table.pivot_table(
        index="replicate", columns="graph", values=value, aggfunc="median", dropna=False
    ).to_numpy()
    trained_on = table.groupby("replicate")["training_graph"].first().to_numpy()
    groups = [np.flatnonzero(trained_on == graph) for graph in np.unique(trained_on)]
    rows = drawn_together(groups, _DRAWS, generator)
    graphs = matrix.shape[1]
    columns = generator.integers(0, graphs, (_DRAWS, graphs))
    padded = np.vstack([matrix, np.full(graphs, np.nan)])
    drawn = padded[rows[:, :, None], columns[:, None, :]].reshape(_DRAWS, -1)
    return np.concatenate([[statistic(matrix)], statistic(drawn, axis=1)])


def drawn_together(
    groups: Sequence[NDArray[np.int64]], draws: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Places of all members of groups that are drawn with replacement.

    Args:
        groups: the places that belong together.
        draws: how often as many groups as there are are drawn.
        generator: source of randomness.

    Returns:
        Shape (draws, …); −1, the place after the last, where a draw holds fewer members.
    """
    padded = np.full((len(groups), max(map(len, groups))), -1)
    for row, places in zip(padded, groups, strict=True):
        row[: len(places)] = places
    chosen = generator.integers(0, len(groups), (draws, len(groups)))
    return padded[chosen].reshape(draws, -1)


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
