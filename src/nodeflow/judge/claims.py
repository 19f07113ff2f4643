"""The claims of Laber, Eliassi-Rad and Klein (2026, arXiv:2602.08980), and ours, with verdicts.

A claim is turned into one number with a threshold: above it the claim holds. The claim is confirmed
if the number's whole 95 % interval lies above, contradicted if it lies below, and open otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.judge.bootstrap import crossed_means, crossed_medians, interval, shared_medians
from nodeflow.judge.cell_claims import cell_claims
from nodeflow.judge.schemas import CLAIMS
from nodeflow.judge.trust_claims import (
    BARELY,
    Medians,
    Row,
    covering_claims,
    growth_of,
    law_claims,
    quotient,
    ratio,
    tail_claims,
    trust_claims,
    warning_claims,
)
from nodeflow.judge.variance import share_of_columns
from nodeflow.neural_ode.collected import own_cell
from nodeflow.neural_ode.schemas import LAW, NEURAL_ODE, TAILED
from nodeflow.seeds import numpy_generator

__all__ = ["judge_claims", "verdict"]


_GROWS = {name for name, system in SYSTEMS.items() if system.grows}


def verdict(low: float, high: float, threshold: float) -> str:
    """What an interval says about a claim that holds above `threshold`."""
    if np.isnan(low) or np.isnan(high):
        return "open"
    if low > threshold:
        return "confirmed"
    return "contradicted" if high < threshold else "open"


def judge_claims(
    tests: pd.DataFrame,
    fixed_points: pd.DataFrame,
    hidden: pd.DataFrame,
    noise: pd.DataFrame,
    areas: pd.DataFrame,
    trust: pd.DataFrame,
    *,
    training_size: int,
    detail_size: int,
    structure_size: int,
    structure_trained: list[float],
    seed: int,
) -> pd.DataFrame:
    """All claims for all systems.

    More than eight parameters, because claims are about all tables of tests, at all sizes of
    the run.

    Args:
        tests: runs on all test graphs (`COLLECTED_TESTS`).
        fixed_points: `COLLECTED_FIXED_POINTS`.
        hidden: `COLLECTED_HIDDEN`.
        noise: `COLLECTED_NOISE`.
        areas: under the curves of warning signals (`AREAS`).
        trust: in bands and flags of ensembles and laws (`COLLECTED_TRUST`).
        training_size: number of nodes of the training graphs.
        detail_size: number of nodes of the graphs that the covering models are tested on.
        structure_size: of the graphs of the structure experiment.
        structure_trained: β and γ of the models of the structure experiment.
        seed: the run's root seed.

    Returns:
        Rows with the columns of `CLAIMS`; system "all" where systems are compared.
    """
    rows = []
    growths = {}
    laws, tailed = (tests[tests["method"] == method] for method in (LAW, TAILED))
    tests, fixed_points, hidden, noise = (
        table[table["method"] == NEURAL_ODE] for table in (tests, fixed_points, hidden, noise)
    )
    for system in dict.fromkeys(tests["system"]):
        random = numpy_generator(seed, "claims", system)
        mine = tests[tests["system"] == system]
        plain = mine[mine["variant"] == "plain"]
        same_cell = _own(plain, structure_trained)
        grid = plain[
            (plain["N"] == structure_size)
            & (plain["trained_beta"] == structure_trained[0])
            & (plain["trained_gamma"] == structure_trained[1])
        ]
        growth = growth_of(same_cell, training_size, random)
        parts: list[Iterator[Row]] = [
            _size(system, same_cell, growth, training_size, random),
            _outside(same_cell, training_size, random),
            _structure(grid, structure_trained, random),
            _stability(fixed_points[fixed_points["system"] == system], random),
            _hidden(hidden[hidden["system"] == system], random),
            _noise(noise[noise["system"] == system], random),
            covering_claims(mine, detail_size, random),
            warning_claims(areas[areas["system"] == system], random),
            trust_claims(
                _own(trust[trust["system"] == system], structure_trained), training_size, random
            ),
            law_claims(
                _own(laws[laws["system"] == system].query("variant == 'plain'"), structure_trained),
                same_cell,
                training_size,
                numpy_generator(seed, "claims", "laws", system),
            ),
            tail_claims(
                _own(
                    tailed[tailed["system"] == system].query("variant == 'plain'"),
                    structure_trained,
                ),
                same_cell,
                numpy_generator(seed, "claims", "tails", system),
            ),
            cell_claims(mine, numpy_generator(seed, "claims", "cells", system)),
        ]
        rows += [_judged(system, row) for part in parts for row in part]
        if growth:
            growths[system] = growth[min(growth)]
    rows += [_judged("all", row) for row in _dynamics(growths)]
    return pd.DataFrame(rows, columns=list(CLAIMS.columns))


def _own(plain: pd.DataFrame, structure_trained: list[float]) -> pd.DataFrame:
    """Tests on graphs of the training cell's own β and γ, at the β of the structure experiment."""
    return plain[own_cell(plain) & (plain["beta"] == structure_trained[0])]


