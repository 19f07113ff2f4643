"""Figures of neural ODEs: training, and errors over size, structure and degree."""

from __future__ import annotations

import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nodeflow.figures.bands import (
    baselines,
    bootstrapped,
    by_method,
    failures,
    name_baselines,
    what_bands_show,
)
from nodeflow.figures.style import (
    colours,
    degree_axis,
    heat_map,
    heat_panels,
    line_under,
    note,
    outside_legend,
    panels,
)
from nodeflow.judge.clustering import clustering_effect, with_ratios
from nodeflow.neural_ode.collected import own_cell
from nodeflow.seeds import numpy_generator

__all__ = [
    "draw_clustering_effect",
    "draw_degree_errors",
    "draw_error_over_training",
    "draw_size_errors",
    "draw_structure_errors",
    "draw_training",
]


def draw_training(history: pd.DataFrame) -> Figure:
    """Training loss against step: one panel a system, one colour a γ of the training graphs.

    Args:
        history: rows of `COLLECTED_TRAINING`.
    """
    history = history[history["variant"] == "plain"]
    systems = list(dict.fromkeys(history["system"]))
    shades = colours(history["trained_gamma"].tolist())
    figure, axes = panels(len(systems))
    for axis, system in zip(axes, systems, strict=True):
        chosen = history[history["system"] == system]
        for gamma, shade in shades.items():
            rows = chosen[chosen["trained_gamma"] == gamma]
            for _, run in rows.groupby(["trained_beta", "replicate", "attempt"]):
                axis.plot(run["step"], run["loss"], color=shade, lw=0.9)
            axis.plot([], [], color=shade, lw=0.9, label=f"γ = {gamma}")
            axis.axhline(rows["loss_persistence"].median(), color=shade, ls=":", lw=1)
            axis.axhline(rows["loss_mean_field"].median(), color=shade, ls="--", lw=1)
        axis.set(xscale="log", yscale="log", title=system, xlabel="step", ylabel="training loss")
    name_baselines(axes[-1])
    outside_legend(axes[-1])
    count = history.groupby(["system", "trained_gamma"])["replicate"].nunique().max()
    line_under(figure, f"a line a neural ODE (nODE), {count} of each system and γ")
    return figure


def draw_error_over_training(runs: pd.DataFrame) -> Figure:
    """Error against optimizer steps: columns are systems, rows sizes of the test graphs.

    Args:
        runs: rows of `COLLECTED_OVER_TRAINING` of one β.
    """
    systems = list(dict.fromkeys(runs["system"]))
    shades = colours(runs["gamma"].tolist())
    places = [(size, system) for size in sorted(runs["N"].unique()) for system in systems]
    figure, axes = panels(len(places), columns=len(systems))
    for axis, (size, system) in zip(axes, places, strict=True):
        chosen = runs[(runs["N"] == size) & (runs["system"] == system)]
        for gamma, shade in shades.items():
            rows = chosen[chosen["gamma"] == gamma]
            bootstrapped(axis, rows, "step", "mae", shade, f"nODE, γ = {gamma}", marker="")
            baselines(axis, rows, "step", shade)
        # The untrained models stand at step 0, left of a logarithmic axis.
        first = float(chosen["step"][chosen["step"] > 0].min())
        axis.set_xscale("symlog", linthresh=first, linscale=0.4)
        axis.set(
            yscale="log", title=f"{system}, N = {size}", xlabel="optimizer steps", ylabel="node MAE"
        )
    name_baselines(axes[len(systems) - 1])
    outside_legend(axes[len(systems) - 1])
    line_under(figure, f"{what_bands_show(runs, 'N', 'step', 'gamma')}; {failures(runs)}")
    return figure


def draw_size_errors(tests: pd.DataFrame, beta: float) -> Figure:
    """Error against graph size on new graphs of the training cell's β and γ.

    Args:
        tests: one row a (model, test graph), of `COLLECTED_TESTS`.
        beta: β of the training cells to draw.
    """
    same = own_cell(tests)
    runs, laws = by_method(tests[same & (tests["variant"] == "plain") & (tests["beta"] == beta)])
    systems = list(dict.fromkeys(runs["system"]))
    shades = colours(runs["gamma"].tolist())
    figure, axes = panels(len(systems))
    for axis, system in zip(axes, systems, strict=True):
        chosen = runs[runs["system"] == system]
        for gamma, shade in shades.items():
            rows = chosen[chosen["gamma"] == gamma]
            bootstrapped(axis, rows, "N", "mae", shade, f"nODE, γ = {gamma}")
            baselines(axis, rows, "N", shade)
            law = laws[(laws["system"] == system) & (laws["gamma"] == gamma)]
            bootstrapped(axis, law, "N", "mae", shade, f"law, γ = {gamma}", marker="s")
        axis.set(yscale="log", title=system, xlabel="number of nodes N", ylabel="node MAE")
        axis.set_xscale("log", base=2)
    name_baselines(axes[-1])
    outside_legend(axes[-1])
    line_under(figure, f"{what_bands_show(runs, 'N', 'gamma')}; {failures(runs)}")
    return figure


