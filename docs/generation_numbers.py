"""Print the tables of docs/generation.md: python docs/generation_numbers.py.

Run it in the folder of a finished run of config/generation.yaml, or of a part of it: tables that
are not there are left out.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

TABLES = Path("results/tables")
FLOW = ["flow", "method", "weights", "width"]


def rows(header: Sequence[str], lines: list[list[str]]) -> None:
    """A table as Markdown."""
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def percent(value: Any, digits: int = 1) -> str:
    """A share in percent, without the sign."""
    return f"{100 * float(value):.{digits}f}"


def mean_of(values: pd.Series) -> str:
    """The mean of shares and its 95 % interval in percent."""
    return f"{percent(values.mean())} ± {percent(1.96 * stats.sem(values))}"


def p_value(p: Any) -> str:
    """Two digits, or that it is very small."""
    return "" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.2g}"


def sets(summary: pd.DataFrame) -> None:
    """Every set of every flow."""
    header = ["flow", "set", "accuracy", "its sd", "distance (p)", "replicas", "distinct",
              "overlap (p)", "mixing p", "loss", "calibration error", "gain", "rms"]  # fmt: skip
    lines = []
    for _, flow in summary.groupby(FLOW, sort=False):
        for row in flow.to_dict("records"):
            accuracy = [percent(row[f"accuracy{end}"]) for end in ("", "_low", "_high")]
            lines.append(
                [
                    f"{row['flow']}, {row['weights']}, {row['width']}",
                    f"{row['set']} ({row['n']}, failed {row['failed']})",
                    f"{accuracy[0]} [{accuracy[1]}, {accuracy[2]}]",
                    percent(row["accuracy_std"], 2),
                    f"{row['nearest_relative']:.3f} ({p_value(row['nearest_p'])})",
                    f"{percent(row['replica_share'], 0)} %",
                    str(row["distinct"]),
                    f"{row['max_iou']:.2f} ({p_value(row['max_iou_p'])})",
                    p_value(row["neighbour_p"]),
                    f"{row['loss']:.3f}",
                    f"{row['ece']:.3f}",
                    percent(row["ensemble_gain"]),
                    f"{row['rms_ratio']:.2f}",
                ]
            )
    rows(header, lines)


def differences(panel: pd.DataFrame) -> None:
    """Generated less held-out networks, in standard deviations of those, with Welch's interval."""
    columns = ["nearest", "max_iou", "accuracy", "loss", "ece"]
    good = panel[panel["status"] == "ok"]
    lines = []
    for (flow, _, weights, width), some in good.groupby(FLOW, sort=False):
        made, others = (some[some["set"] == name] for name in ("generated", "held-out"))
        cells = []
        for column in columns:
            test = stats.ttest_ind(made[column], others[column], equal_var=False)
            low, high = test.confidence_interval()
            found = np.array([made[column].mean() - others[column].mean(), low, high])
            middle, low, high = found / others[column].std()
            cells.append(f"{middle:.2f} [{low:.2f}, {high:.2f}]")
        lines.append([f"{flow}, {weights}, {width}", *cells])
    rows(["flow", *columns], lines)


