"""Figure of the bands and flags of ensembles, with the bands of laws."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.figures.bands import bootstrapped, by_method
from nodeflow.figures.style import line_under, note, outside_legend, panels
from nodeflow.neural_ode.collected import own_cell

__all__ = ["draw_trust"]

_LEVELS = {90: "#0072B2", 50: "#D55E00"}
_LAW = "#000000"
_KINDS = {"flagged": "#CC79A7", "unflagged": "#009E73"}


def draw_trust(trust: pd.DataFrame, beta: float) -> Figure:
    """Above: coverage of bands against size. Below: error of flagged and unflagged nodes.

    Args:
        trust: rows of `COLLECTED_TRUST`; those on graphs of the training cell's own β and γ are
            drawn, of the smallest γ.
        beta: β of the training cells to draw.
    """
    rows = trust[own_cell(trust) & (trust["beta"] == beta)]
    gamma = rows["gamma"].min()
    # One ensemble on each graph, or some laws: bands are over graphs and laws.
    rows, laws = by_method(rows[rows["gamma"] == gamma].assign(replicate=0))
    laws = laws[laws["status"] == "ok"]
    systems = list(dict.fromkeys(rows["system"]))
    figure, axes = panels(2 * len(systems), columns=len(systems))
    top, bottom = axes[: len(systems)], axes[len(systems) :]
    for axis, below, system in zip(top, bottom, systems, strict=True):
        chosen = rows[rows["system"] == system]
        good = chosen[chosen["status"] == "ok"]
        for level, shade in _LEVELS.items():
            _line(axis, good, f"coverage_{level}", shade, f"{level} % band, all nodes")
            _line(
                axis, good, f"coverage_{level}_unflagged", shade, f"{level} % band, no flag", "--"
            )
            axis.axhline(level / 100, color=shade, lw=0.8, ls=":")
        _line(axis, laws[laws["system"] == system], "coverage_90", _LAW, "90 % band of the law")
        axis.set(title=system, ylabel="true states inside", ylim=(-0.03, 1.03))
        for kind, shade in _KINDS.items():
            _line(below, good, f"error_{kind}", shade, f"{kind} nodes")
        below.set(yscale="log", xlabel="number of nodes N", ylabel="median relative error")
        for each in (axis, below):
            each.set_xscale("log", base=2)
        shares = good[good["N"] == good["N"].max()][["flagged", "bad"]].median()
        note(below, f"largest N: {shares['flagged']:.0%} flagged, {shares['bad']:.0%} off by > 1 %")
    outside_legend(top[-1])
    outside_legend(bottom[-1])
    count = rows.groupby(["system", "N"]).size().min()
    without = float((rows["status"] != "ok").mean())
    line_under(
        figure,
        f"γ = {gamma}, n ≥ {count} graphs a size, {without:.0%} of them without bands; "
        "shaded: 95 % intervals of the median (bootstrap)",
    )
    return figure


def _line(
    axis: Axes, rows: pd.DataFrame, column: str, shade: str, label: str, style: str = "-"
) -> None:
    # Where no node is flagged, or all are, there is nothing to take the mean of.
    bootstrapped(axis, rows.dropna(subset=[column]), "N", column, shade, label, style)
