"""Claims over all cells of β and γ.

A cell's number is a median over its models and test graphs. A statement is a geometric mean of
such numbers, and its interval a bootstrap over cells: it asks whether a claim holds for graphs of
any β, not for those of one. Where cells have fewer than five β or γ, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.judge.cells import cell_growth
from nodeflow.judge.trust_claims import BARELY, Row

__all__ = ["OVER_CELLS", "cell_claims"]

OVER_CELLS = "geometric mean over"
"""How statistics of claims over cells begin."""

_FEWEST = 5
_DRAWS = 2000


def cell_claims(tests: pd.DataFrame, random: np.random.Generator) -> Iterator[Row]:
    """Claims on the errors of one system over all its cells: what, of what, draws, above what.

    Args:
        tests: its runs on test graphs (`COLLECTED_TESTS`).
        random: source of randomness.
    """
    cells = cell_growth(tests)
    if min(cells["beta"].nunique(), cells["gamma"].nunique()) < _FEWEST:
        return
    small, large = cells["smallest"].min(), cells["largest"].max()
    names = ["growth", "hubs", "mean_field"]
    with np.errstate(divide="ignore"):  # a cell of failed models is 0 as good as the mean field
        logs = cells.assign(**{name: np.log(cells[name]) for name in names})
    table = logs.pivot(index="beta", columns="gamma", values="growth")
    betas, gammas = list(table.index), list(table.columns)
    for gamma in gammas:
        yield (
            "errors grow with size, over cells",
            f"{OVER_CELLS} β: MAE at N = {large} over MAE at N = {small}, γ = {gamma}",
            _means(table[gamma], random), BARELY,
        )  # fmt: skip
    yield (
        "errors grow more where degrees are more heterogeneous, over cells",
        f"{OVER_CELLS} β: growth at γ = {gammas[0]} over that at γ = {gammas[-1]}",
        _means(table[gammas[0]] - table[gammas[-1]], random), 1.0,
    )  # fmt: skip
    yield (
        "errors grow more where clustering is higher, over cells",
        f"{OVER_CELLS} γ: growth at β = {betas[-1]} over that at β = {betas[0]}",
        _means(table.loc[betas[-1]] - table.loc[betas[0]], random), 1.0,
    )  # fmt: skip
    for claim, statistic, column in (
        ("errors concentrate at hubs", "MAE of the top 1 % of degrees over MAE of all", "hubs"),
        ("a neural ODE beats the mean field on large graphs", "MAE of the mean field over MAE",
         "mean_field"),
    ):  # fmt: skip
        yield (
            f"{claim}, over cells",
            f"{OVER_CELLS} β and γ: {statistic}, N = {large}",
            _means(logs[column], random), 1.0,
        )  # fmt: skip


def _means(logs: pd.Series[float], random: np.random.Generator) -> NDArray[np.float64]:
    """Geometric means: that of all cells, and those of cells drawn anew; empty without cells."""
    values = logs.dropna().to_numpy()
    if not len(values):
        return np.empty(0)
    drawn = values[random.integers(0, len(values), (_DRAWS, len(values)))]
    means: NDArray[np.float64] = np.concatenate([[values.mean()], drawn.mean(axis=1)])
    return np.exp(means)
