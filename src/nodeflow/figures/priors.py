"""Figures of priors: few frames, sizes, functions, families, alarms, novelty, claims."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

from nodeflow.figures.style import note, outside_legend, panels

__all__ = [
    "draw_prior_alarm",
    "draw_prior_claims",
    "draw_prior_families",
    "draw_prior_frames",
    "draw_prior_functions",
    "draw_prior_novelty",
    "draw_prior_sizes",
]

_COLOURS = {
    "zoo": "#D55E00",
    "generated": "#D55E00",
    "network": "#E69F00",
    "posterior": "#E69F00",
    "smooth prior": "#CC79A7",
    "no prior": "#56B4E9",
    "true form": "#009E73",
    "law": "#882255",
    "full data": "#000000",
    "trained": "#000000",
    "nearest member": "#0072B2",
    "mean of the zoo": "#999999",
    "flow over codes": "#AA4499",
    "flow over weights": "#332288",
    "flow over weights, raw": "#88CCEE",
    "flow over weights, one start": "#44AA99",
    "noise matched": "#999999",
}
_VERDICTS = {"confirmed": "#009E73", "open": "#E69F00", "contradicted": "#D55E00"}
_SHOWN = (1e-3, 1e3)
"""Numbers over their bounds that claims are drawn within."""

_FEW = ("zoo", "network", "smooth prior", "no prior", "true form", "law")


def _errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose failed runs are infinitely wrong."""
    return rows.assign(relative=rows["relative"].mask(rows["status"] != "ok", np.inf))


def _lines(axis: Axes, rows: pd.DataFrame, by: str, methods: list[str]) -> None:
    """Median of the relative error at each value, with quartiles."""
    for name in methods:
        own = rows[rows["method"] == name]
        if own.empty:
            continue
        quartiles = (
            own.groupby(by)["relative"]
            .quantile(np.array([0.25, 0.5, 0.75]), interpolation="nearest")
            .unstack()
        )
        shown = quartiles.where(np.isfinite(quartiles))
        colour = _COLOURS[name]
        axis.plot(shown.index, shown[0.5], color=colour, marker="o", ms=3, lw=1.2, label=name)
        axis.vlines(shown.index, shown[0.25], shown[0.75], color=colour, lw=0.8, alpha=0.6)


def _few_ticks(axis: Axes) -> None:
    """Three round numbers on each logarithmic axis, whose own run into each other on short ones."""
    for side, (low, high) in ((axis.xaxis, axis.get_xlim()), (axis.yaxis, axis.get_ylim())):
        places = low * (high / low) ** np.array([0.1, 0.5, 0.9])
        side.set_ticks(list(dict.fromkeys(float(f"{x:.1g}") for x in places)))
        side.set_major_formatter(StrMethodFormatter("{x:g}"))
        side.set_minor_formatter(NullFormatter())


def _labelled(axis: Axes, values: Iterable[int]) -> None:
    """A logarithmic axis with labels where there are points, and nowhere else."""
    shown = sorted({int(x) for x in values})
    axis.set_xticks(shown, [f"{x:,}" for x in shown])
    axis.xaxis.set_minor_locator(NullLocator())


def draw_prior_frames(runs: pd.DataFrame, size: int, gamma: float) -> Figure:
    """Error against the number of frames, a row for each family, a panel for each noise.

    Args:
        runs: `COLLECTED_RUNS`.
        size: number of nodes of the test graphs.
        gamma: their degree exponent.
    """
    runs = _errors(runs[(runs["N"] == size) & (runs["gamma"] == gamma)])
    runs = runs[runs["where"] == "inside"]
    families, noises = (
        list(dict.fromkeys(runs["family"])),
        sorted(runs.loc[runs["method"] == "zoo", "noise"].unique()),
    )
    figure, axes = panels(len(families) * len(noises), columns=len(noises), width=3.2)
    for place, family in enumerate(families):
        mine = runs[runs["family"] == family]
        for k, noise in enumerate(noises):
            axis = axes[place * len(noises) + k]
            few = mine[(mine["noise"] == noise) & (mine["frames"] > 0)]
            _lines(axis, few[few["method"] != "full data"], "frames", list(_FEW))
            for name in ("generated", "full data"):
                level = mine.loc[mine["method"] == name, "relative"].median()
                if np.isfinite(level):
                    axis.axhline(level, color=_COLOURS[name], ls=":", lw=1, label=name)
            axis.set(xscale="log", yscale="log", xlabel="frames", ylabel="relative error")
            _labelled(axis, few["frames"])
            axis.set_title(f"{family}, noise {noise:.0%}")
            note(axis, f"{mine['trial'].nunique()} systems; median, quartiles")
    outside_legend(axes[len(noises) - 1])
    return figure


