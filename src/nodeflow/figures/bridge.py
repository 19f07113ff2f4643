"""Figures of generated neural ODEs: experiments, functions, ensembles, novelty, answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from nodeflow.figures.bands import by_method
from nodeflow.figures.style import degree_axis, note, outside_legend, panels, set_colours

__all__ = [
    "draw_bridge_ensembles",
    "draw_bridge_errors",
    "draw_bridge_functions",
    "draw_bridge_novelty",
    "draw_bridge_questions",
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
_PLACES = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"]
_NAMES = {
    "held-out": "trained, held out",
    "weight flow": "flow over weights",
    "full size": "trained, three layers of 64",
}


def _zoos(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Zoo and system of each panel, in the order of the table."""
    pairs = table[["zoo", "system"]].drop_duplicates()
    return [(str(zoo), str(system)) for zoo, system in pairs.itertuples(index=False)]


def draw_bridge_errors(
    runs: pd.DataFrame, unobserved: pd.DataFrame, fixed_points: pd.DataFrame, tests: pd.DataFrame
) -> Figure:
    """The experiments on every set, three panels a zoo and system.

    Errors on every test cell; errors with unobserved nodes, also of the true system; distances of
    the fixed points from the true ones. The last two over all β and γ that were learned.

    Args:
        runs: columns of `BRIDGE_RUNS`.
        unobserved: columns of `BRIDGE_UNOBSERVED`.
        fixed_points: columns of `BRIDGE_FIXED_POINTS`.
        tests: those of the neural ODEs of full size, columns system, variant, trained_beta,
            trained_gamma, beta, gamma, N, status, mae; the plain ones are drawn.
    """
    keys = ["system", "trained_beta", "trained_gamma", "N", "beta", "gamma"]
    where = runs[["zoo", *keys]].drop_duplicates()
    full = by_method(tests.query("variant == 'plain'"))[0]
    beside = full[[*keys, "status", "mae"]].merge(where, on=keys).assign(set="full size")
    table = pd.concat([runs, beside], ignore_index=True)
    groups = _zoos(runs)
    most = max(len(_cells(of_system)) for _, of_system in runs.groupby(["zoo", "system"]))
    wide = 1.5 + 0.65 * most
    figure, axes = panels(
        3 * len(groups), columns=3, width=(wide + 5.8) / 3, height=3.1, widths=[wide, 2.8, 3.0]
    )
    shown: list[str] = []
    for row, (zoo, system) in enumerate(groups):
        both, without, settled = (
            x[(x["zoo"] == zoo) & (x["system"] == system)]
            for x in (table, unobserved, fixed_points)
        )
        errors, hidden, points = axes[3 * row : 3 * row + 3]
        sets = [name for name in dict.fromkeys(both["set"]) if name in _COLOURS]
        shown += [name for name in sets if name not in shown]
        _errors_by_cell(errors, both, sets)
        errors.set_title(f"{system} (zoo {zoo})")
        failed = (both["status"] != "ok").mean()
        count = both.groupby(["set", "N", "beta", "gamma", "trained_gamma"])["mae"].size().min()
        note(errors, f"n ≥ {count} runs per bar, 10–90 %; failed integrations {failed:.1%}")
        _errors_without(hidden, without[~without["unseen"]], sets)
        _distances(points, settled[~settled["unseen"]], sets)
    for name in shown:
        axes[2].plot([], [], color=_COLOURS[name], marker="o", ms=4, label=_NAMES.get(name, name))
    axes[2].plot([], [], color="black", ls="--", marker="_", label="true system")
    outside_legend(axes[2])
    return figure


def _errors_by_cell(axis: Axes, table: pd.DataFrame, sets: list[str]) -> None:
    """Errors of every set on every test cell."""
    columns = _cells(table)
    for place, column in enumerate(columns):
        here = table[(table[_CELL] == list(column)).all(axis=1) & (table["status"] == "ok")]
        _bars(axis, place, {name: here.loc[here["set"] == name, "mae"] for name in sets})
    never = table[table["unseen"].eq(True)]
    unseen = set(_cells(never)) if len(never) else set()
    labels = [_cell_label(column, column in unseen) for column in columns]
    axis.set_xticks(range(len(columns)), labels, fontsize=6.5)
    axis.set(yscale="log", ylabel="node MAE")


