"""What becomes of errors in every cell of β and γ that neural ODEs are trained in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.judge.bootstrap import true_failed
from nodeflow.neural_ode.collected import own_cell
from nodeflow.neural_ode.schemas import NEURAL_ODE

__all__ = ["cell_growth"]


def cell_growth(tests: pd.DataFrame) -> pd.DataFrame:
    """By how much errors grow with size in each cell, on new graphs of the cell's own β and γ.

    Args:
        tests: runs on test graphs (`COLLECTED_TESTS`); those of plain neural ODEs count.

    Returns:
        One row a system and cell with tests of several sizes: system, beta, gamma; smallest and
        largest, these sizes; growth, the median error at the largest over that at the smallest. A
        failed run counts as infinitely bad.
    """
    plain = tests[(tests["method"] == NEURAL_ODE) & (tests["variant"] == "plain")]
    rows = []
    for labels, cell in plain[own_cell(plain)].groupby(["system", "beta", "gamma"], sort=False):
        smallest, largest = cell["N"].min(), cell["N"].max()
        if smallest < largest:
            before, after = (_median(cell[cell["N"] == size]) for size in (smallest, largest))
            rows.append((*labels, smallest, largest, after / before))
    return pd.DataFrame(
        rows, columns=["system", "beta", "gamma", "smallest", "largest", "growth"]
    ).sort_values(["beta", "gamma"], kind="stable", ignore_index=True)


def _median(rows: pd.DataFrame) -> float:
    rows = rows[~true_failed(rows)]
    return float(rows["mae"].mask(rows["status"] != "ok", np.inf).median())
