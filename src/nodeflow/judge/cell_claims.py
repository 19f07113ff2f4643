"""Claims over all cells of β and γ.

A cell's number is a median over its models and test graphs. Statements are geometric means of
such numbers, and their intervals are bootstraps over cells: they ask whether a statement holds for
graphs of any β, not for the graphs of one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.judge.bootstrap import interval
from nodeflow.judge.cells import cell_growth
from nodeflow.judge.claims import verdict
from nodeflow.judge.schemas import CLAIMS
from nodeflow.judge.trust_claims import BARELY
from nodeflow.seeds import numpy_generator

__all__ = ["judge_cells"]

_DRAWS = 2000


def judge_cells(tests: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """What is said of errors, over all cells of each system.

    Args:
        tests: runs on test graphs (`COLLECTED_TESTS`) of several β and γ.
        seed: the run's root seed.

    Returns:
        Rows with the columns of `CLAIMS`, as `judge_claims` has them of one β.
    """
    growths = cell_growth(tests)
    rows = []
    for system, cells in growths.groupby("system", sort=False):
        random = numpy_generator(seed, "cells", str(system))
        for claim, statistic, logs, threshold in _statements(cells):
            value, low, high = np.exp(interval(_means(logs, random)))
            told = verdict(low, high, threshold)
            rows.append((claim, system, statistic, value, low, high, threshold, told))
    return pd.DataFrame(rows, columns=list(CLAIMS.columns))


def _statements(cells: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.float64], float]]:
    """Claims, what is measured, its logarithm in each cell, and above what a claim holds."""
    logs = cells.assign(growth=np.log(cells["growth"]))
    table = logs.pivot(index="beta", columns="gamma", values="growth")
    betas, gammas = list(table.index), list(table.columns)
    for gamma in gammas:
        yield (
            "errors grow with size",
            f"growth of the MAE from the smallest to the largest N, γ = {gamma}, over β",
            table[gamma].to_numpy(), BARELY,
        )  # fmt: skip
    yield (
        "errors grow more where degrees are more heterogeneous",
        f"growth at γ = {gammas[0]} over that at γ = {gammas[-1]}, over β",
        (table[gammas[0]] - table[gammas[-1]]).to_numpy(), 1.0,
    )  # fmt: skip
    yield (
        "errors grow more where clustering is higher",
        f"growth at β = {betas[-1]} over that at β = {betas[0]}, over γ",
        (table.loc[betas[-1]] - table.loc[betas[0]]).to_numpy(), 1.0,
    )  # fmt: skip
    for claim, statistic, column in (
        ("errors concentrate at hubs", "MAE of the top 1 % of degrees over MAE of all", "hubs"),
        ("a neural ODE beats the mean field on large graphs", "MAE of the mean field over MAE",
         "mean_field"),
    ):  # fmt: skip
        values = np.log(cells[column].to_numpy())
        yield claim, f"{statistic}, largest N, over β and γ", values, 1.0


def _means(values: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """The mean, and means of as many values drawn with replacement; shape (1 + draws,)."""
    values = values[~np.isnan(values)]
    if not len(values):
        return np.empty(0)
    drawn = values[random.integers(0, len(values), (_DRAWS, len(values)))]
    return np.concatenate([[values.mean()], drawn.mean(axis=1)])
