"""Medians with bootstrapped bands, and the baselines beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nodeflow.judge.bootstrap import median_band, true_failed
from nodeflow.neural_ode.schemas import LAW, NEURAL_ODE, TAILED
from nodeflow.seeds import numpy_generator

__all__ = [
    "baselines",
    "bootstrapped",
    "by_method",
    "failures",
    "name_baselines",
    "what_bands_show",
    "with_tails",
]

_BASELINES = {"mae_persistence": ":", "mae_mean_field": "--"}


def by_method(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of neural ODEs, and those of laws."""
    return table[table["method"] == NEURAL_ODE], table[table["method"] == LAW]


def with_tails(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of neural ODEs with the tails of laws."""
    return table[table["method"] == TAILED]


def bootstrapped(
    axis: Axes, runs: pd.DataFrame, x: str, y: str, colour: object, label: str | None,
    style: str = "-", marker: str = "o",
) -> None:  # fmt: skip
    """The median of `y` over runs at each `x`, with its interval over graphs and models.

    Failed runs count as infinitely bad; where half of the runs fail, the line ends.
    """
    band = median_band(runs, x, y, numpy_generator(0, "band", x, y)).replace(np.inf, np.nan)
    if band.empty:
        return
    at = band.index.to_numpy(dtype=float)
    axis.fill_between(at, band["low"], band["high"], color=colour, alpha=0.18, lw=0)
    axis.plot(at, band["median"], style, color=colour, marker=marker, ms=3.5, label=label)


def baselines(axis: Axes, runs: pd.DataFrame, x: str, colour: object) -> None:
    """Medians of persistence and mean field at each `x`, from rows of neural ODEs."""
    for name, style in _BASELINES.items():
        medians = runs.groupby(x)[name].median()
        axis.plot(medians.index.to_numpy(dtype=float), medians, ls=style, color=colour, lw=1)


def name_baselines(axis: Axes) -> None:
    """Entries of the legend for what `baselines` draws."""
    axis.plot([], [], color="0.4", ls=":", lw=1, label="persistence")
    axis.plot([], [], color="0.4", ls="--", lw=1, label="mean field")


def what_bands_show(runs: pd.DataFrame, *point: str) -> str:
    """What a figure's points and bands are: the fewest runs at a point, named by its columns."""
    count = runs.groupby(["system", *point]).size().min()
    return f"n ≥ {count} runs a point; bands: 95 % intervals of the median (bootstrap)"


def failures(runs: pd.DataFrame) -> str:
    """Which share of the integrations of each system failed, of those that have failed ones.

    Those of the true system count apart: they say nothing of models.
    """
    untold = true_failed(runs)
    failed = runs["status"] != "ok"
    told = {
        "failed integrations": _shares((failed & ~untold)[~untold], runs["system"]),
        "of the true system": _shares(untold, runs["system"]),
    }
    parts = [f"{name}: {shares}" for name, shares in told.items() if shares]
    return ", ".join(parts) or "no integration failed"


def _shares(failed: pd.Series[bool], systems: pd.Series[str]) -> str:
    shares = failed.groupby(systems[failed.index], sort=False).mean()
    return ", ".join(f"{system} {share:.1%}" for system, share in shares.items() if share > 0)
