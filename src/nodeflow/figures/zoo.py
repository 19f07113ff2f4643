"""Figures of the zoos: how good the members are and what canonicalization changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

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

    Args:
        report: one row a member: columns zoo, member, distance_before, distance_after.
        barrier: columns zoo, weights ("raw" or "aligned"), pair, lambda, loss and recalibrated_loss
            (drawn dashed where it differs); the first network of each pair is the reference.
    """
    import seaborn as sns  # takes a second to load, and few figures use it

    zoos = list(dict.fromkeys(report["zoo"]))
    figure, axes = panels(2 * len(zoos), columns=len(zoos), width=2.8)
    for top, bottom, zoo in zip(axes[: len(zoos)], axes[len(zoos) :], zoos, strict=True):
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
        for weights, colour in (("raw", _BEFORE), ("aligned", _AFTER)):
            rows = chosen[chosen["weights"] == weights]
            summary = rows.groupby("lambda")["loss"].quantile(_DECILES).unstack()
            bottom.fill_between(
                summary.index, summary.iloc[:, 0], summary.iloc[:, 2], color=colour, alpha=0.2, lw=0
            )
            bottom.plot(summary.index, summary.iloc[:, 1], color=colour, marker="o", ms=3)
            again = rows.groupby("lambda")["recalibrated_loss"].median()
            if not np.allclose(again, summary.iloc[:, 1]):
                bottom.plot(
                    again.index, again, color=colour, ls="--", marker="s", ms=3,
                    label="BatchNorm recalibrated",
                )  # fmt: skip
                bottom.legend()
        bottom.set(xlabel="position λ from the reference to a member", ylabel="test loss")
        note(bottom, f"{chosen['pair'].nunique()} pairs, median and 10–90 %")
    axes[0].legend()
    return figure