def draw_structure_errors(
    tests: pd.DataFrame, size: int, trained_beta: float, trained_gamma: float
) -> Figure:
    """Heat maps of the median error over test β and γ, one panel a system.

    Args:
        tests: as in `draw_size_errors`.
        size: number of nodes of the test graphs.
        trained_beta: inverse temperature β of the training graphs.
        trained_gamma: their degree exponent γ.
    """
    runs, laws = by_method(
        tests.query(
            "variant == 'plain' and N == @size and trained_beta == @trained_beta and "
            "trained_gamma == @trained_gamma"
        )
    )
    systems = list(dict.fromkeys(runs["system"]))
    rows, columns = runs["beta"].nunique(), runs["gamma"].nunique()
    figure, axes = heat_panels(len(systems), rows, columns, width=3.0, height=2.6)
    for axis, system in zip(axes, systems, strict=True):
        chosen = runs[runs["system"] == system]
        good = chosen[chosen["status"] == "ok"]
        table = good.pivot_table(index="beta", columns="gamma", values="mae", aggfunc="median")
        table = table.sort_index(ascending=False)
        norm = LogNorm(float(table.min().min()), float(table.max().max()))
        heat_map(axis, table, table.map(_short), norm, "median node MAE")
        axis.set(title=system, xlabel="degree exponent γ", ylabel="inverse temperature β")
        still = good[["mae_persistence", "mae_mean_field"]].median()
        if trained_gamma in table.columns and trained_beta in table.index:
            across, down = list(table.columns), list(table.index)
            corner = across.index(trained_gamma), down.index(trained_beta)
            axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="#D55E00", lw=2))
        note(
            axis,
            f"mean field {still['mae_mean_field']:.2g}, persistence {still['mae_persistence']:.2g}"
            f"{_worst(laws[laws['system'] == system])}",
        )
    count = runs[runs["status"] == "ok"].groupby(["system", "beta", "gamma"]).size().min()
    line_under(figure, f"n ≥ {count} runs a cell; {failures(runs)}; framed: as in training")
    return figure


def _worst(laws: pd.DataFrame) -> str:
    """What laws reach over all cells, for a note; nothing where there are none."""
    medians = laws.groupby(["beta", "gamma"])["mae"].median()
    return f", law ≤ {medians.max():.2g}" if len(medians) else ""


def _short(error: float) -> str:
    """One digit in four letters at most, to fit into a cell of a heat map."""
    return f"{error:.1g}" if error >= 1e-3 else f"{error:.0e}".replace("e-0", "e-")


def draw_clustering_effect(runs: pd.DataFrame) -> Figure:
    """Error with clustering over error without, against β: one panel a system, one colour a γ.

    Args:
        runs: rows of `COLLECTED_REWIRED`.
    """
    runs = with_ratios(runs)
    systems = list(dict.fromkeys(runs["system"]))
    shades = colours(runs["gamma"].tolist())
    figure, axes = panels(len(systems))
    for axis, system in zip(axes, systems, strict=True):
        chosen = runs[runs["system"] == system]
        for gamma, shade in shades.items():
            rows = chosen[chosen["gamma"] == gamma]
            bootstrapped(axis, rows[rows["status"] == "ok"], "beta", "ratio", shade, f"γ = {gamma}")
        axis.axhline(1, color="0.5", lw=1, ls=":")
        axis.set(
            yscale="log",
            title=system,
            xlabel="inverse temperature β",
            ylabel="MAE with clustering / without",
        )
        middle, low, high = clustering_effect(chosen, numpy_generator(0, "clustering", system))
        note(axis, f"clustering alone: × {middle:.3g} [{low:.3g}, {high:.3g}]")
    outside_legend(axes[-1])
    cells = runs[runs["status"] == "ok"].groupby(["beta", "gamma"])
    gone = (cells["clustering_original"].mean() - cells["clustering"].mean()).max()
    line_under(
        figure, f"{what_bands_show(runs, 'beta', 'gamma')}; rewiring takes up to {gone:.2g} of "
        f"clustering; {failures(runs)}",
    )  # fmt: skip
    return figure


def draw_degree_errors(
    errors: pd.DataFrame, size: int, trained_beta: float, trained_gamma: float
) -> Figure:
    """Error against degree, one panel a system, one colour a γ.

    Args:
        errors: rows of `COLLECTED_ERRORS`.
        size: number of nodes of the test graphs.
        trained_beta: inverse temperature β of the training graphs, and of the test graphs.
        trained_gamma: degree exponent γ of the training graphs.
    """
    errors, laws = by_method(
        errors.query(
            "variant == 'plain' and N == @size and beta == @trained_beta and "
            "trained_beta == @trained_beta and trained_gamma == @trained_gamma"
        )
    )
    systems = list(dict.fromkeys(errors["system"]))
    shades = colours(errors["gamma"].tolist())
    figure, axes = panels(2 * len(systems), columns=len(systems))
    top, bottom = axes[: len(systems)], axes[len(systems) :]
    for axis, below, system in zip(top, bottom, systems, strict=True):
        chosen = errors[errors["system"] == system]
        for gamma, shade in shades.items():
            rows = chosen[chosen["gamma"] == gamma].sort_values("degree")
            axis.fill_between(
                rows["degree"], rows["mae_low"], rows["mae_high"], color=shade, alpha=0.18, lw=0
            )
            axis.plot(
                rows["degree"],
                rows["mae"],
                color=shade,
                marker="o",
                ms=3,
                label=f"nODE, γ = {gamma}",
            )
            baselines(axis, rows, "degree", shade)
            law = laws[(laws["system"] == system) & (laws["gamma"] == gamma)].sort_values("degree")
            if len(law):
                axis.plot(
                    law["degree"],
                    law["mae"],
                    color=shade,
                    marker="s",
                    ms=3,
                    label=f"law, γ = {gamma}",
                )
            below.plot(rows["degree"], rows["outside"], color=shade, marker="o", ms=3)
        axis.set(yscale="log", title=system, ylabel="node MAE")
        for each in (axis, below):
            degree_axis(each, chosen["degree"])
        below.set(ylim=(-0.03, 1.03), xlabel="degree k", ylabel="outside training range")
    name_baselines(top[-1])
    outside_legend(top[-1])
    count = int(errors.groupby("system")["nodes"].sum().min())
    line_under(figure, f"medians and 10–90 % of nodes, n ≥ {count:,} nodes a system")
    return figure
