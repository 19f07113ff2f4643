"""Print the tables of docs/trust.md: python docs/trust_numbers.py.

Run it in the folder of a run; ensembles that are not tested yet are left out.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.node.trust_table import COLLECTED_TRUST
from nodeflow.tables import gather

BANDS = {
    "stretch_90": "stretch, 90 %",
    "student_50": "50 %, Student",
    "student_90": "90 %, Student",
    "coverage_50": "50 %",
    "coverage_90": "90 %",
    "coverage_50_unflagged": "50 %, no flag",
    "coverage_90_unflagged": "90 %, no flag",
    "width_90": "half width, 90 %",
}
FLAGS = {
    "flagged": "flagged",
    "bad": "off by > 1 %",
    "precision": "precision",
    "recall": "recall",
    "error_flagged": "error, flagged",
    "error_unflagged": "error, no flag",
    "mae_flagged": "MAE, flagged",
    "mae_unflagged": "MAE, no flag",
}


def short(number: float) -> str:
    """Two digits; nothing for what there is not."""
    return "" if pd.isna(number) else f"{float(f'{number:.2g}'):g}"


def share(number: float) -> str:
    """Per cent, in whole ones; nothing for what there is not."""
    return "" if pd.isna(number) else f"{100 * number:.0f} %"


def printed(rows: pd.DataFrame, columns: Mapping[str, str]) -> None:
    """Means over test graphs; of coverage also the smallest and the largest."""
    print(
        "| system, N | " + " | ".join(columns.values()) + " |\n" + "|---" * (len(columns) + 1) + "|"
    )
    for (system, size), graphs in rows.groupby(["system", "N"], sort=False):
        cells = []
        for column in columns:
            mean, low, high = graphs[column].agg(["mean", "min", "max"])
            number = column.startswith(("mae", "error", "width", "stretch"))
            cells.append(short(mean) if number else share(mean))
            if column.startswith("coverage"):
                cells[-1] += f" [{100 * low:.0f}, {100 * high:.0f}]"
        print(f"| {system}, {size:,} | " + " | ".join(cells) + " |")
    print()


def main() -> None:
    """For each γ, on graphs of the training cell's own β and γ: a table of bands, one of flags."""
    files = sorted(Path().glob("results/node/tests/*/plain/*/*/trust.parquet"))
    trust = gather([str(file) for file in files], COLLECTED_TRUST)
    systems = {name: place for place, name in enumerate(SYSTEMS)}
    trust = trust.sort_values("N", kind="stable")
    trust = trust.sort_values("system", key=lambda x: x.map(systems), kind="stable")
    own = trust.query("gamma == trained_gamma and beta == trained_beta")
    for gamma, rows in own.groupby("gamma"):
        print(f"γ = {gamma}; {(rows['status'] != 'ok').sum()} of {len(rows)} without bands\n")
        printed(rows, BANDS)
        printed(rows, FLAGS)


if __name__ == "__main__":
    main()
