"""Figures of the zoos: how good the members are and what canonicalization changes."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nodeflow.canonical.heights import PUBLISHED_BARRIERS, barrier_heights
from nodeflow.figures.style import note, panels

__all__ = ["draw_alignment", "draw_zoo"]

_BEFORE, _AFTER = "#999999", "#0072B2"
_DECILES = np.array([0.1, 0.5, 0.9])


def draw_zoo(metrics: pd.DataFrame) -> Figure:
    """Distribution of the members' accuracy on training, validation and test items.

    Args:
        metrics: one row a member: columns zoo, member, status, train_accuracy,
            validation_accuracy, test_accuracy.
    """
    import seaborn as sns  # takes a second to load, and few figures use it

    metrics = metrics[np.isfinite(metrics["test_accuracy"])]
    zoos = list(dict.fromkeys(metrics["zoo"]))
    figure, axes = panels(len(zoos), columns=4, width=2.8)
    for axis, zoo in zip(axes, zoos, strict=True):
        chosen = metrics[(metrics["zoo"] == zoo) & (metrics["status"] == "ok")]
        parts = ["train", "validation", "test"]
        long = chosen.melt(
            value_vars=[f"{part}_accuracy" for part in parts], var_name="part", value_name="value"
        )
        long["part"] = long["part"].str.removesuffix("_accuracy")
        sns.violinplot(
            long, x="part", y="value", order=parts, color="#56B4E9", inner="quart", cut=0, ax=axis,
            linewidth=0.8,
        )  # fmt: skip
        test = chosen["test_accuracy"]
        axis.set(title=f"{zoo}: test {test.mean():.4f} ± {test.std():.4f}", xlabel="", ylabel="")
        note(axis, f"n = {len(chosen)} networks")
    axes[0].set_ylabel("accuracy")
    return figure


def draw_alignment(report: pd.DataFrame, barrier: pd.DataFrame) -> Figure:
    """Distance to the reference and the linear loss path, before and after canonicalization.

    The last panel has the heights of the barriers beside published ones.

    Args:
        report: one row a member: columns zoo, member, distance_before, distance_after.
        barrier: columns zoo, alignment ("raw" or "aligned"), pair, lambda, loss and
            recalibrated_loss (drawn dashed where it differs); the first network of each pair is
            the reference.
    """
    import seaborn as sns  # takes a second to load, and few figures use it

    zoos = [zoo for zoo in dict.fromkeys(report["zoo"]) if (barrier["zoo"] == zoo).any()]
    rows = len(zoos) + len(PUBLISHED_BARRIERS)
    figure, axes = plt.subplot_mosaic(
        [[f"top {zoo}" for zoo in zoos], [f"bottom {zoo}" for zoo in zoos], ["all"] * len(zoos)],
        figsize=(max(5.0, 2.8 * len(zoos)), 4.8 + 0.6 + 0.22 * rows),
        height_ratios=[2.4, 2.4, 0.6 + 0.22 * rows],
        layout="constrained",
    )
    for zoo in zoos:
        top, bottom = axes[f"top {zoo}"], axes[f"bottom {zoo}"]
        members = report[(report["zoo"] == zoo) & (report["distance_before"] > 0)]
        for column, colour, label in (
            ("distance_before", _BEFORE, "as trained"),
            ("distance_after", _AFTER, "canonicalized"),
        ):
            sns.histplot(
                members[column], ax=top, color=colour, label=label, element="step", bins=25,
                binrange=(
                    float(members[["distance_before", "distance_after"]].min().min()),
                    float(members[["distance_before", "distance_after"]].max().max()),
                ),
            )  # fmt: skip
        top.set(title=zoo, xlabel="L2 distance to the reference", ylabel="networks")
        note(top, f"n = {len(members)}")
        chosen = barrier[barrier["zoo"] == zoo]
        for alignment, colour in (("raw", _BEFORE), ("aligned", _AFTER)):
            path = chosen[chosen["alignment"] == alignment]
            summary = path.groupby("lambda")["loss"].quantile(_DECILES).unstack()
            bottom.fill_between(
                summary.index, summary.iloc[:, 0], summary.iloc[:, 2], color=colour, alpha=0.2, lw=0
            )
            bottom.plot(summary.index, summary.iloc[:, 1], color=colour, marker="o", ms=3)
            again = path.groupby("lambda")["recalibrated_loss"].median()
            if not np.allclose(again, summary.iloc[:, 1]):
                bottom.plot(again.index, again, color=colour, ls="--", marker="s", ms=3)
        bottom.set(xlabel="λ, first member to another", ylabel="test loss")
        note(bottom, f"{chosen['pair'].nunique()} pairs, median and 10–90 %")
    axes[f"top {zoos[0]}"].legend()
    _draw_heights(axes["all"], barrier, zoos)
    return figure


def _draw_heights(axis: Axes, barrier: pd.DataFrame, zoos: list[str]) -> None:
    """Heights of the barriers of our zoos, filled, and of published pairs, open."""
    names = [*zoos, *(one.network for one in PUBLISHED_BARRIERS)]
    for index, zoo in enumerate(zoos):
        for alignment, colour, shift in (("raw", _BEFORE, -0.12), ("aligned", _AFTER, 0.12)):
            path = barrier[(barrier["zoo"] == zoo) & (barrier["alignment"] == alignment)]
            heights = barrier_heights(path)
            low, middle, high = heights["loss_barrier"].quantile(_DECILES)
            axis.plot([low, high], [index + shift] * 2, color=colour, lw=1)
            axis.plot(middle, index + shift, "o", color=colour, ms=5)
            again = heights["recalibrated_loss_barrier"].median()
            if not np.isclose(again, middle):
                axis.plot(again, index + shift, "s", color=colour, ms=5)
    for index, one in enumerate(PUBLISHED_BARRIERS, len(zoos)):
        for loss, colour, marker, shift in (
            (one.raw, _BEFORE, "o", -0.12),
            (one.aligned, _AFTER, "o", 0.12),
            (one.renewed, _AFTER, "s", 0.12),
        ):
            if loss is not None:
                axis.plot(loss - one.ends, index + shift, marker, color=colour, mfc="white", ms=5)
    for label, colour, marker in (
        ("as trained", _BEFORE, "o"),
        ("canonicalized", _AFTER, "o"),
        ("statistics renewed", _AFTER, "s"),
    ):
        axis.plot([], [], marker, color=colour, ms=5, label=label)
    axis.axhline(len(zoos) - 0.5, color="0.7", lw=0.8, ls=":")
    axis.axvline(0, color="0.7", lw=0.8)
    axis.set(
        yticks=range(len(names)), yticklabels=names, xlabel="height of the loss barrier (nats)",
        title="Barriers of our zoos (filled) and of others' networks and data (open)",
    )  # fmt: skip
    axis.invert_yaxis()
    axis.legend()
