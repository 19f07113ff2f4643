"""What becomes of errors in every cell of β and γ that neural ODEs are trained in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.judge.bootstrap import true_failed
from nodeflow.neural_ode.schemas import NEURAL_ODE

__all__ = ["cell_growth"]


def cell_growth(tests: pd.DataFrame) -> pd.DataFrame:
    """By how much errors grow with size in each cell, on new graphs of the cell's own β and γ.

    Args:
        tests: runs on test graphs (`COLLECTED_TESTS`); those of plain neural ODEs count.

    Returns:
        One row a system and cell: system, beta, gamma; growth, the median error at the largest size
        over that at the smallest; hubs, the error of the top 1 % of degrees over that of all nodes
        at the largest; mean_field, the mean field's error there over the models'. A failed run
        counts as infinitely bad.
    """
    plain = tests[(tests["method"] == NEURAL_ODE) & (tests["variant"] == "plain")]
    own = plain[
        (plain["beta"] == plain["trained_beta"]) & (plain["gamma"] == plain["trained_gamma"])
    ]
    rows = []
    for (system, beta, gamma), cell in own.groupby(["system", "beta", "gamma"], sort=False):
        small, large = (cell[cell["N"] == size] for size in (cell["N"].min(), cell["N"].max()))
        if cell["N"].nunique() > 1:
            hubs = large.assign(share=large["mae_hubs"] / large["mae"])
            coarse = large.assign(share=large["mae_mean_field"] / large["mae"])
            growth = _median(large, "mae") / _median(small, "mae")
            rows.append((system, beta, gamma, growth, _median(hubs), _median(coarse)))
    return pd.DataFrame(
        rows, columns=["system", "beta", "gamma", "growth", "hubs", "mean_field"]
    ).sort_values(["beta", "gamma"], kind="stable", ignore_index=True)


def _median(rows: pd.DataFrame, value: str = "share") -> float:
    rows = rows[~true_failed(rows)]
    return float(rows[value].mask(rows["status"] != "ok", np.inf).median())