def draw_prior_sizes(runs: pd.DataFrame, studied: int) -> Figure:
    """Error against size: coefficients alone, and few clean frames; a panel for each family and γ.

    Args:
        runs: `COLLECTED_RUNS`.
        studied: frames.
    """
    runs = _errors(runs[(runs["where"] == "inside") & (runs["noise"] == 0.0)])
    zero = ["generated", "network", "nearest member", "mean of the zoo", "flow over codes",
            "flow over weights", "flow over weights, one start", "full data"]  # fmt: skip
    families, gammas = list(dict.fromkeys(runs["family"])), sorted(runs["gamma"].unique())
    figure, axes = panels(len(families) * len(gammas), columns=len(gammas), width=3.2)
    for place, family in enumerate(families):
        for k, gamma in enumerate(gammas):
            axis = axes[place * len(gammas) + k]
            here = runs[(runs["family"] == family) & (runs["gamma"] == gamma)]
            alone = here[(here["frames"] == 0) | (here["method"] == "full data")]
            _lines(axis, alone, "N", zero)
            few = here[(here["frames"] == studied) & (here["method"] == "zoo")]
            levels = few.groupby("N")["relative"].median()
            axis.plot(levels.index, levels, color=_COLOURS["zoo"], ls="--", marker="s", ms=3,
                      label=f"zoo and {studied} frames")  # fmt: skip
            axis.set(xscale="log", yscale="log", xlabel="N", ylabel="relative error")
            _labelled(axis, here["N"])
            axis.set_title(f"{family}, γ = {gamma:g}")
            failed = (here["status"] != "ok").mean()
            note(axis, f"{here['trial'].nunique()} systems; quartiles; {failed:.1%} failed")
    outside_legend(axes[len(gammas) - 1])
    return figure


def draw_prior_functions(functions: pd.DataFrame) -> Figure:
    """The three functions of one test system of each family as fans over the true ones.

    Args:
        functions: `COLLECTED_FUNCTIONS`.
    """
    noise = functions["noise"].max()
    kept = functions[(functions["frames"] == 0) | (functions["noise"] == noise)]
    families = list(dict.fromkeys(kept["family"]))
    figure, axes = panels(3 * len(families), columns=3, width=2.9)
    for place, family in enumerate(families):
        for k, net in enumerate(("f", "h_ego", "h_alt")):
            axis = axes[3 * place + k]
            here = kept[(kept["family"] == family) & (kept["function"] == net)]
            for method, own in here.groupby("method", sort=False):
                colour = {"zoo": _COLOURS["zoo"]}.get(str(method), "#0072B2")
                frames = int(own["frames"].iloc[0])
                label = f"{frames} frames, noise {noise:.0%}" if frames else "coefficients alone"
                axis.fill_between(own["state"], own["low"], own["high"], color=colour, alpha=0.3)
                axis.plot(own["state"], own["middle"], color=colour, lw=1, label=label)
            true = here.drop_duplicates("state")
            axis.plot(true["state"], true["true"], color="black", ls="--", lw=1, label="true")
            axis.set(xlabel="state", title=f"{family}, {net}")
            note(axis, "one system; 5–95 % of draws")
    outside_legend(axes[2])
    return figure


def draw_prior_families(fits: pd.DataFrame) -> Figure:
    """Weight of each family for the frames of test systems of each, a panel for frames and noise.

    Args:
        fits: `COLLECTED_FITS`.
    """
    compared = fits.dropna(subset=["weight"])
    kinds = compared[["frames", "noise"]].drop_duplicates()
    pairs = [(int(x), float(y)) for x, y in kinds.itertuples(index=False)]
    figure, axes = panels(max(len(pairs), 1), columns=2, width=3.4)
    for axis, (frames, noise) in zip(axes, pairs, strict=False):
        here = compared[(compared["frames"] == frames) & (compared["noise"] == noise)]
        means = here.pivot_table(index="family", columns="candidate", values="weight", sort=False)
        axis.imshow(means.to_numpy(), vmin=0, vmax=1, cmap="cividis", aspect="auto")
        for i, row in enumerate(means.to_numpy()):
            for j, weight in enumerate(row):
                colour = "white" if weight < 0.5 else "black"
                axis.text(j, i, f"{weight:.2f}", ha="center", va="center", fontsize=7, color=colour)
        axis.set_xticks(range(means.shape[1]), means.columns)
        axis.set_yticks(range(means.shape[0]), means.index)
        axis.set(xlabel="prior", ylabel="test systems", title=f"{frames} frames, noise {noise:.0%}")
        axis.grid(False)
    return figure


