"""Tables of the published grid: what holds over all cells, and what clustering alone does."""

from __future__ import annotations

import pandas as pd

from docs.numbers import neural_ode
from docs.numbers.neural_ode import in_columns
from docs.numbers.page import markdown, short
from nodeflow.judge.bootstrap import true_failed
from nodeflow.judge.cell_claims import OVER_CELLS
from nodeflow.judge.clustering import clustering_effect, with_ratios
from nodeflow.neural_ode.collected import own_cell
from nodeflow.neural_ode.schemas import NEURAL_ODE
from nodeflow.seeds import numpy_generator

SEED = 1
"""Of the bootstraps."""


def over_cells(claims: pd.DataFrame) -> str:
    """One row a statistic over cells, one column a system."""
    return in_columns(claims[claims["statistic"].str.startswith(OVER_CELLS)])


def in_one_cell(claims: pd.DataFrame) -> str:
    """The other claims of the paper."""
    return neural_ode.claims(claims[~claims["statistic"].str.startswith(OVER_CELLS)], trust=False)


def rewired(runs: pd.DataFrame) -> str:
    """By which factor clustering alone multiplies errors: over all cells, and at the largest β."""
    runs = with_ratios(runs)
    highest = runs["beta"].max()
    parts = {"all β": runs, f"β = {highest:g}": runs[runs["beta"] == highest]}
    lines = []
    for system in dict.fromkeys(runs["system"]):
        cells = []
        for name, rows in parts.items():
            mine = rows[rows["system"] == system]
            value, low, high = clustering_effect(mine, numpy_generator(SEED, name, system))
            cells.append(f"×{value:.3f} [{low:.3f}, {high:.3f}]")
        failed = (runs.loc[runs["system"] == system, "status"] != "ok").sum()
        lines.append([str(system), *cells, str(failed)])
    taken = runs["clustering_original"].mean(), runs["clustering"].mean()
    table = markdown(["system", *parts, "failed runs"], lines)
    return (
        f"{table}\nMean clustering {short(taken[0])} of the graphs, {short(taken[1])} of their "
        f"copies; {len(runs):,} pairs of runs.\n"
    )


def mean_degrees(measured: pd.DataFrame) -> str:
    """Mean degree of test graphs, mean and standard deviation over β and graphs, by γ and size."""
    of_tests = measured[measured["role"] == "test"]
    sizes = sorted(of_tests["N"].unique())
    lines = []
    for gamma, rows in of_tests.groupby("gamma"):
        degrees = [rows.loc[rows["N"] == size, "mean_degree"] for size in sizes]
        lines.append([str(gamma), *(f"{x.mean():.2f} ± {x.std():.2f}" for x in degrees)])
    table = markdown(["γ", *(f"N = {size:,}" for size in sizes)], lines)
    return f"{table}\n{len(of_tests):,} graphs, {of_tests['beta'].nunique()} values of β.\n"


def failures(tests: pd.DataFrame) -> str:
    """Runs of neural ODEs on graphs of their own cell that failed, those without a truth apart."""
    plain = tests[(tests["method"] == NEURAL_ODE) & (tests["variant"] == "plain")]
    of_models = plain[own_cell(plain)]
    lines = []
    for system, rows in of_models.groupby("system", sort=False):
        lost, untold = rows["status"] != "ok", true_failed(rows)
        counts = (len(rows), untold.sum(), (lost & ~untold).sum())
        lines.append([str(system), *(f"{int(count):,}" for count in counts)])
    return markdown(["system", "runs", "true system failed", "neural ODE failed"], lines)


def both_sets(claims: pd.DataFrame, others: pd.DataFrame) -> str:
    """Claims under two sets of parameters: for which systems both, one or none confirms each.

    Args:
        claims: of the run with parameters from the literature.
        others: of the default run.
    """
    keys = ["claim", "statistic", "system"]
    both = claims.merge(others, on=keys, suffixes=("_literature", "_ours"), validate="1:1")
    lines = []
    for (claim, statistic), rows in both.groupby(["claim", "statistic"], sort=False):
        found: dict[str, list[str]] = {"both": [], "ours": [], "literature": [], "neither": []}
        for row in rows.to_dict("records"):
            held = [row[f"verdict_{name}"] == "confirmed" for name in ("ours", "literature")]
            place = {(True, True): "both", (True, False): "ours", (False, True): "literature"}
            found[place.get((held[0], held[1]), "neither")].append(str(row["system"]))
        names = [", ".join(systems) for systems in found.values()]
        lines.append([str(claim), str(statistic).replace("|", "\\|"), *names])
    header = ["claim", "statistic", "both", "ours alone", "literature alone", "neither"]
    survive = sum(both["verdict_ours"].eq("confirmed") & both["verdict_literature"].eq("confirmed"))
    ours = both["verdict_ours"].eq("confirmed").sum()
    return (
        f"{markdown(header, lines)}\nOf {ours} claims that our parameters confirm, {survive} are "
        "confirmed with those of the literature too.\n"
    )