def _bars(axis: Axes, place: float, errors: dict[str, pd.Series]) -> None:
    """Median and deciles of every set side by side at one place."""
    for number, (name, values) in enumerate(errors.items()):
        if values.empty:
            continue
        low, middle, high = values.quantile([0.1, 0.5, 0.9])
        x = place + 0.7 * ((number + 0.5) / len(errors) - 0.5)
        axis.plot([x, x], [low, high], color=_COLOURS[name], lw=1.2)
        axis.plot([x], [middle], color=_COLOURS[name], marker="o", ms=4)


def _errors_without(axis: Axes, table: pd.DataFrame, sets: list[str]) -> None:
    """Errors at the nodes that are left, by the share of nodes that are not observed."""
    shares = sorted(table["share"].unique())
    drawn = [name for name in sets if (table["set"] == name).any()]
    for place, share in enumerate(shares):
        here = table[(table["share"] == share) & table["mae"].notna()]
        _bars(axis, place, {name: here.loc[here["set"] == name, "mae"] for name in drawn})
        true = here.loc[here["set"] == "true system", "mae"].median()
        axis.plot([place - 0.4, place + 0.4], [true, true], color="black", ls="--", lw=1)
    axis.set_xticks(range(len(shares)), [f"{share:.0%}" for share in shares])
    axis.set(yscale="log", xlabel="nodes unobserved", ylabel="MAE at the other nodes")
    axis.set_title(f"unobserved nodes, N = {_sizes(table)}")
    note(axis, "median, 10–90 % of nODEs that do not fail")


def _distances(axis: Axes, table: pd.DataFrame, sets: list[str]) -> None:
    """Distances of fixed points from the true ones; filled where they are stable."""
    drawn = [name for name in sets if (table["set"] == name).any()]
    labels = []
    for place, name in enumerate(drawn):
        own = table[table["set"] == name]
        found = own[own["status"] == "ok"]
        x = place + np.linspace(-0.25, 0.25, len(found) + 2)[1:-1]
        y = found["displacement"] / found["scale"]
        stable = (found["stable"] == 1).to_numpy()
        axis.scatter(x[stable], y[stable], s=16, color=_COLOURS[name])
        axis.scatter(
            x[~stable], y[~stable], s=16, facecolor="white", edgecolor=_COLOURS[name], lw=1
        )
        labels.append(f"{len(found)}/{len(own)}")
    axis.set_xticks(range(len(drawn)), labels, fontsize=7.5)
    axis.set(yscale="log", xlabel="found / sought", ylabel="mean distance / mean state")
    axis.set_title(f"fixed points, N = {_sizes(table)}")
    note(axis, "a disc a nODE; open: not stable")


def _sizes(table: pd.DataFrame) -> str:
    return ", ".join(f"{int(N)}" for N in sorted(table["N"].unique()))


_CELL = ["trained_gamma", "trained_beta", "gamma", "beta", "N"]


def _cells(table: pd.DataFrame) -> list[tuple[float, ...]]:
    """The pairs of a training and a test cell of a table, sorted."""
    return sorted(table[_CELL].drop_duplicates().itertuples(index=False, name=None))


def _cell_label(column: tuple[float, ...], unseen: bool) -> str:
    trained_gamma, trained_beta, gamma, beta, size = column
    text = f"N={int(size)}\nβ={beta:g}\nγ={gamma:g}"
    if (trained_gamma, trained_beta) != (gamma, beta):
        text += "\n(other)"
    return text + "\n(unseen)" * unseen


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