def _judged(system: str, row: Row) -> tuple[object, ...]:
    claim, statistic, medians, threshold = row
    value, low, high = interval(medians)
    return claim, system, statistic, value, low, high, threshold, verdict(low, high, threshold)


def _dynamics(growths: Mapping[str, Medians]) -> Iterator[Row]:
    grow = [growth for system, growth in growths.items() if system in _GROWS]
    rest = [growth for system, growth in growths.items() if system not in _GROWS]
    if grow and rest:
        yield (
            "the dynamics decides whether errors grow with size",
            "growth of the MAE with size at the smallest γ: smallest of "
            f"{', '.join(s for s in growths if s in _GROWS)} over largest of the others",
            quotient(np.min(grow, axis=0), np.max(rest, axis=0)), 1.0,
        )  # fmt: skip


def _size(
    system: str,
    same_cell: pd.DataFrame,
    growth: Mapping[float, Medians],
    small: int,
    random: np.random.Generator,
) -> Iterator[Row]:
    if not growth:
        return
    gammas, large = sorted(growth), same_cell["N"].max()
    what = f"MAE at N = {large} over MAE at N = {small}"
    steep = growth[gammas[0]]
    if system in _GROWS:
        yield (
            "errors grow with size on heterogeneous graphs",
            f"{what}, γ = {gammas[0]}", steep, BARELY,
        )  # fmt: skip
    else:
        yield (
            "errors barely grow with size",
            f"{BARELY:g} over ({what}), γ = {gammas[0]}", BARELY / steep, 1.0,
        )  # fmt: skip
    if len(gammas) > 1:
        yield (
            "errors grow more where degrees are more heterogeneous",
            f"({what}) at γ = {gammas[0]} over that at γ = {gammas[-1]}",
            steep / growth[gammas[-1]], 1.0,
        )  # fmt: skip
    largest = same_cell[(same_cell["gamma"] == gammas[0]) & (same_cell["N"] == large)]
    relative = largest.assign(share=largest["mae_hubs"] / largest["mae"])
    yield (
        "errors concentrate at hubs",
        f"MAE of the top 1 % of degrees over MAE of all, γ = {gammas[0]}, N = {large}",
        crossed_medians(relative, "share", random), 1.0,
    )  # fmt: skip
    relative = largest.assign(share=largest["mae_mean_field"] / largest["mae"])
    yield (
        "a neural ODE beats the mean field on large graphs",
        f"MAE of the mean field over MAE, γ = {gammas[0]}, N = {large}",
        crossed_medians(relative, "share", random), 1.0,
    )  # fmt: skip


def _outside(same_cell: pd.DataFrame, small: int, random: np.random.Generator) -> Iterator[Row]:
    large = same_cell["N"].max()
    if same_cell.empty or large == small:
        return
    gamma = same_cell["gamma"].min()
    largest = same_cell[(same_cell["gamma"] == gamma) & (same_cell["N"] == large)]
    yield (
        "conjecture: hubs leave the states seen in training",
        f"share of times outside them of the top 1 % of degrees, γ = {gamma}, N = {large}",
        crossed_medians(largest, "outside_hubs", random), 0.5,
    )  # fmt: skip
    before = same_cell[(same_cell["gamma"] == gamma) & (same_cell["N"] == small)]
    yield (
        "conjecture: nodes that stay among the states seen are predicted as before",
        f"{BARELY:g} over (MAE of the nodes never outside at N = {large} over MAE at N = {small}), "
        f"γ = {gamma}",
        BARELY / quotient(
            crossed_medians(largest, "mae_inside", random), crossed_medians(before, "mae", random)
        ),
        1.0,
    )  # fmt: skip


