"""Claims on warnings, on bands and flags, on laws, and on the tails that laws give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.judge.bootstrap import crossed_means, crossed_medians
from nodeflow.neural_ode.schemas import LAW, NEURAL_ODE

__all__ = [
    "BARELY",
    "Medians",
    "Row",
    "covering_claims",
    "growth_of",
    "law_claims",
    "quotient",
    "ratio",
    "tail_claims",
    "trust_claims",
    "warning_claims",
]

BARELY = 2.0
"""An error that grows by no more than this factor "barely degrades"."""

SLACK = 0.05
"""By so much less than they say may bands cover."""

FAILING = 1e-3
"""Share of runs that may fail where none should."""

_WHOSE = {
    NEURAL_ODE: ("an ensemble", ""),
    LAW: ("a law", " of a law"),
}
"""How claims name whose bands and flags they are."""

Medians = NDArray[np.float64]

Row = tuple[str, str, Medians, float]


def growth_of(
    same_cell: pd.DataFrame, small: int, random: np.random.Generator
) -> dict[float, Medians]:
    """Error at the largest size over that at the training size, by γ; none without both."""
    large = same_cell["N"].max()
    if same_cell.empty or large == small or small not in set(same_cell["N"]):
        return {}
    by_gamma = {
        gamma: same_cell[same_cell["gamma"] == gamma]
        for gamma in (same_cell["gamma"].min(), same_cell["gamma"].max())
    }
    return {
        gamma: ratio(rows[rows["N"] == large], rows[rows["N"] == small], "mae", random)
        for gamma, rows in by_gamma.items()
    }


def covering_claims(mine: pd.DataFrame, size: int, random: np.random.Generator) -> Iterator[Row]:
    """Whether training that covers the states of hubs helps."""
    covered = mine[mine["variant"] == "covering"]
    for (beta, gamma), rows in covered.groupby(["trained_beta", "trained_gamma"]):
        plain = mine[
            (mine["variant"] == "plain")
            & (mine["trained_beta"] == beta) & (mine["trained_gamma"] == gamma)
            & (mine["beta"] == beta) & (mine["gamma"] == gamma) & (mine["N"] == size)
        ]  # fmt: skip
        for column, where in (("mae_hubs", "hubs"), ("mae", "all nodes")):
            yield (
                f"conjecture: training on the hubs' states closes the gap ({where})",
                f"MAE over that of models trained up to the hubs' states, N = {size}, γ = {gamma}",
                ratio(plain, rows, column, random), BARELY,
            )  # fmt: skip


def warning_claims(areas: pd.DataFrame, random: np.random.Generator) -> Iterator[Row]:
    """Whether the spread of models warns, and warns better than degree does."""
    graphs = areas[areas["graph"] >= 0].assign(replicate=0, training_graph=0, status="ok")
    for gamma, rows in graphs.groupby("trained_gamma"):
        # Where all nodes are good, or all bad, there is nothing to warn of.
        rated = rows.dropna(subset=["area"])
        if rated.empty:
            continue
        spread, degree = (
            crossed_medians(rated[rated["signal"] == name], "area", random)
            for name in ("spread", "degree")
        )
        where = f"N = {rows['N'].iloc[0]}, γ = {gamma}"
        yield (
            "the spread of models warns of badly predicted nodes",
            f"area under its receiver curve, {where}", spread, 0.5,
        )  # fmt: skip
        yield (
            "the spread of models warns better than degree",
            f"area under its receiver curve over that of degree, {where}",
            quotient(spread, degree), 1.0,
        )  # fmt: skip


def trust_claims(same_cell: pd.DataFrame, small: int, random: np.random.Generator) -> Iterator[Row]:
    """Whether bands cover, and flags catch, of ensembles and of laws."""
    for method, whose in _WHOSE.items():
        yield from _trusted(same_cell[same_cell["method"] == method], whose, small, random)


def _trusted(
    of_method: pd.DataFrame, whose: tuple[str, str], small: int, random: np.random.Generator
) -> Iterator[Row]:
    # One ensemble on each graph, or some laws: intervals are over graphs and laws.
    rows = of_method[
        (of_method["gamma"] == of_method["gamma"].min()) & (of_method["status"] == "ok")
    ]
    rows = rows.assign(
        replicate=0, lift=rows["precision"] / rows["bad"],
        better=rows["mae_flagged"] / rows["mae_unflagged"],
    )  # fmt: skip
    for size in sorted({small, rows["N"].max()} & set(rows["N"])):
        of_size = rows[rows["N"] == size]
        where = f"N = {size}, γ = {of_size['gamma'].iloc[0]}"
        for level in (50, 90):
            for column, which in (("", "all nodes"), ("_unflagged", "nodes without a flag")):
                column = f"coverage_{level}{column}"
                # Where all nodes are flagged there are none without, and likewise below.
                rated = of_size.dropna(subset=[column])
                if len(rated):
                    yield (
                        f"bands of {whose[0]} cover what they say ({which})",
                        f"share of states inside the {level} % band, {where}",
                        crossed_means(rated, column, random), level / 100 - SLACK,
                    )  # fmt: skip
        if size == small:
            continue
        for claim, what, column, threshold in (
            (f"flags{whose[1]} find badly predicted nodes",
             "share of the nodes off by more than 1 % that are flagged", "recall", 0.5),
            (f"flags{whose[1]} tell badly predicted nodes from others",
             "share of them among the flagged nodes over that among all", "lift", 1.0),
            (f"nodes without a flag{whose[1]} are predicted better",
             "MAE of the flagged nodes over MAE of the others", "better", BARELY),
        ):  # fmt: skip
            rated = of_size.dropna(subset=[column])
            if len(rated):
                yield claim, f"{what}, {where}", crossed_medians(rated, column, random), threshold


def law_claims(
    laws: pd.DataFrame, models: pd.DataFrame, small: int, random: np.random.Generator
) -> Iterator[Row]:
    """Whether laws err less than the neural ODEs of their graphs."""
    growth = growth_of(laws, small, random)
    large = laws["N"].max()
    grown = f"MAE of the law at N = {large} over that at N = {small}"
    for gamma, medians in growth.items():
        yield (
            f"a law learned on {small} nodes keeps its error on larger graphs",
            f"{BARELY:g} over ({grown}), γ = {gamma}",
            BARELY / medians, 1.0,
        )  # fmt: skip
        one, other = (x[(x["gamma"] == gamma) & (x["N"] == large)] for x in (models, laws))
        yield (
            "a law errs less than a neural ODE on large graphs",
            f"MAE of the neural ODE over that of the law, γ = {gamma}, N = {large}",
            ratio(one, other, "mae", random), 1.0,
        )  # fmt: skip


def tail_claims(
    tailed: pd.DataFrame, models: pd.DataFrame, random: np.random.Generator
) -> Iterator[Row]:
    """Whether tails of laws make neural ODEs err less."""
    gamma, large = tailed["gamma"].min(), tailed["N"].max()
    rows = tailed[(tailed["gamma"] == gamma) & (tailed["N"] == large)]
    if rows.empty:
        return
    same = models[models["training_graph"].isin(rows["training_graph"])]
    same = same[(same["gamma"] == gamma) & (same["N"] == large)]
    yield (
        "a neural ODE with the tails of a law can be integrated on large graphs",
        f"share of runs that do not fail, γ = {gamma}, N = {large}",
        crossed_means(rows.assign(done=(rows["status"] == "ok").astype(float)), "done", random),
        1.0 - FAILING,
    )
    yield (
        "the tails of a law lower the errors of a neural ODE on large graphs",
        f"MAE of the neural ODE over that of the same with tails, γ = {gamma}, N = {large}",
        ratio(same, rows, "mae", random), 1.0,
    )  # fmt: skip


def ratio(
    above: pd.DataFrame, below: pd.DataFrame, value: str, random: np.random.Generator
) -> Medians:
    """Medians of one column above over those below, resampled."""
    return quotient(crossed_medians(above, value, random), crossed_medians(below, value, random))


def quotient(one: Medians, other: Medians) -> Medians:
    """Medians over others, resample by resample; none where either is empty."""
    if not len(one) or not len(other):
        return np.empty(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios: Medians = one / other
    return ratios
