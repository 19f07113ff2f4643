"""Tables on generated neural ODEs: errors and novelty by set, questions and answers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from docs.numbers.page import markdown, share, short


def panel(table: pd.DataFrame) -> str:
    """Error of the vector field and novelty: medians over the neural ODEs of each set."""
    columns = {
        "error": "error of the vector field",
        "nearest": "distance in weights",
        "ratio": "nearest over second",
        "function_nearest": "distance in functions",
    }
    lines = []
    for system, of_system in table.groupby("system", sort=False):
        for name, rows in of_system.groupby("set", sort=False):
            cells = [short(rows[column].median()) for column in columns]
            lines.append([str(system), f"{name} ({len(rows)})", *cells])
    return markdown(["system", "neural ODEs", *columns.values()], lines)


def tests(panel: pd.DataFrame, runs: pd.DataFrame, points: pd.DataFrame) -> str:
    """Errors of trained beside generated ones by size, failures and fixed points."""
    both = ("held-out", "generated")
    sizes = sorted(runs["N"].unique())
    lines = []
    for system in dict.fromkeys(panel["system"]):
        pairs = []
        for name in both:
            of_field, errors, rests = (
                x[(x["system"] == system) & (x["set"] == name)] for x in (panel, runs, points)
            )
            pairs.append(
                [
                    short(of_field["error"].median()),
                    *(short(errors.loc[errors["N"] == size, "mae"].median()) for size in sizes),
                    share((errors.loc[errors["N"] == sizes[-1], "status"] != "ok").mean()),
                    f"{(rests['status'] == 'ok').sum()}/{len(rests)}",
                ]
            )
        lines.append([str(system), *(f"{a} / {b}" for a, b in zip(*pairs, strict=True))])
    header = ["system: held-out / generated", "error of the vector field"]
    header += [f"node error, N = {size:,}" for size in sizes]
    header += [f"failed, N = {sizes[-1]:,}", "fixed points found"]
    return markdown(header, lines)


def answers(questions: pd.DataFrame) -> str:
    """Every question over all β and γ of the zoo: a row a statistic and size."""
    systems = list(dict.fromkeys(questions["system"]))
    key = ["question", "statistic", "N", "unseen"]
    most = questions.groupby(["zoo", "system", *key])["cells"].transform("max")
    chosen = questions[(questions["cells"] == most) & ~questions["statistic"].str.contains("hubs")]
    lines = []
    for question, asked in chosen.groupby("question", sort=False):
        lines.append([f"**{question}**", *[""] * (1 + len(systems))])
        keys = asked[["statistic", "unseen", "N"]].drop_duplicates()
        for statistic, unseen, N in keys.itertuples(index=False, name=None):
            same = (asked["statistic"] == statistic) & (asked["unseen"] == unseen)
            rows = asked[same & (asked["N"] == N)].to_dict("records")
            by_system = {row["system"]: _answer(row) for row in rows}
            words = statistic + ", unseen β and γ" * (unseen and "other" not in statistic)
            lines.append([words, f"{N:,}", *(by_system.get(system, "") for system in systems)])
    return markdown(["statistic", "N", *systems], lines)


def _answer(row: dict[Hashable, Any]) -> str:
    if row["answer"] == "not answerable":
        return "not answerable"
    return f"{row['answer']}, {row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
