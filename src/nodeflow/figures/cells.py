"""Figures over all cells of β and γ that neural ODEs are trained in."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from nodeflow.figures.style import heat_map, line_under, note, panels
from nodeflow.judge.cells import cell_growth

__all__ = ["draw_growth"]


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
    figure, axes = panels(len(systems), width=3.4, height=3.0)
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
