"""Figures of the flows: training, accuracy by capacity, and accuracy against novelty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.figures.style import note, outside_legend, panels, set_colours

__all__ = ["draw_capacity", "draw_flow_training", "draw_frontier"]

_WEIGHTS = {"aligned": "#0072B2", "raw": "#D55E00"}


def draw_flow_training(history: pd.DataFrame) -> Figure:
    """Flow matching loss on training and on held-out members against step.

    Args:
        history: columns flow, weights, width, step, train_loss, held_out_loss.
    """
    flows = list(dict.fromkeys(history["flow"]))
    figure, axes = panels(len(flows), columns=3, width=4.2, height=2.7)
    for axis, flow in zip(axes, flows, strict=True):
        chosen = history[history["flow"] == flow]
        widths = sorted(set(chosen["width"]))
        for weights, colour in _WEIGHTS.items():
            for width in widths:
                rows = chosen[(chosen["weights"] == weights) & (chosen["width"] == width)]
                if rows.empty:
                    continue
                strength = 0.4 + 0.6 * (widths.index(width) + 1) / len(widths)
                style: dict[str, Any] = {"color": colour, "alpha": strength, "lw": 1.2}
                axis.plot(rows["step"], rows["train_loss"], label=f"{weights}, {width}", **style)
                axis.plot(rows["step"], rows["held_out_loss"], ls=":", **style)
        axis.set(yscale="log", title=flow, xlabel="step", ylabel="flow matching loss")
        note(axis, "solid: training members, dotted: held-out members")
        outside_legend(axis, "weights, width")
    return figure


def draw_capacity(panel: pd.DataFrame) -> Figure:
    """Test accuracy of generated networks by width of the flow, with and without alignment.

    Args:
        panel: one row a network: columns flow, weights, width, set, accuracy, status.
    """
    flows = list(dict.fromkeys(panel["flow"]))
    figure, axes = panels(len(flows), columns=3, width=4.2, height=2.7)
    for axis, flow in zip(axes, flows, strict=True):
        chosen = panel[(panel["flow"] == flow) & (panel["status"] == "ok")]
        generated = chosen[chosen["set"] == "generated"]
        present = [name for name in _WEIGHTS if name in set(generated["weights"])]
        sns.violinplot(
            generated, x="width", y="accuracy", hue="weights", hue_order=present, cut=0, ax=axis,
            palette=_WEIGHTS, inner="quart", linewidth=0.8, density_norm="width",
        )  # fmt: skip
        zoo = chosen[chosen["set"] == "held-out"]["accuracy"]
        axis.axhspan(zoo.quantile(0.1), zoo.quantile(0.9), color="0.6", alpha=0.3, lw=0)
        axis.axhline(zoo.median(), color="0.3", lw=1, ls="--", label="held-out members")
        axis.set(title=flow, xlabel="width of the flow", ylabel="test accuracy")
        count = generated.groupby(["width", "weights"]).size().min()
        note(axis, f"n ≥ {count} per violin; grey: held-out members, 10–90 %")
        outside_legend(axis)
    return figure


def draw_frontier(panel: pd.DataFrame) -> Figure:
    """Accuracy against two measures of novelty, generated networks beside every control.

    Distances are in units of the median leave-one-out distance of the training members, of the
    aligned and of the raw zoo each.

    Args:
        panel: columns flow, weights, width, set, accuracy, nearest, max_iou, status.
    """
    flows = list(dict.fromkeys(panel["flow"]))
    figure, axes = panels(2 * len(flows), columns=2, width=4.4, height=3.2)
    for row, flow in enumerate(flows):
        chosen = panel[(panel["flow"] == flow) & (panel["status"] == "ok")]
        scale = (
            chosen[chosen["set"] == "zoo"].groupby("weights")["nearest"].median().rename("scale")
        )
        chosen = chosen.join(scale, on="weights")
        chosen = chosen.assign(relative=chosen["nearest"] / chosen["scale"])
        # Reference levels come from one of the flow's panels; they differ only by their gauge.
        first = chosen.sort_values(["weights", "width"]).iloc[0]
        reference = chosen[
            (chosen["weights"] == first["weights"])
            & (chosen["width"] == first["width"])
            & (chosen["set"] != "generated")
        ]
        generated = chosen[chosen["set"] == "generated"]
        for axis, measure in zip(axes[2 * row : 2 * row + 2], ("relative", "max_iou"), strict=True):
            _references(axis, reference, measure)
            _generated(axis, generated, measure)
            axis.set(ylabel="test accuracy")
        axes[2 * row].set(title=flow, xlabel="distance to nearest training member / zoo's own")
        axes[2 * row + 1].set(xlabel="largest IoU of errors with a training member")
        outside_legend(axes[2 * row + 1])
        note(axes[2 * row], f"small: networks, large: medians; {len(generated)} generated")
    return figure


def _references(axis: Axes, table: pd.DataFrame, x: str) -> None:
    known = set_colours()
    noise = table["set"].str.startswith("noise")
    for name, rows in table[~noise].groupby("set", sort=False):
        _cloud(axis, rows, x, known[str(name)], "o", str(name))
    line = table[noise].groupby("set")[[x, "accuracy"]].median().sort_values(x)
    style: dict[str, Any] = {"color": known["noise"], "lw": 1, "marker": "s", "ms": 4}
    axis.plot(line[x], line["accuracy"], label="member + noise", **style)


def _generated(axis: Axes, table: pd.DataFrame, x: str) -> None:
    groups = table.groupby(["weights", "width"])
    markers = dict(zip(sorted(set(table["width"])), "v^Dps<>*", strict=False))
    for (weights, width), rows in groups:
        colour = _WEIGHTS[str(weights)]
        _cloud(axis, rows, x, colour, markers[width], f"generated, {weights}, width {width}")


def _cloud(axis: Axes, rows: pd.DataFrame, x: str, colour: str, marker: str, label: str) -> None:
    points = rows[np.isfinite(rows[x])]
    axis.scatter(points[x], points["accuracy"], s=4, color=colour, alpha=0.2, lw=0)
    axis.scatter(
        points[x].median(), points["accuracy"].median(), s=46, color=colour, marker=marker,
        edgecolor="white", lw=0.8, label=label, zorder=3,
    )  # fmt: skip
