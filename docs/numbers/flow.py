"""Tables on generated networks: every set of every flow, alignment, solvers, labels, transfer."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import stats

from docs.numbers.page import markdown, p_value, percent, share

KEYS = ["flow", "method", "alignment", "capacity"]
SETS = ("held-out", "generated", "noise matched")
WORDS = {"noise matched": "members with noise of the same distance"}
BOTH = ("aligned", "raw")


def sets(summary: pd.DataFrame, flows: Collection[str] = ()) -> str:
    """What each flow generated, or some flows, beside what it is compared with first."""
    summary = summary[summary["set"].isin(SETS)]
    summary = summary[summary["flow"].isin(flows)] if flows else summary
    header = ["flow, alignment, capacity", "networks", "accuracy, %", "distance (p)", "replicas",
              "nearest are distinct", "overlap (p)", "mixing p", "loss", "calibration error",
              "ensemble gain"]  # fmt: skip
    lines = []
    for _, flow in summary.groupby(KEYS, sort=False):
        for row in flow.to_dict("records"):
            accuracy = [percent(row[f"accuracy{end}"]) for end in ("", "_low", "_high")]
            failed = f", {row['failed']} failed" if row["failed"] else ""
            lines.append(
                [
                    f"{row['flow']}, {row['alignment']}, {row['capacity']}",
                    f"{WORDS.get(row['set'], row['set'])} ({row['n']}{failed})",
                    f"{accuracy[0]} [{accuracy[1]}, {accuracy[2]}]",
                    f"{row['nearest_relative']:.3f} ({p_value(row['nearest_p'])})".replace(
                        " ()", ""
                    ),
                    share(row["replica_share"]),
                    str(row["distinct"]),
                    f"{row['max_iou']:.2f} ({p_value(row['max_iou_p'])})".replace(" ()", ""),
                    p_value(row["neighbour_p"]),
                    f"{row['loss']:.3f}",
                    f"{row['ece']:.3f}",
                    percent(row["ensemble_gain"]),
                ]
            )
    return markdown(header, lines)


def differences(panel: pd.DataFrame) -> str:
    """Generated less held-out networks, in standard deviations of those, with Welch's interval."""
    columns = {"nearest": "distance", "max_iou": "overlap", "accuracy": "accuracy",
               "loss": "loss", "ece": "calibration error"}  # fmt: skip
    good = panel[panel["status"] == "ok"]
    lines = []
    for (flow, _, weights, width), panel_rows in good.groupby(KEYS, sort=False):
        generated, others = (
            panel_rows[panel_rows["set"] == name] for name in ("generated", "held-out")
        )
        cells = []
        for column in columns:
            test = stats.ttest_ind(generated[column], others[column], equal_var=False)
            low, high = test.confidence_interval()
            values = np.array([generated[column].mean() - others[column].mean(), low, high])
            middle, low, high = values / others[column].std()
            cells.append(f"{middle:.2f} [{low:.2f}, {high:.2f}]")
        lines.append([f"{flow}, {weights}, {width}", *cells])
    return markdown(["flow, alignment, capacity", *columns.values()], lines)


def distances(table: pd.DataFrame) -> str:
    """Accuracy at the same distances, and how many networks work and are new as they were made."""
    factors = sorted(table["factor"].dropna().unique())
    lines = []
    for (flow, weights), everyone in table.groupby(["flow", "alignment"], sort=False):
        widths = list(dict.fromkeys(everyone["capacity"]))
        shown = [("generated", width) for width in widths]
        shown += [(name, widths[0]) for name in dict.fromkeys(everyone["set"])
                  if name not in ("zoo", "generated")]  # fmt: skip
        for name, width in shown:
            some = everyone[(everyone["set"] == name) & (everyone["capacity"] == width)]
            made = some[some["factor"].isna()]
            moved = some.set_index("factor")
            cells = [
                f"{percent(moved['accuracy'][x])} ({share(moved['both_share'][x])})"
                for x in factors
            ]
            lines.append(
                [
                    f"{flow}, {weights}" + (f", {width}" if name == "generated" else ""),
                    f"{name} ({some['n'].max()})",
                    share(made["both_share"].iloc[0]) if len(made) else "",
                    *cells,
                ]
            )
    header = ["flow", "networks", "work and are new", *(f"at {x:g}" for x in factors)]
    return markdown(header, lines)


def canonicalized(report: pd.DataFrame, barrier: pd.DataFrame) -> str:
    """How much nearer members of each zoo come to what they are matched to, and the loss between.

    The barrier is the loss half way between two members less the mean of theirs.
    """
    lines = []
    for zoo, members in report.groupby("zoo", sort=False):
        good = members[members["status"] == "ok"]
        heights = []
        for weights in BOTH:
            pairs = barrier[(barrier["zoo"] == zoo) & (barrier["alignment"] == weights)]
            loss = pairs.pivot(index="pair", columns="lambda", values="recalibrated_loss")
            middle = loss[min(loss.columns, key=lambda place: abs(float(place) - 0.5))]
            heights.append(float((middle - (loss[0.0] + loss[1.0]) / 2).median()))
        distances = [good[f"distance_{when}"].median() for when in ("before", "after")]
        lines.append([str(zoo), str(len(good)), *(f"{x:.2f}" for x in (*distances, *heights))])
    header = ["zoo", "members", "distance as trained", "canonicalized", "barrier canonicalized",
              "as trained"]  # fmt: skip
    return markdown(header, lines)


