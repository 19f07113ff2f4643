"""Print the table of docs/claims.md: python docs/claims_numbers.py.

Run it in the folder of a finished run of config/claims.yaml, or of any other.
"""

import pandas as pd

MARKS = {"confirmed": "**{}**", "contradicted": "*{}*", "open": "{}"}


def short(number: float) -> str:
    """Two digits."""
    return f"{float(f'{number:.2g}'):,g}"


def cell(row: pd.Series) -> str:
    """A statistic with its interval, in the type of its verdict."""
    text = f"{short(row.value)} [{short(row.low)}, {short(row.high)}]"
    return MARKS[row.verdict].format(text)


def main() -> None:
    """One row a statistic, one column a system; then how many verdicts there are of each kind."""
    claims = pd.read_parquet("results/tables/claims.parquet")
    systems = [name for name in dict.fromkeys(claims.system) if name != "all"]
    print("| claim | statistic | holds above | " + " | ".join(systems) + " |")
    print("|---" * (len(systems) + 3) + "|")
    for (claim, statistic), rows in claims.groupby(["claim", "statistic"], sort=False):
        found = {row.system: cell(row) for _, row in rows.iterrows()}
        joint = [found["all"], *[""] * (len(systems) - 1)] if "all" in found else None
        cells = joint or [found.get(system, "") for system in systems]
        statistic = str(statistic).replace("|", "\\|")
        print(f"| {claim} | {statistic} | {rows.threshold.iloc[0]:g} | " + " | ".join(cells) + " |")
    print(
        "\n" + ", ".join(f"{n} {verdict}" for verdict, n in claims.verdict.value_counts().items())
    )


if __name__ == "__main__":
    main()
