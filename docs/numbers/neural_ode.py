"""Tables on neural ODEs: errors over size, what seeds and graphs move, claims, bands and flags."""

from __future__ import annotations

import numpy as np
import pandas as pd

from docs.numbers.page import markdown, share, short, verdict
from nodeflow.judge.topics import in_words, topic_of
from nodeflow.neural_ode.collected import own_cell

TRUST = "Do bands and flags hold?"

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


def errors_over_size(tests: pd.DataFrame) -> str:
    """Median error at the smallest and the largest test size, by system and γ."""
    tests = _models(tests)
    of_models = _own(tests)
    small, large = int(of_models["N"].min()), int(of_models["N"].max())
    gammas = sorted(of_models["gamma"].unique())
    lines = []
    for system in dict.fromkeys(of_models["system"]):
        cells = []
        for gamma in gammas:
            mine = of_models[(of_models["system"] == system) & (of_models["gamma"] == gamma)]
            before, after = (mine.loc[mine["N"] == size, "mae"].median() for size in (small, large))
            cells.append(f"{before:.1e} → {after:.1e} (×{_factor(after / before)})")
        lines.append([system, *cells])
    failed = share((tests["status"] != "ok").mean(), 1)
    table = markdown([f"system, N = {small} → {large:,}", *(f"γ = {x}" for x in gammas)], lines)
    return f"{table}\n{len(tests):,} runs of a model on a graph, of which {failed} failed.\n"


def errors_of_methods(tests: pd.DataFrame) -> str:
    """Median error at each test size, by system, γ and method."""
    tests = tests[own_cell(tests) & (tests["variant"] == "plain")]
    sizes = sorted(tests["N"].unique())
    lines = []
    for labels, runs in tests.groupby(["system", "gamma", "method"], sort=False):
        cells = [_median(runs[runs["N"] == size]) for size in sizes]
        lines.append([*map(str, labels), *cells])
    return markdown(["system", "γ", "model", *(f"N = {size:,}" for size in sizes)], lines)


def spread_of_training(tests: pd.DataFrame) -> str:
    """Factors by which one standard deviation of seeds or of training graphs moves an error."""
    of_models = _own(tests[tests["status"] == "ok"])
    keys = ["system", "gamma", "N", "training_graph", "replicate"]
    groups = np.log(of_models.groupby(keys, sort=False)["mae"].median()).groupby(
        keys[:4], sort=False
    )
    if (seeds := int(groups.size().min())) < 2:
        return "Each training graph has one seed, so nothing is known of the spread.\n"
    within = groups.var(ddof=1).groupby("system", sort=False).mean()
    means = groups.mean().groupby(keys[:3], sort=False)
    between = means.var(ddof=1).groupby("system", sort=False).mean()
    graphs = np.sqrt((between - within / seeds).clip(lower=0.0))
    lines = [
        [str(system), f"×{np.exp(np.sqrt(within[system])):.2f}", f"×{np.exp(graphs[system]):.2f}"]
        for system in within.index
    ]
    return markdown(["system", "seeds of one training graph", "training graphs"], lines)


def verdicts(table: pd.DataFrame, trust: bool) -> str:
    """A row a claim, by question: for which systems it holds, in words."""
    told = in_words(table.dropna(subset=["value"]))
    told = told[(told["topic"] == TRUST) == trust]
    lines = []
    for topic, rows in told.groupby("topic", sort=False):
        lines.append([f"**{topic}**", "", "", ""])
        lines += rows[["claim", "holds", "open", "fails"]].to_numpy().tolist()
    return markdown(["claim", "holds for", "open for", "does not hold for"], lines)


def claims(table: pd.DataFrame, trust: bool) -> str:
    """One row a statistic, one column a system; of the paper's claims, or of those on trust."""
    of_trust = table["claim"].map(topic_of) == TRUST
    return in_columns(table[of_trust == trust])


def claims_on_laws(table: pd.DataFrame) -> str:
    """The same of laws, and of the tails that neural ODEs have of them."""
    of_laws = table["claim"].str.contains("law") & (table["claim"].map(topic_of) != TRUST)
    return in_columns(table[of_laws])


def in_columns(table: pd.DataFrame) -> str:
    """Rows of `CLAIMS` as one row a statistic and one column a system, and how many hold."""
    table = table.dropna(subset=["value"])
    systems = [name for name in dict.fromkeys(table["system"]) if name != "all"]
    lines = []
    for (claim, statistic), rows in table.groupby(["claim", "statistic"], sort=False):
        claimed = {row["system"]: verdict(row) for row in rows.to_dict("records")}
        joint = [claimed["all"], *[""] * (len(systems) - 1)] if "all" in claimed else None
        cells = joint or [claimed.get(system, "") for system in systems]
        above = f"{rows['threshold'].iloc[0]:g}"
        lines.append([str(claim), str(statistic).replace("|", "\\|"), above, *cells])
    counts = table["verdict"].value_counts()
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    header = ["claim", "statistic", "holds above", *systems]
    return f"{markdown(header, lines)}\n{told}.\n"


def bands(trust: pd.DataFrame) -> str:
    """Coverage of bands at the smallest γ: mean, smallest and largest of the test graphs."""
    return _trust(trust, BANDS)


def flags(trust: pd.DataFrame) -> str:
    """What flags find at the smallest γ: means over test graphs."""
    return _trust(trust, FLAGS)


def _models(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of neural ODEs, where a table has those of laws too."""
    return table[table["method"] == "neural ODE"] if "method" in table else table


def _own(tests: pd.DataFrame) -> pd.DataFrame:
    tests = _models(tests)
    return tests[own_cell(tests) & (tests["variant"] == "plain")]


def _median(runs: pd.DataFrame) -> str:
    """The median error, and how many runs failed, which have none."""
    failed = int((runs["status"] != "ok").sum())
    error = runs["mae"].median()
    told = "" if np.isnan(error) else f"{error:.1e}"
    return f"{told} ({failed} of {len(runs)} failed)".strip() if failed else told


def _factor(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def _trust(trust: pd.DataFrame, columns: dict[str, str]) -> str:
    trust = _models(trust)
    same = own_cell(trust)
    gamma = trust.loc[same, "gamma"].min()
    rows = trust[same & (trust["gamma"] == gamma)]
    lines = []
    for system in dict.fromkeys(rows["system"]):
        for size, graphs in rows[rows["system"] == system].groupby("N"):
            cells = []
            for column in columns:
                mean, low, high = graphs[column].agg(["mean", "min", "max"])
                number = column.startswith(("mae", "error", "width", "stretch"))
                cells.append(short(mean) if number else share(mean))
                if column.startswith("coverage"):
                    cells[-1] += f" [{100 * low:.0f}, {100 * high:.0f}]"
            lines.append([f"{system}, {size:,}", *cells])
    without = (rows["status"] != "ok").sum()
    table = markdown(["system, N", *columns.values()], lines)
    return (
        f"{table}\nγ = {gamma}; {without} of {len(rows)} ensembles on a graph are without bands.\n"
    )
