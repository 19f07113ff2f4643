"""Tables of what a run cost."""

from __future__ import annotations

import pandas as pd

from docs.numbers.page import markdown, percent, short


def by_rule(runtime: pd.DataFrame) -> str:
    """Jobs, processor seconds and memory by rule, those that take longest first."""
    rows = runtime.groupby("rule", sort=False).agg(
        jobs=("job", "size"), seconds=("seconds", "sum"), cpu=("cpu_seconds", "sum"),
        memory=("max_rss", "max"),
    ).sort_values("cpu", ascending=False)  # fmt: skip
    whole = rows["cpu"].sum()
    lines = [
        [
            f"`{name}`",
            f"{row.jobs:.0f}",
            f"{row.cpu:.0f}",
            f"{100 * row.cpu / whole:.0f} %",
            f"{row.memory:.0f}",
        ]
        for name, row in rows.iterrows()
    ]
    lines.append(
        ["all", str(rows["jobs"].sum()), f"{whole:.0f}", "100 %", f"{rows['memory'].max():.0f}"]
    )
    table = markdown(["rule", "jobs", "processor seconds", "share", "memory, MiB"], lines)
    text = "The start of Python in every job is part of it; figures, drawn after all, are not."
    return f"{table}\n{text}\n"


def payoff(table: pd.DataFrame, wanted: tuple[int, ...] = (1_000, 100_000)) -> str:
    """Processor seconds of networks, and what the same total buys in training for less."""
    lines = []
    for (zoo, way), rows in table.groupby(["zoo", "way"], sort=False):
        one, by_count = rows.iloc[0], rows.set_index("networks")
        cells = [
            f"{percent(by_count['trained_accuracy'][n])} ({short(by_count['epochs'][n])} epochs)"
            for n in wanted
        ]
        pays = "never" if one["pays_from"] == float("inf") else f"{one['pays_from']:,.0f}"
        costs = [short(one[name]) for name in ("member_cpu", "fit_cpu", "network_cpu")]
        generated = percent(one["generated_accuracy"])
        lines.append([str(zoo), str(way), *costs, pays, generated, *cells])
    header = [
        "zoo",
        "flow",
        "a member, s",
        "the fit, s",
        "a network, s",
        "pays from",
        "generated, %",
        *(f"trained for as much, {n:,} networks" for n in wanted),
    ]
    return markdown(header, lines)
