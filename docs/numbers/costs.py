"""Tables of what a run cost."""

from __future__ import annotations

import pandas as pd

from docs.numbers.page import markdown


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
