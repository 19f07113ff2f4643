"""Figures of laws beside neural ODEs: errors over size, recovery, and functions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.figures.bands import (
    baselines,
    bootstrapped,
    by_method,
    name_baselines,
    with_tails,
)
from nodeflow.figures.style import note, outside_legend, panels

__all__ = ["draw_law_errors", "draw_law_functions", "draw_law_recovery"]

_MODEL, _LAW, _TAILED = "#D55E00", "#0072B2", "#E69F00"

_AMOUNTS = {
    "noise": "noise on the states",
    "trajectories": "trajectories",
    "times": "observation times",
    "nodes": "share of nodes observed",
}


def draw_law_errors(tests: pd.DataFrame, beta: float) -> Figure:
    """Error against size of laws and neural ODEs, also with tails: columns are systems, rows γ.

    Args:
        tests: rows of `COLLECTED_TESTS`.
        beta: β of the training cells to draw.
    """
    same_cell = tests.query(
        "variant == 'plain' and beta == @beta and trained_beta == beta and trained_gamma == gamma"
    )
    models, laws = by_method(same_cell)
    tailed = with_tails(same_cell)
    systems = list(dict.fromkeys(laws["system"]))
    places = [(gamma, system) for gamma in sorted(laws["gamma"].unique()) for system in systems]
    figure, axes = panels(len(places), columns=len(systems))
    for axis, (gamma, system) in zip(axes, places, strict=True):
        growths = []
        for table, name, colour, marker in (
            (models, "nODE", _MODEL, "o"),
            (laws, "law", _LAW, "s"),
        ):
            rows = table[(table["gamma"] == gamma) & (table["system"] == system)]
            bootstrapped(axis, rows, "N", "mae", colour, name, marker=marker)
            medians = rows.groupby("N")["mae"].median()
            growths.append(f"{name} ×{medians.iloc[-1] / medians.iloc[0]:.2g}")
        rows = tailed[(tailed["gamma"] == gamma) & (tailed["system"] == system)]
        bootstrapped(axis, rows, "N", "mae", _TAILED, "nODE, tails of the law", "--", "^")
        baselines(axis, models.query("gamma == @gamma and system == @system"), "N", "0.4")
        axis.set(
            yscale="log", title=f"{system}, γ = {gamma}", xlabel="number of nodes N",
            ylabel="node MAE",
        )  # fmt: skip
        axis.set_xscale("log", base=2)
        note(axis, "growth: " + ", ".join(growths))
    name_baselines(axes[len(systems) - 1])
    outside_legend(axes[len(systems) - 1])
    return figure


def draw_law_recovery(laws: pd.DataFrame, gamma: float, whole: Mapping[str, float]) -> Figure:
    """Errors of a law's functions against noise and amount of data: a row each, columns systems.

    Args:
        laws: rows of `COLLECTED_LAWS`.
        gamma: of the training cell whose laws are found from less than all data.
        whole: what all data are: noise, trajectories, times, nodes.
    """
    laws = laws[laws["trained_gamma"] == gamma]
    systems = list(dict.fromkeys(laws["system"]))
    of = laws["variant"].str.partition("~")
    kinds = [kind for kind in _AMOUNTS if (of[0] == kind).any()]
    figure, axes = panels(max(len(kinds), 1) * len(systems), columns=len(systems))
    for row, kind in enumerate(kinds):
        for axis, system in zip(axes[row * len(systems) :], systems, strict=False):
            mine = (laws["system"] == system) & of[0].isin([kind, "plain"])
            amount = pd.to_numeric(of[2][mine], errors="coerce").fillna(whole[kind])
            _draw_recovery(axis, laws[mine].assign(amount=amount))
            axis.set(
                yscale="log", title=system if row == 0 else "", xlabel=_AMOUNTS[kind],
                ylabel="relative error",
            )  # fmt: skip
            if kind in ("trajectories", "times"):
                axis.set_xscale("log", base=2)
            note(axis, _decided(laws[mine]))
    outside_legend(axes[len(systems) - 1])
    return figure


def _draw_recovery(axis: Axes, laws: pd.DataFrame) -> None:
    """Medians as lines; of each law a point, filled where the data decide on it."""
    for column, colour, name in (
        ("error_seen", _LAW, "states seen"),
        ("error_beyond", _MODEL, "up to 3 × as far"),
    ):
        medians = laws.groupby("amount")[column].median()
        axis.plot(medians.index.to_numpy(dtype=float), medians, color=colour, label=name)
        for open_, rows in laws.groupby("undetermined"):
            axis.scatter(
                rows["amount"], rows[column], s=18, facecolors="w" if open_ else colour,
                edgecolors=colour, zorder=3,
            )  # fmt: skip


def _decided(laws: pd.DataFrame) -> str:
    """How many laws the data decide on, and of how many there is none."""
    none = int((laws["status"] != "ok").sum())
    decided = int((~laws["undetermined"]).sum())
    return f"{decided} of {len(laws)} laws decided" + (f", {none} none" if none else "")


def draw_law_functions(functions: pd.DataFrame) -> Figure:
    """Functions of neural ODEs and laws beside the true ones, far beyond the states seen.

    Args:
        functions: rows of `COLLECTED_FUNCTIONS`; of the cells with laws the smallest γ is drawn.
    """
    with_laws = by_method(functions)[1]["trained_gamma"]
    functions = functions[functions["trained_gamma"] == with_laws.min()]
    models, laws = by_method(functions)
    systems = list(dict.fromkeys(laws["system"]))
    kinds = {"f": "f(x)", "product": "h_ego(x) h_alt(x)"}
    figure, axes = panels(3 * len(systems), columns=len(systems))
    for column, system in enumerate(systems):
        errors = axes[2 * len(systems) + column]
        for row, (kind, name) in enumerate(kinds.items()):
            axis = axes[row * len(systems) + column]
            for table, label, colour in ((models, "nODEs", _MODEL), (laws, "laws", _LAW)):
                chosen = table[(table["system"] == system) & (table["function"] == kind)]
                scale = chosen["true"].abs().max()
                for number, (_, rows) in enumerate(chosen.groupby("replicate")):
                    shown = label if number == 0 else None
                    axis.plot(rows["x"], rows["learned"], color=colour, lw=1, label=shown)
                    away = (rows["learned"] - rows["true"]).abs() / scale
                    errors.plot(rows["x"], away, color=colour, lw=0.8, ls=["-", "--"][row])
            true = chosen[chosen["replicate"] == chosen["replicate"].min()]
            axis.plot(true["x"], true["true"], color="k", lw=1, ls="--", label="true")
            axis.set(title=system if row == 0 else "", xlabel="state x", ylabel=name)
            _shade(axis, chosen)
        errors.set(yscale="log", xlabel="state x", ylabel="error over largest value")
        _shade(errors, chosen)
        note(errors, "solid: f; dashed: h_ego h_alt")
    outside_legend(axes[len(systems) - 1])
    return figure


def _shade(axis: Axes, functions: pd.DataFrame) -> None:
    """Grey where no state was seen."""
    high = float(functions[functions["inside"]]["x"].max())
    axis.axvspan(high, float(np.max(functions["x"])), color="0.9", lw=0, zorder=0)
