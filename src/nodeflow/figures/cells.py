"""Figures over all cells of β and γ that neural ODEs are trained in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from nodeflow.figures.bands import failures
from nodeflow.figures.style import (
    colours,
    heat_map,
    heat_panels,
    line_under,
    note,
    outside_legend,
    panels,
)
from nodeflow.judge.cells import cell_growth, own_runs

__all__ = ["draw_growth", "draw_size_curves"]


def draw_size_curves(tests: pd.DataFrame) -> Figure:
    """Error against graph size in every cell: rows are systems, columns γ, a line a β.

    Args:
        tests: one row a (model, test graph), of `COLLECTED_TESTS`.
    """
    runs = own_runs(tests)
    systems, gammas = list(dict.fromkeys(runs["system"])), sorted(set(runs["gamma"]))
    errors = runs.groupby(["system", "gamma", "beta", "N"])["mae"].median()
    medians = errors.replace(np.inf, np.nan).reset_index()
    shades = colours(runs["beta"].tolist())
    places = [(system, gamma) for system in systems for gamma in gammas]
    figure, axes = panels(len(places), columns=len(gammas), width=1.8, height=1.7)
    for axis, (system, gamma) in zip(axes, places, strict=True):
        cells = medians[(medians["system"] == system) & (medians["gamma"] == gamma)]
        for beta, shade in shades.items():
            line, label = cells[cells["beta"] == beta], f"β = {beta}"
            axis.plot(line["N"], line["mae"], color=shade, marker="o", ms=2, lw=1, label=label)
        axis.set(yscale="log", title=f"{system}, γ = {gamma}")
        axis.set_xscale("log", base=2)
    for first, system in zip(range(0, len(axes), len(gammas)), systems, strict=True):
        row = axes[first : first + len(gammas)]
        errors = medians.loc[medians["system"] == system, "mae"].dropna()
        row[0].set_ylabel("node MAE")
        for axis in row if len(errors) else ():
            # A shared axis would keep the limits of the first panel.
            axis.set_ylim(0.8 * errors.min(), 1.25 * errors.max())
        for axis in row[1:]:
            axis.tick_params(labelleft=False)
    for axis in axes[-len(gammas) :]:
        axis.set_xlabel("number of nodes N")
    outside_legend(axes[len(gammas) - 1])
    line_under(
        figure, "medians over models and test graphs, models trained and tested at the same β and "
        f"γ; {failures(runs)}",
    )  # fmt: skip
    return figure


def draw_growth(tests: pd.DataFrame) -> Figure:
    """Heat maps of the growth of errors with size over β and γ, one panel a system.

    Args:
        tests: one row a (model, test graph), of `COLLECTED_TESTS`.
    """
    growths = cell_growth(tests)
    systems = list(dict.fromkeys(growths["system"]))
    # One scale for all panels, so that systems can be compared; a failed cell has no colour.
    finite = growths["growth"].replace(np.inf, np.nan)
    norm = LogNorm(min(float(finite.min()), 1.0), max(float(finite.max()), 1.0))
    rows, columns = growths["beta"].nunique(), growths["gamma"].nunique()
    figure, axes = heat_panels(len(systems), rows, columns, width=3.4, height=3.0)
    for axis, system in zip(axes, systems, strict=True):
        cells = growths[growths["system"] == system]
        table = cells.pivot(index="beta", columns="gamma", values="growth")
        table = table.sort_index(ascending=False).replace(np.inf, np.nan)
        texts = table.map(lambda x: f"{x:.0f}" if x >= 9.95 else f"{x:.1f}")
        heat_map(axis, table, texts, norm, "growth of node MAE")
        axis.set(title=system, xlabel="degree exponent γ", ylabel="inverse temperature β")
        middle = np.exp(np.log(table.to_numpy()[np.isfinite(table)]).mean())
        failed = int(np.isinf(cells["growth"]).sum())
        note(axis, f"over all cells × {middle:.3g}" + (f", {failed} failed" if failed else ""))
    small, large = growths["smallest"].min(), growths["largest"].max()
    line_under(
        figure, f"median node MAE at N = {large:,} over that at N = {small:,}, models trained and "
        "tested at the same β and γ",
    )  # fmt: skip
    return figure
