"""Figures of generated neural ODEs: errors, learned functions, ensembles, error against novelty."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.figures.style import degree_axis, note, outside_legend, panels, set_colours

__all__ = [
    "draw_bridge_ensembles",
    "draw_bridge_errors",
    "draw_bridge_functions",
    "draw_bridge_novelty",
]

_COLOURS = {
    **set_colours(),
    "held-out": "#0072B2",
    "generated": "#D55E00",
    "weight flow": "#882255",
    "noise matched": "#999999",
    "trained elsewhere": "#56B4E9",
    "generated elsewhere": "#E69F00",
    "full size": "#000000",
}
_NAMES = {
    "held-out": "trained, held out",
    "weight flow": "flow over weights",
    "full size": "trained, three layers of 64",
}


def _zoos(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Zoo and system of each panel, in the order of the table."""
    pairs = table[["zoo", "system"]].drop_duplicates()
    return [(str(zoo), str(system)) for zoo, system in pairs.itertuples(index=False)]


def draw_bridge_errors(runs: pd.DataFrame, full: pd.DataFrame) -> Figure:
    """Error of every set on every test cell, one panel a zoo and system.

    Args:
        runs: columns of `BRIDGE_RUNS`.
        full: tests of the neural ODEs of full size, columns system, trained_beta, trained_gamma,
            beta, gamma, N, status, mae.
    """
    keys = ["system", "trained_beta", "trained_gamma", "N", "beta", "gamma"]
    where = runs[["zoo", *keys]].drop_duplicates()
    beside = full[[*keys, "status", "mae"]].merge(where, on=keys).assign(set="full size")
    table = pd.concat([runs, beside], ignore_index=True)
    groups = _zoos(runs)
    figure, axes = panels(len(groups), columns=2, width=5.6, height=3.0)
    shown: list[str] = []
    for axis, (zoo, system) in zip(axes, groups, strict=True):
        chosen = table[(table["zoo"] == zoo) & (table["system"] == system)]
        columns = _cells(chosen)
        sets = [name for name in dict.fromkeys(chosen["set"]) if name in _COLOURS]
        shown += [name for name in sets if name not in shown]
        for place, column in enumerate(columns):
            here = chosen[(chosen[_CELL] == list(column)).all(axis=1)]
            for number, name in enumerate(sets):
                errors = here.loc[(here["set"] == name) & (here["status"] == "ok"), "mae"]
                if errors.empty:
                    continue
                low, middle, high = errors.quantile([0.1, 0.5, 0.9])
                x = place + 0.7 * ((number + 0.5) / len(sets) - 0.5)
                axis.plot([x, x], [low, high], color=_COLOURS[name], lw=1.2)
                axis.plot([x], [middle], color=_COLOURS[name], marker="o", ms=4)
        axis.set_yscale("log")
        labels = [_cell_label(column) for column in columns]
        axis.set_xticks(range(len(columns)), labels, fontsize=6.5)
        axis.set(title=f"{system} (zoo {zoo})", ylabel="node MAE")
        failed = (chosen["status"] != "ok").mean()
        count = chosen.groupby(["set", "N", "beta", "gamma", "trained_gamma"])["mae"].size().min()
        note(axis, f"n ≥ {count} runs per bar, 10–90 %; failed integrations {failed:.1%}")
    for name in shown:
        axes[-1].plot([], [], color=_COLOURS[name], marker="o", ms=4, label=_NAMES.get(name, name))
    outside_legend(axes[-1])
    return figure


_CELL = ["trained_gamma", "trained_beta", "gamma", "beta", "N"]


def _cells(table: pd.DataFrame) -> list[tuple[float, ...]]:
    """The pairs of a training and a test cell of a table, sorted."""
    return sorted(table[_CELL].drop_duplicates().itertuples(index=False, name=None))


def _cell_label(column: tuple[float, ...]) -> str:
    trained_gamma, trained_beta, gamma, beta, size = column
    text = f"N={int(size)}\nβ={beta:g}\nγ={gamma:g}"
    if (trained_gamma, trained_beta) != (gamma, beta):
        text += "\n(other)"
    return text


def draw_bridge_functions(functions: pd.DataFrame) -> Figure:
    """Learned scalar functions as fans over the true ones, and less them: two rows a system.

    Args:
        functions: columns of `BRIDGE_FUNCTIONS`.
    """
    seen = functions[~functions["unseen"]]
    groups = _zoos(seen)
    figure, axes = panels(6 * len(groups), columns=3, width=3.0, height=2.1)
    for row, (zoo, system) in enumerate(groups):
        chosen = seen[(seen["zoo"] == zoo) & (seen["system"] == system)]
        first = chosen.iloc[0]
        chosen = chosen[
            (chosen["trained_beta"] == first["trained_beta"])
            & (chosen["trained_gamma"] == first["trained_gamma"])
        ]
        for column, name in enumerate(("f", "h_ego", "h_alt")):
            above, below = axes[6 * row + column], axes[6 * row + 3 + column]
            here = chosen[
                (chosen["function"] == name) & chosen["set"].isin(["held-out", "generated"])
            ]
            for which in ("generated", "held-out"):
                fan = here[here["set"] == which]
                _fan(above, fan, which, 0.0)
                _fan(below, fan, which, fan["true"])
            true = here[here["set"] == "held-out"]
            above.plot(true["state"], true["true"], color="black", ls="--", lw=1, label="true")
            below.plot(true["state"], 0 * true["true"], color="black", ls="--", lw=1)
            above.set(title=f"{name}, {system} (zoo {zoo})")
            below.set(xlabel="state x", ylabel="learned - true")
            note(above, f"n = {int(here['count'].min()) if len(here) else 0}, band 10–90 %")
    outside_legend(axes[2])
    return figure