def draw_prior_alarm(fits: pd.DataFrame) -> Figure:
    """Noise that was found against the error: right family, best wrong one, strangers.

    Args:
        fits: `COLLECTED_FITS`.
    """
    noises = sorted(fits["noise"].unique())
    figure, axes = panels(len(noises), columns=len(noises), width=3.4)
    keys = ["family", "where", "trial", "frames"]
    for axis, noise in zip(axes, noises, strict=True):
        here = fits[fits["noise"] == noise]
        right = here[here["candidate"] == here["family"]]
        others = here[(here["candidate"] != here["family"])].sort_values("evidence")
        wrong = others.groupby(keys, as_index=False).last()
        for name, rows, colour in (
            ("right family", right, "#0072B2"),
            ("family left out", wrong[wrong["where"] == "inside"], "#D55E00"),
            ("stranger", wrong[wrong["where"] == "stranger"], "#CC79A7"),
        ):
            for alarm, marker in ((False, "o"), (True, "x")):
                some = rows[rows["alarm"].astype(bool) == alarm]
                label = f"{name}, {'alarm' if alarm else 'no alarm'}"
                axis.plot(some["noise_found"], some["error"], ls="", marker=marker, ms=4,
                          color=colour, alpha=0.7, label=label)  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="noise found, over the states",
                 ylabel="relative error", title=f"noise {noise:.0%}")  # fmt: skip
        _few_ticks(axis)
        note(axis, f"{len(right)} right, {len(wrong)} other")
    outside_legend(axes[-1])
    return figure


def draw_prior_novelty(panel: pd.DataFrame) -> Figure:
    """Error of the vector field against the distance to the nearest member in weights.

    Args:
        panel: `COLLECTED_PANEL`.
    """
    families = list(dict.fromkeys(panel["family"]))
    figure, axes = panels(len(families), columns=min(len(families), 3), width=3.8)
    for axis, family in zip(axes, families, strict=True):
        mine = panel[panel["family"] == family]
        for name, rows in mine.groupby("set", sort=False):
            colour = "#BBBBBB" if name == "zoo" else _COLOURS.get(str(name), "#000000")
            axis.plot(rows["nearest"], rows["error"], ls="", marker="o", ms=3, alpha=0.7,
                      color=colour, label=str(name))  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="distance to the nearest member",
                 ylabel="error of the field", title=family)  # fmt: skip
        _few_ticks(axis)
        replicas = (mine.loc[mine["set"].isin(["generated", "posterior"]), "ratio"] < 1 / 3).mean()
        note(axis, f"{replicas:.0%} of generated ones are replicas")
    outside_legend(axes[min(len(families), 3) - 1])
    return figure


def draw_prior_claims(claims: pd.DataFrame) -> Figure:
    """Each claim's number over its bound, with its interval, a panel for each family.

    Args:
        claims: `PRIOR_CLAIMS`.
    """
    shown = claims[claims["bound"] > 0]
    shown = shown.assign(
        text=shown["claim"] + "; " + shown["statistic"] + ", "
        + shown["wanted"] + " " + shown["bound"].map("{:g}".format)
    )  # fmt: skip
    families, texts = (list(dict.fromkeys(shown[x])) for x in ("family", "text"))
    height = max(2.0, 0.19 * len(texts))
    count = max(len(families), 1)
    width = 2.0 + 7.0 / count  # beside the panels the texts need room
    figure, axes = panels(count, columns=count, width=width, height=height)
    for axis, family in zip(axes, families, strict=False):
        for row in shown[shown["family"] == family].itertuples():
            ratio, low, high = (
                float(str(x)) / float(str(row.bound)) for x in (row.value, row.low, row.high)
            )
            place, colour = texts.index(str(row.text)), _VERDICTS[str(row.verdict)]
            ends = np.clip([low, high], *_SHOWN)
            axis.plot(ends, [place, place], color=colour, lw=1.5)
            axis.plot(np.clip(ratio, *_SHOWN), place, marker="o", ms=3, color=colour)
        axis.axvline(1.0, color="black", lw=0.8)
        axis.set_yticks(range(len(texts)), texts if axis is axes[0] else [], fontsize=6.5)
        axis.set(xscale="log", xlabel="number / bound", xlim=_SHOWN, title=family)
        axis.set_xticks([1e-2, 1.0, 1e2], ["0.01", "1", "100"])
        axis.set_ylim(len(texts) - 0.5, -0.5)
        axis.xaxis.set_minor_locator(NullLocator())
        axis.grid(axis="y", lw=0.3, color="0.9")
    for name, colour in _VERDICTS.items():
        axes[-1].plot([], [], color=colour, marker="o", ms=3, label=name)
    note(axes[0], "95 % over test systems")
    outside_legend(axes[-1])
    return figure