def draw_bridge_questions(questions: pd.DataFrame) -> Figure:
    """The answers with their intervals: a row of panels a question, a panel a size.

    Where a zoo has several β and γ, their mean.

    Args:
        questions: columns of `BRIDGE_QUESTIONS`.
    """
    keys = ["zoo", "system", "question", "statistic", "N", "unseen"]
    table = questions[questions["cells"] == questions.groupby(keys)["cells"].transform("max")]
    new = table["unseen"] & table["beta"].notna() & ~table["statistic"].str.contains("other")
    table = table.assign(label=table["statistic"] + np.where(new, ", unseen β and γ", ""))
    groups = _zoos(table)
    asked = list(dict.fromkeys(table["question"]))
    labels = {q: list(dict.fromkeys(table.loc[table["question"] == q, "label"])) for q in asked}
    columns = max(table.loc[table["question"] == q, "N"].nunique() for q in asked)
    step = 0.16 + 0.1 * len(groups)
    heights = [0.9 + step * len(labels[q]) for q in asked]
    figure, axes = panels(
        columns * len(asked), columns=columns, width=2.6 + 2.6 / columns,
        height=float(np.mean(heights)), heights=heights,
    )  # fmt: skip
    colours = {place: _PLACES[number % len(_PLACES)] for number, place in enumerate(groups)}
    for row, question in enumerate(asked):
        here = table[table["question"] == question]
        sizes = sorted(here["N"].unique())
        of_row = axes[columns * row : columns * (row + 1)]
        for axis in of_row[len(sizes) :]:
            axis.set_visible(False)
        for axis, N in zip(of_row, sizes, strict=False):
            _answers(axis, here[here["N"] == N], labels[question], colours)
            axis.set_title(f"\nN = {N}")
            axis.tick_params(axis="y", labelleft=axis is of_row[0])
        # Over the whole row: a title of one panel would push the others aside.
        of_row[0].annotate(
            question, (0.0, 1.0), (0, 20), xycoords="axes fraction", textcoords="offset points",
            fontsize=9.5, fontweight="bold",
        ).set_in_layout(False)  # fmt: skip
    for (zoo, system), colour in colours.items():
        axes[0].plot([], [], color=colour, marker="o", ms=4, label=f"{system} (zoo {zoo})")
    for marker, words in (("o", "yes or no"), ("", "open"), ("x", "not answerable")):
        face = "black" if marker == "o" else "white"
        axes[0].plot([], [], color="0.3", lw=0, marker=marker or "o", ms=4.5, mfc=face, label=words)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(groups) + 3,
    )  # fmt: skip
    return figure


def _answers(
    axis: Axes,
    table: pd.DataFrame,
    labels: list[str],
    colours: Mapping[tuple[str, str], str],
) -> None:
    """Estimates and intervals of one question at one size; arrows lead out of the panel."""
    difference = bool((table["no_difference"] == 0).all())
    ends = table[["estimate", "low", "high"]].to_numpy().ravel()
    ends = ends[np.isfinite(ends) & ((ends > 0) | difference)]
    limit = float(table["no_difference"].iloc[0])
    first, last = min([limit, *ends]), max([limit, *ends])
    if difference:
        edge = 0.08 * max(last - first, 0.1)
        first, last = first - edge, last + edge
    else:
        axis.set_xscale("log")
        edge = max((last / first) ** 0.08, 1.1)
        first, last = first / edge, last * edge
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if last < 100 * first else (1,)))
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.tick_params(axis="x", labelsize=7)
    axis.set(xlim=(first, last), ylim=(len(labels) - 0.4, -0.6))
    axis.axvline(limit, color="0.6", lw=0.8, ls=":")
    systems = list(colours)
    for x in table.to_dict("records"):
        place = systems.index((x["zoo"], x["system"]))
        y = labels.index(x["label"]) + 0.7 * ((place + 0.5) / len(systems) - 0.5)
        colour = colours[systems[place]]
        low, middle, high = (
            float(np.clip(np.nan_to_num(x[name], nan=limit, posinf=last), first, last))
            for name in ("low", "estimate", "high")
        )
        axis.plot([low, high], [y, y], color=colour, lw=1.1)
        if x["low"] <= first:
            axis.plot([first], [y], color=colour, marker="<", ms=4, clip_on=False)
        if x["high"] >= last:
            axis.plot([last], [y], color=colour, marker=">", ms=4, clip_on=False)
        decided = x["answer"] in ("yes", "no")
        marker = "x" if x["answer"] == "not answerable" else "o"
        axis.plot(
            [middle], [y], color=colour, marker=marker, ms=4.5, mfc=colour if decided else "white"
        )
    axis.set_yticks(range(len(labels)), labels, fontsize=7)
    axis.set_xlabel("difference" if difference else "ratio", fontsize=8)