def _fan(axis: Axes, fan: pd.DataFrame, which: str, less: pd.Series | float) -> None:
    """Deciles and median of functions, less something."""
    colour = _COLOURS[which]
    axis.fill_between(
        fan["state"], fan["low"] - less, fan["high"] - less, color=colour, alpha=0.25, lw=0
    )
    axis.plot(
        fan["state"], fan["middle"] - less, color=colour, lw=1.2, label=_NAMES.get(which, which)
    )


def draw_bridge_ensembles(degrees: pd.DataFrame) -> Figure:
    """Errors by degree of single neural ODEs and of ensembles, and what ensembles expect.

    At the largest test graphs of the first β and γ that each flow has learned.

    Args:
        degrees: columns of `BRIDGE_DEGREES`.
    """
    home = degrees[
        ~degrees["unseen"]
        & (degrees["beta"] == degrees["trained_beta"])
        & (degrees["gamma"] == degrees["trained_gamma"])
    ]
    groups = _zoos(home)
    figure, axes = panels(2 * len(groups), columns=4, width=3.2, height=2.6)
    for row, (zoo, system) in enumerate(groups):
        chosen = home[(home["zoo"] == zoo) & (home["system"] == system)]
        chosen = chosen[chosen["N"] == chosen["N"].max()]
        first = chosen.iloc[0]
        chosen = chosen[
            (chosen["beta"] == first["beta"]) & (chosen["gamma"] == first["gamma"])
        ].sort_values("degree")
        errors, calibration = axes[2 * row : 2 * row + 2]
        for name in ("held-out", "generated"):
            rows = chosen[chosen["set"] == name]
            _errors_by_degree(errors, rows, name)
            calibration.plot(
                rows["disagreement"], rows["ensemble_mae"], color=_COLOURS[name], marker="o",
                ms=3.5, lw=0.6, label=_NAMES.get(name, name),
            )  # fmt: skip
        errors.set(yscale="log", xlabel="degree k", ylabel="node MAE")
        errors.set_title(f"{system}, N = {first['N']} (zoo {zoo})")
        degree_axis(errors, chosen["degree"])
        note(errors, "band: single nODEs, 10–90 %; line: ensemble")
        calibration.set(
            xscale="log", yscale="log", xlabel="disagreement of members", ylabel="ensemble MAE"
        )
        calibration.set_title("calibration, a point a degree bin")
        drawn = chosen[chosen["set"].isin(["held-out", "generated"])]
        positive = drawn[["disagreement", "ensemble_mae"]].to_numpy()
        positive = positive[np.isfinite(positive) & (positive > 0)]
        if len(positive):
            ends = [positive.min(), positive.max()]
            calibration.plot(ends, ends, color="0.5", ls=":", lw=1, label="error = disagreement")
    outside_legend(axes[-1])
    return figure


def _errors_by_degree(axis: Axes, rows: pd.DataFrame, name: str) -> None:
    colour = _COLOURS[name]
    axis.fill_between(
        rows["degree"], rows["mae_low"], rows["mae_high"], color=colour, alpha=0.2, lw=0
    )
    axis.plot(rows["degree"], rows["ensemble_mae"], color=colour, marker="o", ms=3)


def draw_bridge_novelty(panel: pd.DataFrame) -> Figure:
    """Error of the vector field against novelty of weights and of functions, every set.

    Args:
        panel: columns of `BRIDGE_PANEL`.
    """
    good = panel[panel["status"] == "ok"]
    groups = _zoos(good)
    figure, axes = panels(2 * len(groups), columns=4, width=3.2, height=2.7)
    for row, (zoo, system) in enumerate(groups):
        chosen = good[(good["zoo"] == zoo) & (good["system"] == system)]
        for axis, measure, words in zip(
            axes[2 * row : 2 * row + 2],
            ("nearest", "function_nearest"),
            ("weights", "functions"),
            strict=True,
        ):
            scale = chosen.loc[chosen["set"] == "zoo", measure].median()
            noise = []
            for name, rows in chosen.groupby("set", sort=False):
                x, y = rows[measure] / scale, rows["error"]
                if str(name).startswith("noise ") and name != "noise matched":
                    noise.append((x.median(), y.median()))
                    continue
                axis.scatter(x, y, s=3, color=_COLOURS[str(name)], alpha=0.2, lw=0)
                axis.scatter(
                    x.median(), y.median(), s=42, color=_COLOURS[str(name)], edgecolor="white",
                    lw=0.8, zorder=3, label=_NAMES.get(str(name), str(name)),
                )  # fmt: skip
            line = np.array(sorted(noise))
            axis.plot(line[:, 0], line[:, 1], color="0.6", marker="s", ms=3, lw=1, label="noise")
            axis.set(xscale="log", yscale="log", xlabel=f"distance of {words} / zoo's own")
            axis.set_title(f"{system} (zoo {zoo})")
            axis.set_ylabel("error of vector field")
        note(axes[2 * row], f"{(chosen['set'] == 'generated').sum()} generated; large: medians")
    outside_legend(axes[-1])
    return figure
