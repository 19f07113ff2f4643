"""What becomes of errors in every cell of β and γ that neural ODEs are trained in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.judge.bootstrap import true_failed
from nodeflow.neural_ode.collected import own_cell
from nodeflow.neural_ode.schemas import NEURAL_ODE

__all__ = ["cell_growth", "own_runs"]


def own_runs(tests: pd.DataFrame) -> pd.DataFrame:
    """Runs of plain neural ODEs on graphs of the β and γ that they were trained at.

    Args:
        tests: runs on test graphs (`COLLECTED_TESTS`).

    Returns:
        Those whose truth is known; a failed one has an infinite error in the column mae.
    """
    plain = tests[(tests["method"] == NEURAL_ODE) & (tests["variant"] == "plain")]
    plain = plain[own_cell(plain) & ~true_failed(plain)]
    return plain.assign(mae=plain["mae"].mask(plain["status"] != "ok", np.inf))


def cell_growth(tests: pd.DataFrame) -> pd.DataFrame:
    """By how much errors grow with size in each cell, on new graphs of the cell's own β and γ.

    Args:
        tests: runs on test graphs (`COLLECTED_TESTS`); `own_runs` of them count.

    Returns:
        One row a system and cell with tests of several sizes: system, beta, gamma; smallest and
        largest, these sizes; growth, the median error at the largest over that at the smallest;
        and two medians at the largest: hubs, the error of the top 1 % of degrees over that of all
        nodes, of the runs that did not fail; mean_field, the mean field's error over the model's. A
        failed run is infinitely bad.
    """
    runs = own_runs(tests)
    runs = runs.assign(
        hubs=(runs["mae_hubs"] / runs["mae"]).mask(runs["status"] != "ok"),
        mean_field=runs["mae_mean_field"] / runs["mae"],
    )
    rows = []
    for labels, cell in runs.groupby(["system", "beta", "gamma"], sort=False):
        smallest, largest = cell["N"].min(), cell["N"].max()
        if smallest < largest:
            small, large = (cell[cell["N"] == size] for size in (smallest, largest))
            with np.errstate(invalid="ignore"):  # what fails at both sizes has no known growth
                growth = large["mae"].median() / small["mae"].median()
            row = (growth, large["hubs"].median(), large["mean_field"].median())
            rows.append((*labels, smallest, largest, *row))
    names = ["system", "beta", "gamma", "smallest", "largest", "growth", "hubs", "mean_field"]
    return pd.DataFrame(rows, columns=names).sort_values(
        ["beta", "gamma"], kind="stable", ignore_index=True
    )
