"""Figures of a network and series of the user's own: what was observed, and how it is forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from nodeflow.figures.style import colours, degree_axis, note, outside_legend, panels
from nodeflow.graphs.bins import degree_bins

__all__ = [
    "best_baseline",
    "draw_own_errors",
    "draw_own_flags",
    "draw_own_forecasts",
    "draw_own_functions",
    "draw_own_series",
]

_BINS = 24
"""Bins of time in which values of runs with different times are put together."""

_RUNS = 3
"""Runs that forecasts are drawn of."""

_LETTERS = 24
"""Letters of names of runs that have room beside each other."""

_METHODS = {
    "ensemble": ("ensemble", "#D55E00", "-"),
    "persistence": ("standing still", "#000000", ":"),
    "mean_field": ("mean field", "#999999", "--"),
    "network_autoregression": ("network autoregression", "#0072B2", "-."),
    "autoregression": ("each node's autoregression", "#009E73", (0, (3, 1, 1, 1, 1, 1))),
}
"""Name, colour and style of the ensemble and of each baseline."""

_FUNCTIONS = {
    "f": "f(x): what a node does by itself",
    "h_ego": "h_ego(x)",
    "h_alt": "h_alt(x)",
    "product": "h_ego(x) h_alt(x)",
}


def draw_own_series(series: pd.DataFrame, nodes: pd.DataFrame) -> Figure:
    """What was observed: values by degree over time and on average, degrees, and missing values.

    Args:
        series: rows of `nodeflow.data.tables.OBSERVATIONS`.
        nodes: rows of `nodeflow.data.tables.NODES`.
    """
    figure, (over_time, by_degree, degrees, missing) = panels(4, columns=4, width=3.2, height=2.7)
    _draw_over_time(over_time, series)
    seen = nodes[nodes["values"] > 0]
    shades = colours(degree_bins(nodes["degree"]).tolist())
    ends = [seen["mean"] - seen["low"], seen["high"] - seen["mean"]]
    by_degree.errorbar(
        seen["degree"], seen["mean"], yerr=ends, fmt="none", ecolor="0.85", lw=0.8, zorder=1
    )
    by_degree.scatter(
        seen["degree"], seen["mean"], s=9, zorder=2,
        c=[shades[x] for x in degree_bins(seen["degree"]).tolist()],
    )  # fmt: skip
    degree_axis(by_degree, nodes["degree"])
    by_degree.set(title="by degree", xlabel="degree k", ylabel="value")
    note(by_degree, f"n = {len(seen)} nodes; dots: means, bars: smallest to largest value")
    values, counts = np.unique(nodes["degree"], return_counts=True)
    degrees.plot(values, counts[::-1].cumsum()[::-1] / len(nodes), ".", color="#0072B2", ms=5)
    degree_axis(degrees, nodes["degree"])
    degrees.set(title="degrees", yscale="log", xlabel="degree k", ylabel="P(K ≥ k)")
    note(degrees, f"n = {len(nodes)} nodes")
    _draw_missing(missing, series, nodes)
    return figure


def _draw_over_time(axis: Axes, series: pd.DataFrame) -> None:
    """Median and deciles over nodes and runs, in bins of time, a colour for each bin of degrees."""
    edges = np.linspace(series["time"].min(), series["time"].max(), _BINS + 1)
    bins = np.clip(np.digitize(series["time"], edges) - 1, 0, _BINS - 1)
    groups = degree_bins(series["degree"])
    for degree, shade in colours(groups.tolist()).items():
        chosen = series.assign(bin=bins)[groups == degree].groupby("bin")
        at = chosen["time"].mean()
        low, middle, high = (chosen["value"].quantile(q) for q in (0.1, 0.5, 0.9))
        axis.fill_between(at, low, high, color=shade, alpha=0.15, lw=0)
        axis.plot(at, middle, color=shade, label=f"k ≈ {degree:.3g}")
    axis.set(title="over time", xlabel="time t", ylabel="value")
    axis.legend(title="degree", title_fontsize=7, fontsize=7, ncols=2)
    note(axis, f"runs: {series['run'].nunique()}; median and 10–90 % over nodes and runs")


def _draw_missing(axis: Axes, series: pd.DataFrame, nodes: pd.DataFrame) -> None:
    """Share of the times of each run at which each node has no value; nodes in order of degree."""
    order = nodes.sort_values(["degree", "node"])["node"]
    times = series.groupby("run", sort=False)["time"].nunique()
    counts = series.groupby(["node", "run"], sort=False).size().unstack(fill_value=0)
    share = 1 - counts.reindex(index=order, columns=times.index, fill_value=0) / times
    shown = axis.imshow(
        share.to_numpy(dtype=float), aspect="auto", cmap="cividis", vmin=0,
        vmax=max(0.1, float(share.to_numpy().max())),
        interpolation="none", origin="lower",
    )  # fmt: skip
    axis.figure.colorbar(shown, ax=axis, label="share missing")
    axis.set(title="missing values", ylabel="nodes, by degree", xlabel="run")
    names = [str(run) for run in times.index]
    step = max(1, len(names) // 6)
    places = range(0, len(names), step)
    turned = sum(map(len, names[::step])) > _LETTERS
    axis.set_xticks(
        places, names[::step], rotation=45 if turned else 0, ha="right" if turned else "center"
    )
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    note(axis, f"{float(np.mean(share.to_numpy())):.1%} of all values")


def draw_own_forecasts(forecasts: pd.DataFrame, errors: pd.DataFrame) -> Figure:
    """Forecasts of some nodes with their bands, a column a node and a row a run.

    Nodes are not picked by eye: those of the lowest, the median and the highest degree, and the one
    with the largest error.

    Args:
        forecasts: rows of `nodeflow.data.tables.FORECASTS`.
        errors: rows of `nodeflow.data.tables.ERRORS`.
    """
    chosen = _chosen_nodes(errors)
    runs = list(dict.fromkeys(forecasts["run"]))[:_RUNS]
    best = best_baseline(errors)
    figure, axes = panels(
        len(chosen) * len(runs), columns=len(chosen), width=3.0, height=2.3,
    )  # fmt: skip
    for index, axis in enumerate(axes):
        (why, node), run = chosen[index % len(chosen)], runs[index // len(chosen)]
        rows = forecasts[(forecasts["run"] == run) & (forecasts["node"] == node)]
        _draw_forecast(axis, rows, best)
        degree = int(rows["degree"].iloc[0])
        axis.set(title=f"{node}: {why}", xlabel="time t", ylabel="value")
        note(axis, f"run {run}, degree {degree}")
    outside_legend(axes[len(chosen) - 1])
    return figure


def _draw_forecast(axis: Axes, rows: pd.DataFrame, baseline: str) -> None:
    """One node in one run: bands, mean, best baseline, and what was observed."""
    for number, (_, part) in enumerate(rows.groupby("origin")):
        part = part.sort_values("time")
        for level, alpha in ((90, 0.18), (50, 0.35)):
            axis.fill_between(
                part["time"], part[f"lower_{level}"], part[f"upper_{level}"], color="#D55E00",
                alpha=alpha, lw=0, label=None if number else f"{level} % band",
            )  # fmt: skip
        for method, column in (("ensemble", "mean"), (baseline, baseline)):
            title, colour, style = _METHODS[method]
            axis.plot(
                part["time"], part[column], color=colour, ls=style, lw=1.1,
                label=None if number else title,
            )  # fmt: skip
        flagged = part[~part["trusted"]]
        axis.plot(
            flagged["time"], flagged["mean"], "x", color="#CC79A7", ms=5,
            label=None if number else "not to be trusted",
        )  # fmt: skip
    axis.plot(rows["time"], rows["value"], ".", color="k", ms=3, label="observed")


def draw_own_errors(errors: pd.DataFrame) -> Figure:
    """Error against lead time and degree beside baselines, coverage of the bands, and node by node.

    Args:
        errors: rows of `nodeflow.data.tables.ERRORS`.
    """
    figure, (by_lead, by_degree, coverage, nodes) = panels(4, columns=4, width=3.1, height=2.7)
    for axis, by, label in ((by_lead, "lead", "lead time"), (by_degree, "degree", "degree k")):
        rows = errors[errors["by"] == by]
        for method, (title, colour, style) in _METHODS.items():
            line = rows[rows["method"] == method].sort_values("at")
            if line["mae"].notna().any():
                axis.plot(
                    line["at"], line["mae"], color=colour, ls=style, label=title, marker=".", ms=4
                )
        ensemble = rows[rows["method"] == "ensemble"].sort_values("at")
        axis.fill_between(
            ensemble["at"], ensemble["low"], ensemble["high"], color="#D55E00", alpha=0.15, lw=0
        )
        axis.set(yscale="log", xlabel=label, ylabel="mean absolute error", title=f"error by {by}")
        note(
            axis, f"n ≥ {int(ensemble['values'].min())} values per point; band: 10–90 % of ensemble"
        )
    degree_axis(by_degree, errors[errors["by"] == "degree"]["at"])
    _draw_coverage(coverage, errors)
    _draw_node_by_node(nodes, errors)
    handles, names = by_lead.get_legend_handles_labels()
    nodes.legend(handles, names, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def _draw_coverage(axis: Axes, errors: pd.DataFrame) -> None:
    rows = errors[(errors["by"] == "lead") & (errors["method"] == "ensemble")].sort_values("at")
    for level, colour in ((90, "#D55E00"), (50, "#E69F00")):
        axis.plot(
            rows["at"], rows[f"covered_{level}"], color=colour, marker=".", label=f"{level} % band"
        )
        axis.axhline(level / 100, color=colour, lw=0.8, ls=":")
    axis.set(ylim=(-0.02, 1.05), title="coverage", xlabel="lead time", ylabel="values in the band")
    axis.legend(loc="lower left")
    note(axis, "dotted: what the band should cover")


def _draw_node_by_node(axis: Axes, errors: pd.DataFrame) -> None:
    best = best_baseline(errors)
    rows = errors[errors["by"] == "node"].pivot(index="node", columns="method", values="mae")
    rows = rows.dropna(subset=["ensemble", best])
    ends = [
        float(rows[["ensemble", best]].min().min()),
        float(rows[["ensemble", best]].max().max()),
    ]
    axis.plot(ends, ends, color="0.6", lw=0.8)
    axis.plot(rows[best], rows["ensemble"], ".", color="#0072B2", ms=4)
    axis.set(
        xscale="log", yscale="log", title="node by node", xlabel=f"error of {_METHODS[best][0]}",
        ylabel="error of the ensemble",
    )  # fmt: skip
    for scale in (axis.xaxis, axis.yaxis):  # of less than a decade every digit would be labelled
        scale.set_major_locator(LogLocator(subs=(1, 3)))
        scale.set_minor_formatter(NullFormatter())
    better = int((rows["ensemble"] < rows[best]).sum())
    note(axis, f"ensemble better at {better} of {len(rows)} nodes (below the line)")


def draw_own_functions(functions: pd.DataFrame) -> Figure:
    """Learned functions with their bands, inside and outside of the states of the training.

    Args:
        functions: rows of `nodeflow.data.tables.FUNCTIONS`.
    """
    kinds = [kind for kind in _FUNCTIONS if kind in set(functions["function"])]
    figure, axes = panels(len(kinds), columns=4, width=2.8)
    for axis, kind in zip(axes, kinds, strict=True):
        rows = functions[functions["function"] == kind].sort_values("state")
        for level, alpha in ((90, 0.18), (50, 0.35)):
            axis.fill_between(
                rows["state"], rows[f"lower_{level}"], rows[f"upper_{level}"], color="#D55E00",
                alpha=alpha, lw=0, label=f"{level} % band",
            )  # fmt: skip
        axis.plot(rows["state"], rows["mean"], color="#D55E00", label="mean")
        axis.axhline(0, color="0.5", lw=0.8, ls=":")
        seen = rows["state"][rows["seen"]]
        for start, stop in ((rows["state"].min(), seen.min()), (seen.max(), rows["state"].max())):
            axis.axvspan(start, stop, color="0.9", lw=0, zorder=0)
        axis.set(title=_FUNCTIONS[kind], xlabel="state x")
        note(axis, "grey: never seen in training")
    outside_legend(axes[-1])
    return figure


def draw_own_flags(forecasts: pd.DataFrame, errors: pd.DataFrame) -> Figure:
    """Where forecasts leave what was learned: by lead time, degree, node; and whether it shows.

    Args:
        forecasts: rows of `nodeflow.data.tables.FORECASTS`.
        errors: rows of `nodeflow.data.tables.ERRORS`.
    """
    figure, axes = panels(4, columns=4, width=3.0, height=2.6)
    by_lead, by_degree, by_node, split = axes
    ensemble = errors[errors["method"] == "ensemble"]
    for axis, by, label in ((by_lead, "lead", "lead time"), (by_degree, "degree", "degree k")):
        rows = ensemble[ensemble["by"] == by].sort_values("at")
        axis.plot(rows["at"], 1 - rows["trusted"], color="#CC79A7", marker=".")
        axis.set(ylim=(-0.03, 1.03), xlabel=label, ylabel="share flagged", title=f"by {by}")
        note(axis, f"n ≥ {int(rows['values'].min())} values per point; no bands")
    degree_axis(by_degree, ensemble[ensemble["by"] == "degree"]["at"])
    nodes = ensemble[ensemble["by"] == "node"].sort_values(["trusted", "node"])
    worst = nodes[nodes["trusted"] < 1].head(12)
    by_node.barh(worst["node"].astype(str), 1 - worst["trusted"], color="#CC79A7")
    by_node.set(xlim=(0, 1), xlabel="share flagged", title="nodes with most flags")
    by_node.set_yticks(range(len(worst)), worst["node"].astype(str))
    by_node.invert_yaxis()
    note(by_node, f"{int((nodes['trusted'] < 1).sum())} of {len(nodes)} nodes have any")
    known = forecasts[forecasts["value"].notna()]
    error = (known["mean"] - known["value"]).abs()
    groups = {"trusted": error[known["trusted"]], "flagged": error[~known["trusted"]]}
    groups = {name: values for name, values in groups.items() if len(values)}
    split.boxplot(
        [values.to_numpy() for values in groups.values()], tick_labels=list(groups),
        whis=(10, 90), showfliers=False, medianprops={"color": "#D55E00"},
    )  # fmt: skip
    split.set(yscale="log", ylabel="absolute error", title="do flags show in the error?")
    counts = ", ".join(f"{len(values)} {name}" for name, values in groups.items())
    note(split, f"{counts}; box: quartiles, bars: 10–90 %")
    return figure


def _chosen_nodes(errors: pd.DataFrame) -> list[tuple[str, str]]:
    """Why a node is drawn, and its name: of the lowest, median, highest degree, and the worst."""
    of_nodes = errors[(errors["by"] == "node") & (errors["method"] == "ensemble")]
    order = of_nodes.sort_values(["at", "node"], kind="stable")["node"].tolist()
    worst = str(of_nodes.sort_values("mae")["node"].iloc[-1])
    wanted = [
        ("lowest degree", order[0]),
        ("median degree", order[len(order) // 2]),
        ("highest degree", order[-1]),
        ("largest error", worst),
    ]
    chosen: dict[str, str] = {}
    for why, node in wanted:
        chosen[node] = f"{chosen[node]}, {why}" if node in chosen else why
    return [(why, node) for node, why in chosen.items()]


def best_baseline(errors: pd.DataFrame) -> str:
    """The baseline with the smallest error over all values."""
    rows = errors[(errors["by"] == "all") & (errors["method"] != "ensemble")]
    return str(rows.sort_values("mae")["method"].iloc[0])
