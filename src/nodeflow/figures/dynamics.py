"""Figures of the simulated systems: activity over time and against degree."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from nodeflow.figures.style import banded, colours, degree_axis, line_under, outside_legend, panels

__all__ = ["draw_activity", "draw_trajectories"]

_DECILES = ("low", "median", "high")


def draw_trajectories(activity: pd.DataFrame) -> Figure:
    """Activity over time by degree group on one training graph, one panel a system.

    Args:
        activity: columns system, time, degree (centre of the bin), low, median, high.
    """
    systems = list(dict.fromkeys(activity["system"]))
    shades = colours(activity["degree"].tolist())
    figure, axes = panels(len(systems))
    for axis, system in zip(axes, systems, strict=True):
        chosen = activity[activity["system"] == system]
        for degree, shade in shades.items():
            rows = chosen[chosen["degree"] == degree].sort_values("time")
            banded(axis, rows, "time", _DECILES, shade, label=f"k ≈ {degree:.3g}")
        axis.set(title=system, xlabel="time t", ylabel="activity x")
    outside_legend(axes[-1])
    line_under(figure, "medians and 10–90 % of nodes and initial states")
    return figure


def draw_activity(activity: pd.DataFrame, beta: float) -> Figure:
    """Activity at the last time against degree, one panel a system, one colour a γ.

    Args:
        activity: columns system, beta, gamma, degree, low, median, high, nodes; one size.
        beta: of the graphs to draw.
    """
    activity = activity[activity["beta"] == beta]
    systems = list(dict.fromkeys(activity["system"]))
    shades = colours(activity["gamma"].tolist())
    figure, axes = panels(len(systems))
    for axis, system in zip(axes, systems, strict=True):
        chosen = activity[activity["system"] == system]
        for gamma, shade in shades.items():
            rows = chosen[chosen["gamma"] == gamma].sort_values("degree")
            label = f"γ = {gamma}"
            banded(axis, rows, "degree", _DECILES, shade, marker="o", ms=3, label=label)
        axis.set(yscale="log", title=system, xlabel="degree k", ylabel="activity x(t)")
        degree_axis(axis, chosen["degree"])
    outside_legend(axes[-1])
    count = int(activity.groupby("system")["nodes"].sum().min())
    line_under(figure, f"medians and 10–90 % of nodes, n ≥ {count:,} nodes a system")
    return figure