def _structure(
    grid: pd.DataFrame, trained: list[float], random: np.random.Generator
) -> Iterator[Row]:
    betas, gammas = sorted(grid["beta"].unique()), sorted(grid["gamma"].unique())
    if len(betas) < 2 or len(gammas) < 2:
        return
    cells = [grid[(grid["beta"] == b) & (grid["gamma"] == g)] for b in betas for g in gammas]
    logs = np.log(shared_medians(cells, "mae", random)).reshape(len(betas), len(gammas), -1)
    yield (
        "clustering matters less than heterogeneity",
        "share of γ in the variance of log MAE over γ and over β",
        share_of_columns(logs), 0.5,
    )  # fmt: skip
    gamma = trained[1] if trained[1] in gammas else gammas[0]
    yield (
        "low clustering is easier",
        f"MAE at β = {betas[-1]} over MAE at β = {betas[0]}, γ = {gamma}",
        np.exp(logs[-1, gammas.index(gamma)] - logs[0, gammas.index(gamma)]), 1.0,
    )  # fmt: skip


def _stability(points: pd.DataFrame, random: np.random.Generator) -> Iterator[Row]:
    for gamma, rows in points.groupby("trained_gamma"):
        agree = (rows["rightmost_giant"] < 0).astype(float)
        stable = rows.assign(stable=agree)
        yield (
            "fixed points are mostly stable",
            f"share of runs with a stable fixed point on the largest component, γ = {gamma}",
            crossed_means(stable, "stable", random), 0.5,
        )  # fmt: skip
        relative = rows.assign(displacement=rows["mae_giant"] / rows["size"])
        yield (
            "fixed points are displaced",
            f"mean displacement over mean |x*|, largest component, γ = {gamma}",
            crossed_medians(relative[relative["status"] == "ok"], "displacement", random), 0.01,
        )  # fmt: skip


def _hidden(hidden: pd.DataFrame, random: np.random.Generator) -> Iterator[Row]:
    if hidden.empty:
        return
    most = hidden["removed"].max()
    last = hidden[hidden["removed"] == most]
    for gamma, rows in last.groupby("trained_gamma"):
        grown = rows.assign(growth=rows["mae"] / rows["mae_whole"])
        yield (
            "errors grow with unobserved nodes",
            f"MAE with {most} unobserved over MAE with none, γ = {gamma}",
            crossed_medians(grown, "growth", random), 1.0,
        )  # fmt: skip
        excess = rows.assign(excess=rows["mae"] / rows["mae_floor"])
        yield (
            "the model adds to what the missing nodes cost",
            f"MAE over the true system's on the same subgraph, {most} unobserved, γ = {gamma}",
            crossed_medians(excess, "excess", random), 1.1,
        )  # fmt: skip
    gammas = sorted(last["trained_gamma"].unique())
    if len(gammas) > 1:
        added = last.assign(added=(last["mae"] - last["mae_whole"]) / last["mae_persistence"])
        steep, flat = (
            crossed_medians(added[added["trained_gamma"] == g], "added", random)
            for g in (gammas[0], gammas[-1])
        )
        yield (
            "unobserved nodes cost most on heterogeneous graphs",
            f"MAE added by {most} unobserved, in units of persistence, γ = {gammas[0]} over "
            f"γ = {gammas[-1]}",
            steep / flat, 1.0,
        )  # fmt: skip


def _noise(noise: pd.DataFrame, random: np.random.Generator) -> Iterator[Row]:
    levels = sorted(noise["training_noise"].unique())
    quiet = noise[noise["test_noise"] == noise["test_noise"].min()] if len(noise) else noise
    if len(levels) < 2:
        return
    yield (
        "noise in training raises the error",
        f"MAE trained with σ = {levels[-1]} over MAE trained without, no noise in the test",
        ratio(
            quiet[quiet["training_noise"] == levels[-1]],
            quiet[quiet["training_noise"] == levels[0]], "mae", random,
        ),
        1.0,
    )  # fmt: skip
