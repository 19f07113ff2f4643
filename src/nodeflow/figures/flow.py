"""Figures of the flows: training, accuracy by capacity, and accuracy against novelty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.figures.style import (
    band,
    banded,
    colours,
    line_under,
    note,
    outside_legend,
    panels,
    set_colours,
)

__all__ = [
    "draw_capacity",
    "draw_conditional",
    "draw_dispersion",
    "draw_distances",
    "draw_flow_training",
    "draw_frontier",
    "draw_solvers",
    "draw_transfer",
]

_ALIGNMENTS = {"aligned": "#0072B2", "raw": "#D55E00"}
_SETS = {
    "zoo": "training members, each to the others",
    "held-out": "held-out members: the target",
    "pair mean": "means of two members",
    "soup": "means of many members",
    "gaussian": "Gaussian of the members",
}
"""What each set beside the generated ones is."""
_GENERATED = "#B2182B"
_REPLICA = 1 / 3  # nodeflow.judge.REPLICA_RATIO, without torch

Looks = Mapping[str, Mapping[str, Any]]
"""Method → its title, its colours, of aligned and of raw members, and what its capacity counts."""


def draw_flow_training(history: pd.DataFrame) -> Figure:
    """Flow matching loss on training and on held-out members against step.

    Args:
        history: columns flow, alignment, capacity, step, train_loss, held_out_loss.
    """
    flows = list(dict.fromkeys(history["flow"]))
    figure, axes = panels(len(flows), columns=3, width=4.2, height=2.7)
    for axis, flow in zip(axes, flows, strict=True):
        chosen = history[history["flow"] == flow]
        capacities = sorted(set(chosen["capacity"]))
        for alignment, colour in _ALIGNMENTS.items():
            for capacity in capacities:
                rows = chosen[(chosen["alignment"] == alignment) & (chosen["capacity"] == capacity)]
                if rows.empty:
                    continue
                strength = 0.4 + 0.6 * (capacities.index(capacity) + 1) / len(capacities)
                style: dict[str, Any] = {"color": colour, "alpha": strength, "lw": 1.2}
                axis.plot(
                    rows["step"], rows["train_loss"], label=f"{alignment}, {capacity}", **style
                )
                axis.plot(rows["step"], rows["held_out_loss"], ls=":", **style)
        axis.set(yscale="log", title=flow, xlabel="step", ylabel="flow matching loss")
        outside_legend(axis, "alignment, capacity")
    line_under(figure, "solid: training members; dotted: held-out members")
    return figure


def draw_capacity(panel: pd.DataFrame, looks: Looks) -> Figure:
    """Test accuracy of generated networks by capacity, with and without alignment.

    Args:
        panel: one row a network: columns flow, method, alignment, capacity, set, accuracy, status.
        looks: of each method; see `nodeflow.flow.looks`.
    """
    import seaborn as sns  # takes a second to load, and few figures use it

    wide = panel["method"].isin([name for name, look in looks.items() if look["size"] == "width"])
    panel = panel[wide] if wide.any() else panel
    panel = panel[np.isfinite(panel["accuracy"])]
    flows = list(dict.fromkeys(panel["flow"]))
    figure, axes = panels(len(flows), columns=3, width=4.2, height=2.7)
    for axis, flow in zip(axes, flows, strict=True):
        chosen = panel[(panel["flow"] == flow) & (panel["status"] == "ok")]
        generated = chosen[chosen["set"] == "generated"]
        present = [name for name in _ALIGNMENTS if name in set(generated["alignment"])]
        sns.violinplot(
            generated, x="capacity", y="accuracy", hue="alignment", hue_order=present,
            palette=_ALIGNMENTS, cut=0, ax=axis, inner="quart", linewidth=0.8, density_norm="width",
        )  # fmt: skip
        zoo = chosen[chosen["set"] == "held-out"]["accuracy"]
        axis.axhspan(zoo.quantile(0.1), zoo.quantile(0.9), color="0.6", alpha=0.3, lw=0)
        axis.axhline(zoo.median(), color="0.3", lw=1, ls="--", label="held-out members")
        axis.set(title=flow, xlabel="width of the velocity field", ylabel="test accuracy")
        count = generated.groupby(["capacity", "alignment"]).size().min()
        note(axis, f"n ≥ {count} per violin; grey: held-out members, 10–90 %")
        outside_legend(axis)
    return figure


def draw_dispersion(summary: pd.DataFrame, looks: Looks) -> Figure:
    """How far generated networks spread, against capacity: those that shrink are no sample.

    The spread of a set is the root mean square of its weights' distances to its mean, over that of
    the training members.

    Args:
        summary: one row a set: columns data, flow, method, alignment, capacity, set, rms_ratio, n.
        looks: of each method; see `nodeflow.flow.looks`.
    """
    sets = list(dict.fromkeys(summary["data"]))
    figure, axes = panels(len(sets), columns=3, width=4.2, height=2.7)
    for axis, data in zip(axes, sets, strict=True):
        rows = summary[(summary["data"] == data) & np.isfinite(summary["rms_ratio"])]
        generated = rows[rows["set"] == "generated"]
        for (method, alignment), alike in generated.groupby(["method", "alignment"]):
            look = looks[str(method)]
            colour = look["colours"][alignment == "raw"]
            label = f"{look['title']}, {alignment}, by {look['size']}"
            for place, (_, flow) in enumerate(alike.groupby("flow")):
                line = flow.sort_values("capacity")
                axis.plot(
                    line["capacity"], line["rms_ratio"], marker="o", ms=4, lw=1, color=colour,
                    label=None if place else label,
                )  # fmt: skip
        held_out = rows[rows["set"] == "held-out"]["rms_ratio"]
        if len(held_out):
            axis.axhline(held_out.median(), color="0.3", lw=1, ls="--", label="held-out members")
        axis.axhline(1.0, color="0.7", lw=0.8)
        axis.set(title=data, xscale="log", xlabel="width, or number of probes", ylim=(0, None))
        axis.set(ylabel="spread, over the members'")
        capacities = sorted(set(generated["capacity"]))
        axis.set_xticks(capacities, [str(capacity) for capacity in capacities])
        axis.minorticks_off()
        if len(generated):
            note(axis, f"n ≥ {generated['n'].min()} networks a point")
        outside_legend(axis)
    return figure


def draw_frontier(panel: pd.DataFrame, looks: Looks) -> Figure:
    """Accuracy against two measures of novelty: all methods beside every control, by data set.

    Distances are in units of the median leave-one-out distance of the training members of the same
    zoo. Reference levels come from the panel of the flow that judged the most networks.

    Args:
        panel: columns data, flow, method, alignment, capacity, set, accuracy, nearest, max_iou,
            status.
        looks: of each method; see `nodeflow.flow.looks`.
    """
    panel = panel[np.isfinite(panel["accuracy"])]
    sets = list(dict.fromkeys(panel["data"]))
    figure, axes = panels(2 * len(sets), columns=2, width=4.8, height=3.4)
    flow = ["flow", "alignment", "capacity"]
    for row, data in enumerate(sets):
        chosen = panel[(panel["data"] == data) & (panel["status"] == "ok")]
        # Generated networks with running statistics from elsewhere are in the tables.
        chosen = chosen[~chosen["set"].str.startswith("generated (")]
        zoo = chosen[chosen["set"] == "zoo"]
        scale = zoo.groupby(flow)["nearest"].median().rename("scale")
        chosen = chosen.join(scale, on=flow)
        chosen = chosen.assign(relative=chosen["nearest"] / chosen["scale"])
        # The largest reference sets; of those of equal size, the first by name.
        sizes = chosen[chosen["set"] != "generated"].groupby(flow).size()
        names = sizes.sort_values(ascending=False, kind="stable").index[0]
        same = (chosen[flow] == list(names)).all(axis=1)
        reference = chosen[same & (chosen["set"] != "generated")]
        generated = chosen[chosen["set"] == "generated"]
        for axis, measure in zip(axes[2 * row : 2 * row + 2], ("relative", "max_iou"), strict=True):
            _references(axis, reference, measure)
            _generated(axis, generated, measure, looks)
            axis.set(ylabel="test accuracy")
        axes[2 * row].set(title=data, xlabel="distance to nearest member (zoo: 1)")
        axes[2 * row + 1].set(xlabel="largest overlap of errors (IoU)")
        outside_legend(axes[2 * row + 1])
        note(axes[2 * row], f"{len(generated)} generated networks")
    line_under(figure, "small marks: networks; large marks: medians of a set")
    return figure


def draw_distances(table: pd.DataFrame, looks: Looks) -> Figure:
    """Accuracy, and share of networks that work and are new, at the same distances from a zoo.

    Args:
        table: columns flow, method, alignment, capacity, set, factor (NaN for networks as
            they were made), n, accuracy, accuracy_low, accuracy_high, both_share.
        looks: of each method; see `nodeflow.flow.looks`.
    """
    groups = list(table.groupby(["flow", "alignment"], sort=False))
    # Each flow has a legend of its own beside its panels.
    figure, axes = panels(2 * len(groups), columns=len(groups), width=4.8, height=2.6)
    known = set_colours()
    controls = {
        "held-out": ("o", "-"), "noise": ("s", "--"), "line": ("^", "--"), "soup": ("v", "--"),
    }  # fmt: skip
    shades = {**known, "line": known["pair mean"]}
    for place, ((flow, alignment), rows) in enumerate(groups):
        both = axes[place], axes[len(groups) + place]
        # Controls follow from the zoo alone, up to the draw: those of one capacity stand for all.
        first = rows[rows["capacity"] == rows["capacity"].iloc[0]]
        for name, (marker, line) in controls.items():
            _over_distance(both, first[first["set"] == name], shades[name], marker, line, name)
        capacities = sorted(set(rows["capacity"]))
        for capacity in capacities:
            chosen = rows[(rows["set"] == "generated") & (rows["capacity"] == capacity)]
            look = looks[str(chosen["method"].iloc[0])]
            colour = look["colours"][alignment == "raw"]
            marker = "*DPX<>"[capacities.index(capacity) % 6]
            label = _described(look, str(alignment), str(capacity))
            _over_distance(both, chosen, colour, marker, "-", label)
        both[0].set(title=f"{flow}, {alignment}", ylabel="test accuracy", ylim=(0, 1.02))
        both[1].set(ylabel="works and is new", ylim=(-0.03, 1.03))
        factors = sorted(set(rows["factor"].dropna()))
        for axis in both:
            axis.set(xlabel="distance to nearest member (zoo: 1)")
            axis.set_xticks([0, *factors], ["made", *(f"{x:g}" for x in factors)])
        note(both[0], f"n ≥ {rows.loc[rows['set'] != 'zoo', 'n'].min()} networks a point")
        outside_legend(both[1])
    return figure


def draw_solvers(table: pd.DataFrame) -> Figure:
    """Accuracy against evaluations a sample, by solver and alignment, a panel a flow and capacity.

    Args:
        table: columns flow, alignment, capacity, solver, evaluations, accuracy, status.
    """
    groups = list(table[table["status"] == "ok"].groupby(["flow", "capacity"], sort=False))
    figure, axes = panels(len(groups), columns=2, width=3.6, height=2.7)
    looks = {"euler": ("o", ":", 0.95), "heun": ("^", "--", 1.0), "rk4": ("s", "-", 1.05)}
    for axis, ((flow, capacity), rows) in zip(axes, groups, strict=True):
        for (alignment, solver), chosen in rows.groupby(["alignment", "solver"]):
            marker, line, aside = looks[str(solver)]
            means = chosen.groupby("evaluations")["accuracy"].agg(["mean", "sem"])
            axis.errorbar(
                means.index * aside, means["mean"], 1.96 * means["sem"], fmt=marker, ls=line, ms=4,
                lw=1, color=_ALIGNMENTS[str(alignment)], label=f"{alignment}, {solver}",
            )  # fmt: skip
        axis.set(title=f"{flow}, width {capacity}", xscale="log", ylabel="test accuracy")
        axis.set(xlabel="evaluations of the flow a network")
        axis.xaxis.set_major_formatter("{x:g}")
        least = rows.groupby(["alignment", "solver", "steps"]).size().min()
        note(axis, f"means of n ≥ {least} networks with 95 % intervals")
    outside_legend(axes[-1])
    return figure


def draw_conditional(table: pd.DataFrame) -> Figure:
    """What networks of each label do, against guidance: a row of panels for each flow.

    Args:
        table: columns flow, alignment, capacity, set, label, guidance, accuracy, elsewhere, ratio,
            status.
    """
    groups = list(table.groupby(["flow", "alignment", "capacity"], sort=False))
    figure, axes = panels(3 * len(groups), columns=3, width=3.3, height=2.8)
    shown = {
        "accuracy": "accuracy on the label's test items",
        "elsewhere": "best accuracy on another label's",
        "ratio": "nearest / second-nearest member",
    }
    for place, ((flow, alignment, capacity), everyone) in enumerate(groups):
        rows = everyone[everyone["status"] == "ok"]
        labels = list(dict.fromkeys(everyone["label"]))
        palette = colours(range(len(labels) + 1))
        for axis, (column, name) in zip(axes[3 * place :], shown.items(), strict=False):
            for number, label in enumerate(labels):
                own = rows[rows["label"] == label]
                band(axis, own[own["set"] == "generated"], "guidance", column, palette[number],
                     label, "os^Dv"[number % 5])  # fmt: skip
                held_out = own[own["set"] == "held-out"][column].median()
                axis.axhline(held_out, color=palette[number], lw=1, ls=":")
            axis.set(xlabel="guidance w", ylabel=name)
        axes[3 * place].set(title=f"{flow}: {alignment}, {capacity}")
        axes[3 * place + 2].axhline(_REPLICA, color="0.5", lw=0.8, ls="--")
        generated = everyone[everyone["set"] == "generated"]
        most = generated.groupby(["label", "guidance"]).size().max()
        failed = f" less {n} failed" if (n := (generated["status"] != "ok").sum()) else ""
        note(axes[3 * place], f"n = {most} a point{failed}, 10–90 %; dotted: held-out members")
        outside_legend(axes[3 * place + 2], "label")
    return figure


def draw_transfer(transfer: pd.DataFrame) -> Figure:
    """Accuracy on changed tasks against epochs of training on them, by where training starts.

    Args:
        transfer: columns flow, alignment, capacity, task, set, epochs, accuracy.
    """
    groups = list(transfer.groupby(["flow", "task"], sort=False))
    figure, axes = panels(len(groups), columns=3, width=3.6, height=2.7)
    known = set_colours()
    looks = {
        "generated": (_GENERATED, "o"),
        "held-out": (known["held-out"], "s"),
        "initialization": (known["noise"], "^"),
    }
    for axis, ((flow, task), rows) in zip(axes, groups, strict=True):
        for name, (colour, marker) in looks.items():
            chosen = rows[rows["set"] == name]
            band(axis, chosen, "epochs", "accuracy", colour, name, marker)
        axis.set(title=f"{flow}: {task}", xlabel="epochs on the changed task")
        axis.set(ylabel="test accuracy on it")
        least = rows.groupby(["set", "epochs"]).size().min()
        note(axis, f"n = {least} networks a point, 10–90 %")
    outside_legend(axes[-1])
    return figure


def _over_distance(
    axes: tuple[Axes, Axes], rows: pd.DataFrame, colour: object, marker: str, line: str, label: str
) -> None:
    """A set's accuracy with its interval, and the share that works and is new, by distance."""
    moved = rows.dropna(subset=["factor"]).sort_values("factor")
    style: dict[str, Any] = {"marker": marker, "ms": 4, "lw": 1, "ls": line}
    columns = ("accuracy_low", "accuracy", "accuracy_high")
    banded(axes[0], moved, "factor", columns, colour, **style)
    style["color"] = colour
    axes[1].plot(moved["factor"], moved["both_share"], label=label, **style)
    made = rows[rows["factor"].isna()]
    for axis, column in zip(axes, ("accuracy", "both_share"), strict=True):
        axis.plot(np.zeros(len(made)), made[column], **{**style, "ls": ""})