def alignment(panel: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Flows over aligned and over raw weights side by side; the difference with Welch's interval.

    Intervals are over networks of one trained flow of each kind.
    """
    good = panel[(panel["set"] == "generated") & (panel["status"] == "ok")]
    summary = summary[summary["set"] == "generated"]
    both = ("aligned", "raw")
    lines = []
    for (flow, width), one in good.groupby(["flow", "width"], sort=False):
        if set(one["weights"]) < set(both):
            continue
        aligned, raw = (one.loc[one["weights"] == name, "accuracy"] for name in both)
        low, high = stats.ttest_ind(aligned, raw, equal_var=False).confidence_interval()
        known = summary[(summary["flow"] == flow) & (summary["width"] == width)]
        known = known.set_index("weights").loc[list(both)]
        ends = zip(known["accuracy"], known["accuracy_low"], known["accuracy_high"], strict=True)
        lines.append(
            [
                f"{flow}, {width}",
                *(f"{percent(x)} [{percent(a)}, {percent(b)}]" for x, a, b in ends),
                f"{percent(aligned.mean() - raw.mean())} [{percent(low)}, {percent(high)}]",
                ", ".join(f"{x:.2f}" for x in known["nearest_relative"]),
                ", ".join(percent(x, 0) for x in known["replica_share"]) + " %",
                ", ".join(f"{x:.2f}" for x in known["max_iou"]),
            ]
        )
    header = ["flow, width", "aligned", "raw", "difference", "distance", "replicas", "overlap"]
    rows(header, lines)


def solvers(table: pd.DataFrame) -> None:
    """Accuracy by evaluations and solver, a column for each width and kind of weights."""
    good = table[table["status"] == "ok"]
    columns = sorted(set(zip(good["width"], good["weights"], strict=True)))
    lines = []
    for (evaluations, solver), some in good.groupby(["evaluations", "solver"]):
        cells = [
            mean_of(some.loc[(some["width"] == width) & (some["weights"] == weights), "accuracy"])
            for width, weights in columns
        ]
        lines.append([f"{evaluations}, {solver}", *cells])
    rows(["evaluations, solver", *(f"{width}, {weights}" for width, weights in columns)], lines)


def conditional(summary: pd.DataFrame) -> None:
    """Accuracy of every flow and label by guidance, and the tests at guidance 1."""
    scales = sorted(summary["guidance"].dropna().unique())
    header = ["flow, label", "held-out", *(f"w = {w:g}" for w in scales), "distance at 1 (p)",
              "overlap at 1, held-out (p)", "right at 0, 1", "replicas", "distinct"]  # fmt: skip
    lines = []
    for (flow, weights, width, label), some in summary.groupby([*FLOW[:1], *FLOW[2:], "label"]):
        members = some[some["set"] == "held-out"].iloc[0]
        made = some[some["set"] == "generated"].set_index("guidance")
        one = made.loc[1.0]
        every = [members, *(made.loc[w] for w in scales)]
        half = [(row["accuracy_high"] - row["accuracy_low"]) / 2 for row in every]
        lines.append(
            [
                f"{flow}, {weights}, {width}: {label}",
                *(
                    f"{percent(x['accuracy'])} ± {percent(h)}"
                    for x, h in zip(every, half, strict=True)
                ),
                f"{one['nearest_relative']:.3f} ({p_value(one['nearest_p'])})",
                f"{one['max_iou']:.2f}, {members['max_iou']:.2f} ({p_value(one['max_iou_p'])})",
                f"{percent(made['right'][0.0], 0)} %, {percent(one['right'], 0)} %",
                f"{percent(made['replica_share'].max(), 0)} %",
                str(one["distinct"]),
            ]
        )
    rows(header, lines)


def transfer(table: pd.DataFrame) -> None:
    """Mean accuracy on another task after each number of epochs."""
    names = list(dict.fromkeys(table["set"]))
    lines = []
    for (flow, task), some in table.groupby(["flow", "task"], sort=False):
        means = some.groupby(["set", "epochs"])["accuracy"].mean()
        cells = [", ".join(percent(x) for x in means[name].sort_index()) for name in names]
        lines.append([str(flow), str(task), *cells])
    rows(["from", "to", *names], lines)


def costs() -> None:
    """CPU seconds of the jobs of flows."""
    lines = []
    for stage in ("train_flow", "sample_flow", "judge_samples"):
        for path in sorted(Path("results/benchmarks", stage).rglob("*.tsv")):
            spent = pd.read_csv(path, sep="\t")["cpu_time"].iloc[0]
            lines.append([stage, "/".join(path.with_suffix("").parts[3:]), f"{spent:.1f}"])
    rows(["stage", "flow", "CPU seconds"], lines)


def main() -> None:
    """One table after another."""
    found = {path.stem: pd.read_parquet(path) for path in sorted(TABLES.glob("*.parquet"))}
    shown: list[tuple[Callable[..., None], list[str]]] = [
        (sets, ["flow_summary"]),
        (differences, ["flow_panel"]),
        (alignment, ["flow_panel", "flow_summary"]),
        (solvers, ["flow_solvers"]),
        (conditional, ["conditional_summary"]),
        (transfer, ["transfer"]),
    ]
    for show, names in shown:
        if all(name in found for name in names):
            print(f"{show.__doc__ or ''}".splitlines()[0] + "\n")
            show(*(found[name] for name in names))
    costs()


if __name__ == "__main__":
    main()
