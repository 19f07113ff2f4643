"""Figure of what a run cost: seconds and memory of every rule, from the benchmark files."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from nodeflow.figures.style import note, panels
from nodeflow.runtime import waiting

__all__ = ["draw_runtime"]


def draw_runtime(runtime: pd.DataFrame, resources: pd.DataFrame) -> Figure:
    """Total and longest time, and largest memory beside what is asked of a cluster, by rule.

    Args:
        runtime: one row a job: columns rule, seconds, max_rss (MiB; NaN where a job was too short
            to be sampled), ended.
        resources: one row a rule: columns rule, requested_mem_mb.
    """
    rules = runtime.groupby("rule")
    totals = rules["seconds"].sum().sort_values()
    figure, (left, right) = panels(2, columns=2, width=4.6, height=0.26 * len(totals) + 0.9)
    left.barh(totals.index, totals, color="#56B4E9", label="all jobs")
    left.barh(totals.index, rules["seconds"].max()[totals.index], color="#0072B2", label="longest")
    counts = rules["seconds"].count()[totals.index]
    for name, seconds, count in zip(totals.index, totals, counts, strict=True):
        text = f" {count} job" + "s" * (count > 1)
        left.annotate(text, (seconds, str(name)), va="center", fontsize=6.5)
    left.set(xlabel="wall-clock seconds")
    left.margins(x=0.18)
    left.legend()
    memory = rules["max_rss"].max()[totals.index]
    right.barh(totals.index, memory.fillna(0), color="#E69F00")
    requested = resources.set_index("rule")["requested_mem_mb"][totals.index]
    right.plot(requested, totals.index, "|", color="black", markersize=7, label="asked of SLURM")
    right.set(xlabel="largest resident memory, MiB", yticklabels=[])
    right.legend()
    cores, share = waiting(runtime)
    note(
        left,
        f"{len(runtime)} jobs, {totals.sum():.0f} s in all\n"
        f"{cores} cores, {share:.0%} of their time without a job",
    )
    return figure
