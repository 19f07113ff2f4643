"""What clustering alone does to errors: runs on graphs over the same runs on rewired copies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.judge.bootstrap import crossed_medians, interval

__all__ = ["clustering_effect", "with_ratios"]


def with_ratios(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with the column ratio: the error with clustering over that without.

    Args:
        runs: rows of `COLLECTED_REWIRED`; those that failed on either graph have no ratio.
    """
    failed = (runs["status"] != "ok") | (runs["status_original"] != "ok")
    ratio = (runs["mae_original"] / runs["mae"]).mask(failed)
    return runs.assign(ratio=ratio, status=runs["status"].mask(failed, "failed"))


def clustering_effect(
    runs: pd.DataFrame, generator: np.random.Generator
) -> tuple[float, float, float]:
    """By which factor clustering alone multiplies the error of a system's models.

    Args:
        runs: what `with_ratios` made of one system's runs.
        generator: source of the bootstrap.

    Returns:
        The geometric mean over cells of median ratios, and its 95 % interval over graphs and
        models, of the runs that failed on neither; NaN without any.
    """
    good = runs[runs["status"] == "ok"]
    medians = [
        crossed_medians(rows, "ratio", generator) for _, rows in good.groupby(["beta", "gamma"])
    ]
    if not medians:
        return np.nan, np.nan, np.nan
    return interval(np.exp(np.log(np.stack(medians)).mean(axis=0)))
