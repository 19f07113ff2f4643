"""Fill the tables of docs/bridge.md about five systems: python docs/bridge_numbers.py.

Run it in the folder of a finished run of `results/tables/bridge_questions.parquet` with
`config/bridge.yaml`. The tables stand between the two marks in docs/bridge.md.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd

from nodeflow.bridge.members import read_members

TABLES = Path("results/tables")
PAGE = Path(__file__).parent / "bridge.md"
BEGIN, END = "<!-- filled by docs/bridge_numbers.py -->", "<!-- end -->"
SETS = ("held-out", "generated")


def table(name: str) -> pd.DataFrame:
    """One of the bridge's tables."""
    return pd.read_parquet(TABLES / f"bridge_{name}.parquet")


def zoos(systems: list[str]) -> list[str]:
    """Time and error of the zoo by system, trained beside generated."""
    panel, runs, points = table("panel"), table("runs"), table("fixed_points")
    large = int(runs["N"].max())
    lines = [
        "| system | neural ODEs trained | failed | CPU seconds | error of vector field "
        f"| node error, N = 64 | failed integrations, N = {large:,} | fixed points found |",
        "|---" * 8 + "|",
    ]
    for system in systems:
        members = read_members(f"results/bridge/all/members/{system}.safetensors")
        time = pd.read_csv(f"results/benchmarks/train_bridge/all/{system}.tsv", sep="\t")
        pairs = []
        for name in SETS:
            of_set = [
                x[(x["system"] == system) & (x["set"] == name)] for x in (panel, runs, points)
            ]
            field, errors, found = of_set
            failed = (errors.loc[errors["N"] == large, "status"] != "ok").mean()
            pairs.append(
                [
                    f"{field['error'].median():.2g}",
                    f"{errors.loc[errors['N'] == 64, 'mae'].median():.2g}",
                    f"{failed:.0%}",
                    f"{(found['status'] == 'ok').sum()}/{len(found)}",
                ]
            )
        both = [f"{a} / {b}" for a, b in zip(*pairs, strict=True)]
        seconds = f"{time['cpu_time'].iloc[0]:.0f}"
        row = [system, str(len(members)), str(int((~members.ok).sum())), seconds, *both]
        lines.append(f"| {' | '.join(row)} |")
    return lines


def answers(systems: list[str]) -> list[str]:
    """Every question over all β and γ of the zoo: a row a statistic and size."""
    questions = table("questions")
    key = ["question", "statistic", "N", "unseen"]
    most = questions.groupby(["zoo", "system", *key])["cells"].transform("max")
    chosen = questions[(questions["cells"] == most) & ~questions["statistic"].str.contains("hubs")]
    lines = [f"| statistic | N | {' | '.join(systems)} |", "|---" * (2 + len(systems)) + "|"]
    for question, asked in chosen.groupby("question", sort=False):
        lines.append(f"| **{question}** |{' |' * (1 + len(systems))}")
        keys = asked[["statistic", "unseen", "N"]].drop_duplicates()
        for statistic, unseen, N in keys.itertuples(index=False, name=None):
            same = (asked["statistic"] == statistic) & (asked["unseen"] == unseen)
            rows = asked[same & (asked["N"] == N)].to_dict("records")
            by_system = {row["system"]: _answer(row) for row in rows}
            cells = [by_system.get(system, "") for system in systems]
            words = statistic + ", unseen β and γ" * (unseen and "other" not in statistic)
            lines.append(f"| {words} | {N:,} | {' | '.join(cells)} |")
    return lines


def _answer(row: dict[Hashable, Any]) -> str:
    if row["answer"] == "not answerable":
        return "not answerable"
    return f"{row['answer']}, {row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


if __name__ == "__main__":
    names = list(dict.fromkeys(table("questions")["system"]))
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    filled = "\n".join(["", *zoos(names), "", *answers(names), ""])
    PAGE.write_text(f"{before}{BEGIN}\n{filled}\n{END}{rest.split(END)[1]}", encoding="utf-8")
