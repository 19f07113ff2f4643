"""Print the tables of "What you get" in README.md: python docs/readme_numbers.py.

Run it in the folder of a finished default run.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TABLES = Path("results/tables")
GAMMAS = (2.1, 3.0, 3.9)


def errors_over_size() -> None:
    """Median error at the smallest and the largest test size, by system and γ."""
    tests = pd.read_parquet(TABLES / "node_tests.parquet")
    tests = tests[(tests.variant == "plain") & (tests.method == "neural ODE")]
    same = tests[(tests.trained_gamma == tests.gamma) & (tests.trained_beta == tests.beta)]
    small, large = int(same.N.min()), int(same.N.max())
    failed = 100 * (tests.status != "ok").mean()
    print(f"{len(tests)} runs of a model on a graph, {failed:.1f} % failed; N = {small}, {large}\n")
    print("| system | " + " | ".join(f"γ = {gamma}" for gamma in GAMMAS) + " |")
    print("|---" * (len(GAMMAS) + 1) + "|")
    for system in dict.fromkeys(same.system):
        row = []
        for gamma in GAMMAS:
            mine = same[(same.system == system) & (same.gamma == gamma)]
            medians = mine.groupby("N").mae.median()
            a, b = medians[small], medians[large]
            row.append(f"{a:.1e} → {b:.1e} (×{b / a:.1f})")
        print(f"| {system} | " + " | ".join(row) + " |")
    print()


def spread_of_training() -> None:
    """Factors by which the training graph and the seed move a model's median error."""
    tests = pd.read_parquet(TABLES / "node_tests.parquet")
    tests = tests[
        (tests.variant == "plain") & (tests.method == "neural ODE") & (tests.status == "ok")
    ]
    same = tests[(tests.trained_gamma == tests.gamma) & (tests.trained_beta == tests.beta)]
    keys = ["system", "gamma", "N", "training_graph", "replicate"]
    groups = np.log(same.groupby(keys).mae.median()).groupby(keys[:4])
    seeds = int(groups.size().min())
    if seeds == 1:
        return
    within = groups.var(ddof=1).groupby("system").mean()
    between = groups.mean().groupby(keys[:3]).var(ddof=1).groupby("system").mean()
    print("exp(standard deviation of log MAE), variances averaged over γ and N\n")
    print("| system | seeds of one training graph | training graphs |\n|---|---|---|")
    for system in within.index:
        graphs = np.sqrt(max(between[system] - within[system] / seeds, 0.0))
        print(f"| {system} | {np.exp(np.sqrt(within[system])):.2f} | {np.exp(graphs):.2f} |")
    print()


def rows(name: str, columns: list[str]) -> None:
    """Some columns of a table as Markdown."""
    path = TABLES / f"{name}.parquet"
    table = pd.read_parquet(path)
    print(f"{path}\n\n| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|")
    for _, row in table.iterrows():
        values = (row[name] for name in columns)
        print(
            "| " + " | ".join(f"{x:.3g}" if isinstance(x, float) else str(x) for x in values), "|"
        )
    print()


if __name__ == "__main__":
    errors_over_size()
    spread_of_training()
    rows("bridge_questions", list(pd.read_parquet(TABLES / "bridge_questions.parquet").columns))
