"""Figures of fixed points, unobserved nodes, noise, the conjecture, warnings and claims."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.figures.bands import (
    baselines,
    bootstrapped,
    by_method,
    name_baselines,
    what_bands_show,
)
from nodeflow.figures.style import (
    colours,
    degree_axis,
    line_under,
    note,
    outside_legend,
    panels,
)
from nodeflow.judge.topics import in_words

__all__ = [
    "draw_claims",
    "draw_conjecture",
    "draw_fixed_points",
    "draw_functions",
    "draw_hidden",
    "draw_noise",
    "draw_warning",
]

_VERDICTS = {"confirmed": "#009E73", "open": "#999999", "contradicted": "#D55E00"}
_VERDICT_MARKERS = {"confirmed": "o", "open": "s", "contradicted": "v"}
_VERDICT_WORDS = {"confirmed": "holds", "open": "open", "contradicted": "does not hold"}


def draw_fixed_points(points: pd.DataFrame) -> Figure:
    """Above: rightmost eigenvalues, true against learned. Below: displacement against γ.

    Args:
        points: rows of `COLLECTED_FIXED_POINTS`.
    """
    points, laws = by_method(points)
    systems = list(dict.fromkeys(points["system"]))
    shades = colours(points["trained_gamma"].tolist())
    first = "rightmost_giant_true_"
    ranks = [name.removeprefix(first) for name in points.columns if name.startswith(first)]
    figure, axes = panels(2 * len(systems), columns=len(systems))
    top, bottom = axes[: len(systems)], axes[len(systems) :]
    for axis, below, system in zip(top, bottom, systems, strict=True):
        chosen = points[points["system"] == system]
        good = chosen[chosen["status"] == "ok"]
        law = laws[(laws["system"] == system) & (laws["status"] == "ok")]
        axis.scatter(
            law["rightmost_giant_true"], law["rightmost_giant"], facecolors="none", edgecolors="k",
            marker="s", s=20, lw=0.8, label="law",
        )  # fmt: skip
        for gamma, shade in shades.items():
            rows = good[good["trained_gamma"] == gamma]
            for rank in ranks:
                axis.scatter(
                    rows[f"rightmost_giant_true_{rank}"], rows[f"rightmost_giant_{rank}"],
                    facecolors="none", edgecolors=shade, s=8, lw=0.5,
                )  # fmt: skip
            axis.scatter(
                rows["rightmost_giant_true"], rows["rightmost_giant"], color=shade, s=14,
                label=f"γ = {gamma}",
            )  # fmt: skip
            axis.scatter(
                rows["rightmost_true"], rows["rightmost"], color=shade, s=14, marker="x", lw=0.8
            )
        ends = [*axis.get_xlim(), *axis.get_ylim()]
        low, high = min(ends), max(ends)
        axis.plot([low, high], [low, high], color="0.6", lw=0.8)
        # Far outliers share a logarithmic part; all true eigenvalues stay in the linear one.
        usual = 2.0 * float(good["rightmost_giant_true"].abs().max()) if len(good) else 1.0
        if max(-low, high) > 5.0 * usual:
            axis.set_xscale("symlog", linthresh=usual)
            axis.set_yscale("symlog", linthresh=usual)
        axis.set(xlim=(low, high), ylim=(low, high))
        axis.axhspan(0, max(high, 0), color="#D55E00", alpha=0.08, lw=0)
        axis.set(title=system, xlabel="Re λ, true system", ylabel="Re λ, nODE or law")
        names = ["nODE, all", "nODE, giant", "nODE, hubs", "mean field", "persistence", "law, all"]
        columns = ["mae", "mae_giant", "mae_hubs", "mae_mean_field", "mae_persistence"]
        for column, gamma in enumerate(shades):
            rows = good[good["trained_gamma"] == gamma]
            values = rows[columns].div(rows["size"], axis=0)
            quantiles = values.quantile([0.1, 0.5, 0.9])
            of_gamma = law[law["trained_gamma"] == gamma]
            quantiles["law"] = (of_gamma["mae"] / of_gamma["size"]).quantile([0.1, 0.5, 0.9])
            middle = quantiles.loc[0.5]
            below.errorbar(
                np.arange(len(names)) + 0.2 * (column - (len(shades) - 1) / 2), middle,
                yerr=[middle - quantiles.loc[0.1], quantiles.loc[0.9] - middle], fmt="o", ms=4,
                color=shades[gamma], elinewidth=1,
            )  # fmt: skip
        below.set(yscale="log", ylabel="mean |Δx*| over mean |x*|")
        below.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)
        share = float((chosen["status"] != "ok").mean())
        stable = float((good["rightmost_giant"] < 0).mean()) if len(good) else np.nan
        note(axis, f"{share:.0%} failed, {stable:.0%} stable")
    outside_legend(top[-1])
    count = points.groupby("system").size().min()
    line_under(
        figure,
        f"n ≥ {count} runs a system; above: ● rightmost eigenvalue and ○ the next ones of the "
        "largest component, × of the whole graph; below: medians and 10–90 % of runs",
    )
    return figure


def draw_hidden(hidden: pd.DataFrame) -> Figure:
    """Error against the share of unobserved nodes: in all, and what they add for the model.

    Args:
        hidden: rows of `COLLECTED_HIDDEN`.
    """
    hidden, laws = by_method(hidden.assign(added=hidden["mae"] - hidden["mae_whole"]))
    systems = list(dict.fromkeys(hidden["system"]))
    shades = colours(hidden["trained_gamma"].tolist())
    figure, axes = panels(2 * len(systems), columns=len(systems))
    top, bottom = axes[: len(systems)], axes[len(systems) :]
    for axis, below, system in zip(top, bottom, systems, strict=True):
        chosen = hidden[hidden["system"] == system]
        for gamma, shade in shades.items():
            rows = chosen[chosen["trained_gamma"] == gamma]
            bootstrapped(axis, rows, "share", "mae", shade, f"nODE, γ = {gamma}")
            bootstrapped(below, rows, "share", "added", shade, None)
            for each in (axis, below):
                floor = rows.groupby("share")["mae_floor"].median()
                each.plot(floor.index, floor, color=shade, ls="-.", lw=1)
            whole = rows.groupby("share")["mae_whole"].median()
            axis.plot(whole.index, whole, color=shade, lw=0.6)
            baselines(axis, rows, "share", shade)
            law = laws[(laws["system"] == system) & (laws["trained_gamma"] == gamma)]
            bootstrapped(axis, law, "share", "mae", shade, f"law, γ = {gamma}", marker="s")
        axis.set(xscale="log", yscale="log", title=system, ylabel="node MAE")
        below.set(
            xscale="log", yscale="log", xlabel="share of unobserved nodes",
            ylabel="MAE less that on the whole",
        )  # fmt: skip
    top[-1].plot([], [], color="0.4", ls="-.", lw=1, label="true system, subgraph")
    top[-1].plot([], [], color="0.4", lw=0.6, label="nODE, whole graph")
    name_baselines(top[-1])
    outside_legend(top[-1])
    line_under(figure, what_bands_show(hidden, "share", "trained_gamma"))
    return figure


def draw_noise(noise: pd.DataFrame) -> Figure:
    """Error against the noise of the test: from true states, and from observed ones.

    Args:
        noise: rows of `COLLECTED_NOISE`.
    """
    noise, laws = by_method(noise)
    systems = list(dict.fromkeys(noise["system"]))
    shades = colours(noise["training_noise"].tolist())
    figure, axes = panels(2 * len(systems), columns=len(systems))
    compared = [("mae", axes[: len(systems)]), ("mae_observed", axes[len(systems) :])]
    for (error, row), (place, system) in product(compared, enumerate(systems)):
        axis = row[place]
        chosen = noise[noise["system"] == system]
        for level, shade in shades.items():
            rows = chosen[chosen["training_noise"] == level]
            bootstrapped(axis, rows, "test_noise", error, shade, f"nODE, σ = {level:g}")
            law = laws[(laws["system"] == system) & (laws["training_noise"] == level)]
            bootstrapped(axis, law, "test_noise", error, shade, f"law, σ = {level:g}", marker="s")
        floor = chosen.groupby("test_noise")[f"{error}_floor"].median()
        axis.plot(floor.index, floor, color="0.4", ls="-.", lw=1)
        if error == "mae":
            baselines(axis, chosen, "test_noise", "0.4")
        # A perfect model has no error without noise: the line of the true system leaves the panel.
        axis.set_ylim(bottom=0.3 * float(chosen[error].quantile(0.02)))
        smallest = chosen["test_noise"][chosen["test_noise"] > 0].min()
        axis.set_xscale("symlog", linthresh=float(smallest) if smallest > 0 else 1.0)
        axis.set(yscale="log")
        if error == "mae":
            axis.set(title=system, ylabel="MAE, true states")
        else:
            axis.set(ylabel="MAE, observed states", xlabel="noise of the test, σ")
    last = axes[len(systems) - 1]
    last.plot([], [], color="0.4", ls="-.", lw=1, label="true system, same noise")
    name_baselines(last)
    outside_legend(last)
    line_under(figure, what_bands_show(noise, "test_noise", "training_noise"))
    return figure


def draw_conjecture(errors: pd.DataFrame, size: int) -> Figure:
    """Error and share outside the training range by degree: trained as usual, and up to hubs.

    Args:
        errors: rows of `COLLECTED_ERRORS`. Those of training cells with both variants are drawn,
            on test graphs of the same cell; of these the smallest γ; and its laws.
        size: number of nodes of the test graphs.
    """
    cells = ["trained_beta", "trained_gamma"]
    both = errors.query("variant == 'covering'")[cells].drop_duplicates()
    same_cell = errors.query("beta == trained_beta and gamma == trained_gamma and N == @size")
    errors = same_cell.merge(both)
    errors, laws = by_method(errors[errors["gamma"] == errors["gamma"].min()])
    systems = list(dict.fromkeys(errors["system"]))
    shades = {"plain": "#0072B2", "covering": "#D55E00"}
    names = {"plain": "trained as usual", "covering": "trained up to hub states"}
    figure, axes = panels(2 * len(systems), columns=len(systems))
    top, bottom = axes[: len(systems)], axes[len(systems) :]
    for axis, below, system in zip(top, bottom, systems, strict=True):
        for variant, shade in shades.items():
            rows = errors[(errors["system"] == system) & (errors["variant"] == variant)]
            rows = rows.sort_values("degree")
            axis.fill_between(
                rows["degree"], rows["mae_low"], rows["mae_high"], color=shade, alpha=0.18, lw=0
            )
            axis.plot(rows["degree"], rows["mae"], color=shade, marker="o", ms=3,
                      label=names[variant])  # fmt: skip
            axis.plot(rows["degree"], rows["spread"], color=shade, lw=0.8, ls="-.")
            below.plot(rows["degree"], rows["outside"], color=shade, marker="o", ms=3)
        plain = errors[(errors["system"] == system) & (errors["variant"] == "plain")]
        baselines(axis, plain, "degree", "0.4")
        law = laws[laws["system"] == system].sort_values("degree")
        if len(law):
            axis.plot(law["degree"], law["mae"], color="k", marker="s", ms=3, label="law, as usual")
        axis.set(yscale="log", title=system, ylabel="node MAE")
        for each in (axis, below):
            degree_axis(each, errors[errors["system"] == system]["degree"])
        below.set(ylim=(-0.03, 1.03), xlabel="degree k", ylabel="outside training range")
    top[-1].plot([], [], color="0.4", ls="-.", lw=0.8, label="spread of the models")
    name_baselines(top[-1])
    outside_legend(top[-1])
    line_under(figure, f"N = {size}, γ = {errors['gamma'].min()}; medians and 10–90 % of nodes")
    return figure


def draw_functions(functions: pd.DataFrame) -> Figure:
    """Learned over true f and h_ego(x) h_alt(x), inside and beyond the training range.

    The mean field has the true functions (it errs in who interacts); to persistence all are zero.

    Args:
        functions: rows of `COLLECTED_FUNCTIONS`; the smallest γ is drawn.
    """
    functions, _ = by_method(functions)
    functions = functions[functions["trained_gamma"] == functions["trained_gamma"].min()]
    systems = list(dict.fromkeys(functions["system"]))
    kinds = {"f": "f(x)", "product": "h_ego(x) h_alt(x)"}
    figure, axes = panels(2 * len(systems), columns=len(systems))
    for row, (kind, name) in enumerate(kinds.items()):
        for axis, system in zip(axes[row * len(systems) :], systems, strict=False):
            chosen = functions[(functions["system"] == system) & (functions["function"] == kind)]
            for number, rows in chosen.groupby("replicate"):
                axis.plot(rows["x"], rows["learned"], color="#D55E00", lw=1,
                          label="nODEs" if number == 0 else None)  # fmt: skip
                axis.plot(rows["x"], rows["true"], color="k", lw=1, ls="--",
                          label="true, and mean field" if number == 0 else None)  # fmt: skip
            axis.axhline(0, color="0.4", lw=1, ls=":", label="persistence")
            high = chosen[chosen["inside"]]["x"].max()
            axis.axvspan(high, chosen["x"].max(), color="0.9", lw=0, zorder=0)
            axis.set(title=system if row == 0 else "", xlabel="state x", ylabel=name)
    outside_legend(axes[len(systems) - 1])
    count = functions.groupby("system")["replicate"].nunique().max()
    line_under(
        figure, f"{count} neural ODEs (nODEs) of each system; grey: states never seen in training"
    )
    return figure


def draw_warning(curves: pd.DataFrame, areas: pd.DataFrame) -> Figure:
    """Receiver curves: badly predicted nodes found against false alarms, one colour a signal.

    Args:
        curves: rows of `CURVES`; the smallest γ is drawn.
        areas: rows of `AREAS`.
    """
    gamma = curves["trained_gamma"].min()
    curves, areas = (x[x["trained_gamma"] == gamma] for x in (curves, areas))
    systems = list(dict.fromkeys(curves["system"]))
    shades = {
        "spread": "#D55E00", "outside": "#0072B2", "degree": "#009E73", "change": "#000000",
        "apart": "#999999",
    }  # fmt: skip
    names = {
        "spread": "spread of models", "outside": "outside the range", "degree": "degree",
        "change": "distance from persistence", "apart": "distance from mean field",
    }  # fmt: skip
    styles = {"change": ":", "apart": "--"}
    figure, axes = panels(len(systems))
    for axis, system in zip(axes, systems, strict=True):
        text = []
        mine = areas[areas["system"] == system]
        for signal, shade in shades.items():
            rows = curves[(curves["system"] == system) & (curves["signal"] == signal)]
            axis.plot(
                rows["false_alarms"], rows["found"], styles.get(signal, "-"), color=shade,
                label=names[signal],
            )  # fmt: skip
            each = mine[(mine["signal"] == signal) & (mine["graph"] >= 0)]["area"]
            text.append(f"{signal} {each.median():.2f}")
        axis.axline((0, 0), slope=1, color="0.6", lw=0.8, label="chance")
        share = mine[mine["graph"] == -1]["bad"].iloc[0]
        axis.set(title=system, xlabel="false alarms", ylabel="bad nodes found")
        lines = [", ".join(text[k : k + 2]) for k in range(0, len(text), 2)]
        note(axis, f"γ = {gamma}, {share:.0%} of nodes bad\narea: " + "\n".join(lines))
    outside_legend(axes[-1])
    return figure


def draw_claims(claims: pd.DataFrame) -> Figure:
    """A table: rows are claims by question, columns systems, marks and words say what holds.

    A mark stands for each statistic of a claim, in their order, with the number where there is one.

    Args:
        claims: rows of `CLAIMS`.
    """
    claims = claims.dropna(subset=["value"])
    systems = [name for name in dict.fromkeys(claims["system"]) if name != "all"]
    told = in_words(claims)
    # In inches: columns at fixed places, which no layout has to find.
    left, step = 4.3, 0.62
    right = left + step * len(systems) + 0.1
    wide, high = right + 2.6, 0.2 * len(told) + 0.28 * told["topic"].nunique() + 1.0
    figure, (axis,) = panels(1, width=wide, height=high)
    figure.set_layout_engine(None)
    axis.set_position((0, 0, 1, 1))
    axis.set_axis_off()
    axis.set(xlim=(0, wide), ylim=(high, 0))
    for row, system in enumerate(systems):
        axis.text(left + step * (row + 0.5), 0.2, system, weight="bold", ha="center")
    axis.text(right, 0.2, "holds for", weight="bold")
    y = 0.2
    for topic, of_topic in told.groupby("topic", sort=False):
        y += 0.28
        axis.text(0.1, y, str(topic), weight="bold")
        for claim, holds in zip(of_topic["claim"], of_topic["holds"], strict=True):
            y += 0.2
            axis.plot([0.1, wide - 0.1], [y + 0.06] * 2, color="0.9", lw=0.6, zorder=0)
            axis.text(0.2, y, claim, fontsize=7.5)
            axis.text(right, y, _brief(holds), fontsize=7.5)
            rows = claims[claims["claim"] == claim]
            for system, mine in rows.groupby("system", sort=False):
                middle = len(systems) / 2 if system == "all" else systems.index(str(system)) + 0.5
                _verdicts(axis, mine, left + step * middle, y - 0.04)
    for row, (verdict, shade) in enumerate(_VERDICTS.items()):
        count = int((claims["verdict"] == verdict).sum())
        at = 0.2 + 1.5 * row
        axis.plot(at, y + 0.32, _VERDICT_MARKERS[verdict], color=shade, ms=4.5)
        axis.text(at + 0.1, y + 0.36, f"{_VERDICT_WORDS[verdict]} ({count})", fontsize=7.5)
    said = "a mark: one statistic, with its number where a claim has one alone"
    axis.text(0.2 + 1.5 * len(_VERDICTS), y + 0.36, said, fontsize=7, color="0.35")
    return figure


def _brief(holds: str) -> str:
    """For which systems a claim holds; which of many statistics of it do is for the table."""
    in_part = re.findall(r"(\w+) \([^()]{16,}\)(?:, )?", holds)
    rest = re.sub(r"\w+ \([^()]{16,}\)(?:, )?", "", holds).removesuffix(", ")
    return "; ".join(filter(None, (rest, f"in part {', '.join(in_part)}" if in_part else "")))


def _verdicts(axis: Axes, rows: pd.DataFrame, x: float, y: float) -> None:
    """The marks of one claim and system, side by side."""
    single = len(rows) == 1
    width = min(0.11, 0.48 / len(rows))  # of a column of 0.62 inches
    size = 4.5 if len(rows) <= 4 else 3.0
    first = x - 0.2 if single else x - width * (len(rows) - 1) / 2
    for k, (verdict, value) in enumerate(zip(rows["verdict"], rows["value"], strict=True)):
        axis.plot(
            first + width * k, y, _VERDICT_MARKERS[verdict], color=_VERDICTS[verdict], ms=size
        )
        if single:
            number = float(f"{value:.2g}")
            axis.text(first + 0.1, y + 0.04, f"{number:,g}", fontsize=6.5)
