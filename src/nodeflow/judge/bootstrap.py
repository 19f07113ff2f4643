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
    "shared_medians",
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
    if table[~true_failed(table)].empty:
        return np.empty(0)
    medians: NDArray[np.float64] = shared_medians([table], value, generator)[0]
    return medians


def shared_medians(
    tables: Sequence[pd.DataFrame], value: str, generator: np.random.Generator
) -> NDArray[np.float64]:
    """As `crossed_medians`, of several tables with runs of the same models.

    A draw has the same models in all tables, so that medians of one draw differ by what tables
    differ in, and by the graphs drawn for each, but not by the models drawn.

    Args:
        tables: as of `crossed_medians`; at least one has runs.
        value: the column.
        generator: source of randomness.

    Returns:
        Shape (tables, 1 + draws); NaN for a table without runs.
    """
    known = [table[~true_failed(table)] for table in tables]
    values = [
        table.assign(**{value: table[value].mask(table["status"] != "ok", np.inf)})
        for table in known
    ]
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
    ended = table[table["status"] == "ok"]
    if ended.empty:
        return np.empty(0)
    means: NDArray[np.float64] = _crossed([ended], value, generator, np.nanmean)[0]
    return means


def _crossed(
    tables: Sequence[pd.DataFrame],
    value: str,
    generator: np.random.Generator,
    statistic: Callable[..., NDArray[np.float64]],
) -> NDArray[np.float64]:
    trained_on = pd.concat(tables).groupby("replicate")["training_graph"].first()
    groups = [np.flatnonzero(trained_on == graph) for graph in np.unique(trained_on)]
    rows = drawn_together(groups, _DRAWS, generator)
    found = []
    for table in tables:
        matrix = (
            table.pivot_table(
                index="replicate", columns="graph", values=value, aggfunc="median", dropna=False
            )
            .reindex(trained_on.index)
            .to_numpy()
        )
        graphs = matrix.shape[1]
        if graphs == 0:
            found.append(np.full(1 + _DRAWS, np.nan))
            continue
        columns = generator.integers(0, graphs, (_DRAWS, graphs))
        padded = np.vstack([matrix, np.full(graphs, np.nan)])
        drawn = padded[rows[:, :, None], columns[:, None, :]].reshape(_DRAWS, -1)
        found.append(np.concatenate([[statistic(matrix)], statistic(drawn, axis=1)]))
    return np.stack(found)


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