def _references(axis: Axes, table: pd.DataFrame, x: str) -> None:
    known = set_colours()
    noise = table["set"].str.startswith("noise")
    for name, rows in table[~noise].groupby("set", sort=False):
        # The target is larger, so that it shows behind what reaches it.
        size = 130 if name == "held-out" else 46
        _cloud(axis, rows, x, known[str(name)], "o", _SETS.get(str(name), str(name)), size)
    line = table[noise].groupby("set")[[x, "accuracy"]].median().sort_values(x)
    style: dict[str, Any] = {"color": known["noise"], "lw": 1, "marker": "s", "ms": 4}
    axis.plot(line[x], line["accuracy"], label="members with noise", **style)


def _generated(axis: Axes, table: pd.DataFrame, x: str, looks: Looks) -> None:
    for method, of_method in table.groupby("method"):
        markers = dict(zip(sorted(set(of_method["capacity"])), "v^Dps<>", strict=False))
        for (alignment, capacity), alike in of_method.groupby(["alignment", "capacity"]):
            look = looks[str(method)]
            colour = look["colours"][str(alignment) == "raw"]
            marker = markers[capacity] if look["size"] == "width" else "*"
            # Flows that differ in other settings look alike: one line of the legend for all.
            label: str | None = _described(look, str(alignment), str(capacity))
            for name in alike["flow"].unique():
                rows = alike[alike["flow"] == name]
                _cloud(axis, rows, x, colour, marker, label, 90 if marker == "*" else 46)
                label = None


def _described(look: Mapping[str, Any], alignment: str, capacity: str) -> str:
    """What a method is, in the words of the legend."""
    if look["size"] != "width":
        return f"{look['title']}, {capacity} {look['size']}"
    return f"{look['title']}, {alignment}, width {capacity}"


def _cloud(
    axis: Axes, rows: pd.DataFrame, x: str, colour: str, marker: str, label: str | None, size: int
) -> None:
    points = rows[np.isfinite(rows[x])]
    axis.scatter(points[x], points["accuracy"], s=4, color=colour, alpha=0.2, lw=0)
    axis.scatter(
        points[x].median(), points["accuracy"].median(), s=size, color=colour, marker=marker,
        edgecolor="white", lw=0.8, label=label, zorder=3,
    )  # fmt: skip
