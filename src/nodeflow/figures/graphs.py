"""Figures of graphs: degrees against theory, clustering and heterogeneity, null models."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from nodeflow.figures.style import band, colours, note, outside_legend, panels

__all__ = ["draw_degrees", "draw_ensemble", "draw_networks"]


def draw_degrees(degrees: pd.DataFrame) -> Figure:
    """Complementary cumulative degree distribution, one panel a γ, against theory.

    Args:
        degrees: columns beta, gamma, degree, observed, expected (P(K ≥ k)), graphs; one size only.
    """
    gammas = sorted(set(degrees["gamma"]))
    shades = colours(degrees["beta"].tolist())
    figure, axes = panels(len(gammas), columns=4, width=3.0, height=2.6)
    for axis, gamma in zip(axes, gammas, strict=True):
        chosen = degrees[degrees["gamma"] == gamma]
        for beta, shade in shades.items():
            rows = chosen[chosen["beta"] == beta]
            axis.plot(rows["degree"], rows["observed"], ".", color=shade, ms=4, label=f"β = {beta}")
            axis.plot(rows["degree"], rows["expected"], color=shade, lw=1, alpha=0.8)
        floor = chosen.loc[chosen["observed"] > 0, "observed"].min() / 3
        axis.set(
            xscale="log", yscale="log", title=f"γ = {gamma}", xlabel="degree k", ylabel="P(K ≥ k)",
            ylim=(floor, 1.5),
        )  # fmt: skip
        note(axis, f"points: {chosen['graphs'].min()} graphs per β; lines: theory")
    axes[0].legend(loc="lower left")
    return figure


def draw_ensemble(graphs: pd.DataFrame, theory: pd.DataFrame, size: int) -> Figure:
    """Mean degree, clustering, heterogeneity and giant component against β, by γ.

    Args:
        graphs: one row a graph: columns N, beta, gamma, mean_degree, clustering, heterogeneity,
            giant_share.
        theory: columns beta, gamma, expected: the model's mean local clustering. Near γ = 2 it is
            above the median that is drawn: the largest hub makes clustering vary, and skews it.
        size: number of nodes of the graphs to draw.
    """
    summary = graphs[graphs["N"] == size]
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
            if measure == "clustering":
                line = theory[theory["gamma"] == gamma].sort_values("beta")
                axis.plot(line["beta"], line["expected"], "x", color=shade, ms=6)
        axis.set(xlabel="inverse temperature β", ylabel=label)
        count = summary.groupby(["beta", "gamma"]).size().min()
        crosses = "; crosses: expected mean" if measure == "clustering" else ""
        note(axis, f"n ≥ {count} graphs, band 10–90 %{crosses}")
    axes[2].set_yscale("log")
    outside_legend(axes[-1])
    return figure


def draw_networks(table: pd.DataFrame) -> Figure:
    """Clustering, degree correlation and heterogeneity of networks and of their null models.

    Args:
        table: one row a graph: columns network, variant, nodes, clustering, assortativity,
            heterogeneity, giant_share.
    """
    measures = {
        "clustering": "mean local clustering",
        "assortativity": "degree assortativity",
        "heterogeneity": "⟨k²⟩ / ⟨k⟩",
        "giant_share": "share in giant component",
    }
    names = {
        "original": ("network itself", "o"),
        "configuration": ("same degrees", "s"),
        "erdos_renyi": ("same density", "^"),
    }
    networks = list(dict.fromkeys(table["network"]))
    sizes = table.groupby("network")["nodes"].first()
    shades = dict(zip(names, colours(range(len(names))).values(), strict=True))
    figure, axes = panels(len(measures), columns=4, width=2.4, height=0.9 + 0.32 * len(networks))
    for axis, (measure, label) in zip(axes, measures.items(), strict=True):
        for shift, (variant, (title, marker)) in zip((-0.2, 0.0, 0.2), names.items(), strict=True):
            groups = table[table["variant"] == variant].groupby("network")[measure]
            low, middle, high = (groups.quantile(q).reindex(networks) for q in (0.1, 0.5, 0.9))
            axis.errorbar(
                middle, np.arange(len(networks)) + shift, xerr=[middle - low, high - middle],
                fmt=marker, ms=4, color=shades[variant], label=title, lw=1,
            )  # fmt: skip
        axis.set(xlabel=label, ylim=(len(networks) - 0.5, -0.5), yticks=range(len(networks)))
        axis.set_yticklabels([])
    axes[0].set_yticklabels([f"{name} ({sizes[name]})" for name in networks])
    axes[2].set_xscale("log")
    axes[2].xaxis.set_minor_formatter(NullFormatter())
    axes[3].set_xlim(0, 1.05)
    drawn = table[table["variant"] != "original"].groupby(["network", "variant"]).size()
    note(axes[0], f"null models: n ≥ {drawn.min() if len(drawn) else 0} graphs")
    outside_legend(axes[-1])
    return figure
