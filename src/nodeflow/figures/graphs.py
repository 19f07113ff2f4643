"""Figures of the graph ensembles: degrees against theory, clustering and heterogeneity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nodeflow.figures.style import band, colours, note, panels

__all__ = ["draw_degrees", "draw_ensemble"]


def draw_degrees(degrees: pd.DataFrame, theory: pd.DataFrame) -> Figure:
    """Complementary cumulative degree distribution, one panel a γ, against theory.

    Args:
        degrees: one row a node: columns gamma, beta, graph, degree; one size only.
        theory: columns gamma, beta, degree, ccdf: the model's expectation.
    """
    gammas = sorted(set(degrees["gamma"]))
    shades = colours(degrees["beta"].tolist())
    figure, axes = panels(len(gammas), columns=4, width=3.0, height=2.6)
    for axis, gamma in zip(axes, gammas, strict=True):
        for beta, shade in shades.items():
            chosen = degrees[(degrees["gamma"] == gamma) & (degrees["beta"] == beta)]
            if chosen.empty:
                continue
            values = np.sort(chosen["degree"].to_numpy())
            at = np.unique(values[values > 0])
            ccdf = 1 - np.searchsorted(values, at, side="left") / len(values)
            axis.plot(at, ccdf, ".", color=shade, ms=3, label=f"β = {beta}")
            curve = theory[(theory["gamma"] == gamma) & (theory["beta"] == beta)]
            axis.plot(curve["degree"], curve["ccdf"], color=shade, lw=1, alpha=0.8)
        floor = 0.3 / max(len(degrees[degrees["gamma"] == gamma]), 1)
        axis.set(
            xscale="log", yscale="log", title=f"γ = {gamma}", xlabel="degree k", ylabel="P(K ≥ k)",
            ylim=(floor, 1.5),
        )  # fmt: skip
        count = degrees[degrees["gamma"] == gamma].groupby("beta")["graph"].nunique().min()
        note(axis, f"{count} graphs per β; lines: theory")
    axes[0].legend(loc="lower left")
    return figure


def draw_ensemble(summary: pd.DataFrame) -> Figure:
    """Mean degree, clustering, heterogeneity and giant component against β, by γ.

    Args:
        summary: one row a graph: columns beta, gamma, mean_degree, clustering, heterogeneity,
            giant_share; one size only.
    """
    measures = {
        "mean_degree": "mean degree",
        "clustering": "mean local clustering",
        "heterogeneity": "⟨k²⟩ / ⟨k⟩",
        "giant_share": "share in giant component",
    }
    shades = colours(summary["gamma"].tolist())
    figure, axes = panels(len(measures), columns=4, width=2.8)
    for axis, (measure, label) in zip(axes, measures.items(), strict=True):
        for gamma, shade in shades.items():
            band(axis, summary[summary["gamma"] == gamma], "beta", measure, shade, f"γ = {gamma}")
        axis.set(xlabel="inverse temperature β", ylabel=label)
        count = summary.groupby(["beta", "gamma"]).size().min()
        note(axis, f"n ≥ {count} graphs per point, band 10–90 %")
    axes[2].set_yscale("log")
    axes[0].legend()
    return figure