def alignment(panel: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Flows over aligned and over raw weights, and the difference with Welch's interval."""
    good = panel[(panel["set"] == "generated") & (panel["status"] == "ok")]
    summary = summary[summary["set"] == "generated"]
    lines = []
    for (flow, width), one in good.groupby(["flow", "capacity"], sort=False):
        if set(one["alignment"]) < set(BOTH):
            continue
        aligned, raw = (one.loc[one["alignment"] == name, "accuracy"] for name in BOTH)
        low, high = stats.ttest_ind(aligned, raw, equal_var=False).confidence_interval()
        known = summary[(summary["flow"] == flow) & (summary["capacity"] == width)]
        known = known.set_index("alignment").loc[list(BOTH)]
        ends = zip(known["accuracy"], known["accuracy_low"], known["accuracy_high"], strict=True)
        lines.append(
            [
                f"{flow}, {width}",
                *(f"{percent(x)} [{percent(a)}, {percent(b)}]" for x, a, b in ends),
                f"{percent(aligned.mean() - raw.mean())} [{percent(low)}, {percent(high)}]",
                ", ".join(f"{x:.2f}" for x in known["nearest_relative"]),
                ", ".join(share(x) for x in known["replica_share"]),
                ", ".join(f"{x:.2f}" for x in known["max_iou"]),
            ]
        )
    header = ["flow, capacity", "aligned", "raw", "difference", "distance", "replicas", "overlap"]
    return markdown(header, lines)


def solvers(table: pd.DataFrame) -> str:
    """Accuracy by evaluations and solver, a column for each width and kind of weights."""
    good = table[table["status"] == "ok"]
    columns = sorted(set(zip(good["capacity"], good["alignment"], strict=True)))
    lines = []
    for (evaluations, solver), sampled in good.groupby(["evaluations", "solver"]):
        cells = [
            _mean(
                sampled.loc[
                    (sampled["capacity"] == width) & (sampled["alignment"] == weights), "accuracy"
                ]
            )
            for width, weights in columns
        ]
        lines.append([f"{evaluations}, {solver}", *cells])
    return markdown(["evaluations, solver", *(f"{w}, {weights}" for w, weights in columns)], lines)


def conditional(summary: pd.DataFrame, descent: bool) -> str:
    """Accuracy of every descent, or of every other flow, and label by guidance; tests at 1."""
    summary = summary[summary["flow"].str.endswith("_descent") == descent]
    scales = sorted(summary["guidance"].dropna().unique())
    header = ["flow, alignment, capacity: label", "held-out", *(f"w = {w:g}" for w in scales),
              "distance at 1 (p)", "overlap at 1, held-out (p)", "right at 0, 1",
              "replicas"]  # fmt: skip
    lines = []
    for (flow, weights, width, label), of_label in summary.groupby([*KEYS[:1], *KEYS[2:], "label"]):
        [members, *_] = of_label[of_label["set"] == "held-out"].to_dict("records")
        generated = of_label[of_label["set"] == "generated"].set_index("guidance")
        rows = {float(row["guidance"]): row for row in generated.reset_index().to_dict("records")}
        one = rows[1.0]
        cells = []
        for row in (members, *(rows[w] for w in scales)):
            half = (row["accuracy_high"] - row["accuracy_low"]) / 2
            cells.append(f"{percent(row['accuracy'])} ± {percent(half)}")
        lines.append(
            [
                f"{flow}, {weights}, {width}: {label}",
                *cells,
                f"{one['nearest_relative']:.3f} ({p_value(one['nearest_p'])})",
                f"{one['max_iou']:.2f}, {members['max_iou']:.2f} ({p_value(one['max_iou_p'])})",
                f"{share(generated['right'][0.0])}, {share(one['right'])}",
                share(generated["replica_share"].max()),
            ]
        )
    return markdown(header, lines)


def transfer(table: pd.DataFrame) -> str:
    """Mean accuracy on another task after each number of epochs."""
    names = list(dict.fromkeys(table["set"]))
    lines = []
    for (flow, task), of_task in table.groupby(["flow", "task"], sort=False):
        means = of_task.groupby(["set", "epochs"])["accuracy"].mean()
        cells = [", ".join(percent(x) for x in means[name].sort_index()) for name in names]
        lines.append([str(flow), str(task), *cells])
    epochs = ", ".join(f"{x:g}" for x in sorted(table["epochs"].unique()))
    text = f"Per cent of the task's test items, after {epochs} epochs of training on it."
    return f"{markdown(['from', 'to', *names], lines)}\n{text}\n"


def _mean(values: pd.Series) -> str:
    return f"{percent(values.mean())} ± {percent(1.96 * stats.sem(values))}"
