"""The claims of Laber, Eliassi-Rad and Klein (2026, arXiv:2602.08980), and ours, with verdicts.

A claim is turned into one number with a threshold: above it the claim holds. The claim is confirmed
if the number's whole 95 % interval lies above, contradicted if it lies below, and open otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.judge.bootstrap import crossed_means, crossed_medians, interval
from nodeflow.judge.schemas import CLAIMS
from nodeflow.neural_ode.schemas import LAW, NEURAL_ODE, TAILED
from nodeflow.seeds import numpy_generator

__all__ = ["judge_claims", "verdict"]

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

_GROWS = {name for name, system in SYSTEMS.items() if system.grows}
Medians = NDArray[np.float64]
Row = tuple[str, str, Medians, float]


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
        own = _own(plain, structure_trained)
        grid = plain[
            (plain["N"] == structure_size)
            & (plain["trained_beta"] == structure_trained[0])
            & (plain["trained_gamma"] == structure_trained[1])
        ]
        growth = _growth(own, training_size, random)
        parts: list[Iterator[Row]] = [
            _size(system, own, growth, training_size, random),
            _outside(own, training_size, random),
            _structure(grid, structure_trained, random),
            _stability(fixed_points[fixed_points["system"] == system], random),
            _hidden(hidden[hidden["system"] == system], random),
            _noise(noise[noise["system"] == system], random),
            _covering(mine, detail_size, random),
            _warning(areas[areas["system"] == system], random),
            _trust(
                _own(trust[trust["system"] == system], structure_trained), training_size, random
            ),
            _laws(
                _own(laws[laws["system"] == system].query("variant == 'plain'"), structure_trained),
                own,
                training_size,
                numpy_generator(seed, "claims", "laws", system),
            ),
            _tails(
                _own(
                    tailed[tailed["system"] == system].query("variant == 'plain'"),
                    structure_trained,
                ),
                own,
                numpy_generator(seed, "claims", "tails", system),
            ),
        ]
        rows += [_judged(system, row) for part in parts for row in part]
        if growth:
            growths[system] = growth[min(growth)]
    rows += [_judged("all", row) for row in _dynamics(growths)]
    return pd.DataFrame(rows, columns=list(CLAIMS.columns))


def _own(plain: pd.DataFrame, structure_trained: list[float]) -> pd.DataFrame:
    """Tests on graphs of the training cell's own β and γ, at the β of the structure experiment."""
    return plain[
        (plain["beta"] == plain["trained_beta"])
        & (plain["gamma"] == plain["trained_gamma"])
        & (plain["beta"] == structure_trained[0])
    ]


def _judged(system: str, row: Row) -> tuple[object, ...]:
    claim, statistic, medians, threshold = row
    value, low, high = interval(medians)
    return claim, system, statistic, value, low, high, threshold, verdict(low, high, threshold)


def _growth(own: pd.DataFrame, small: int, random: np.random.Generator) -> dict[float, Medians]:
    """Error at the largest size over that at the training size, by γ; none without both."""
    large = own["N"].max()
    if own.empty or large == small or small not in set(own["N"]):
        return {}
    here = {gamma: own[own["gamma"] == gamma] for gamma in (own["gamma"].min(), own["gamma"].max())}
    return {
        gamma: _ratio(rows[rows["N"] == large], rows[rows["N"] == small], "mae", random)
        for gamma, rows in here.items()
    }


def _dynamics(growths: Mapping[str, Medians]) -> Iterator[Row]:
    grow = [growth for system, growth in growths.items() if system in _GROWS]
    rest = [growth for system, growth in growths.items() if system not in _GROWS]
    if grow and rest:
        yield (
            "the dynamics decides whether errors grow with size",
            "growth of the MAE with size at the smallest γ: smallest of "
            f"{', '.join(s for s in growths if s in _GROWS)} over largest of the others",
            _quotient(np.min(grow, axis=0), np.max(rest, axis=0)), 1.0,
        )  # fmt: skip


def _size(
    system: str,
    own: pd.DataFrame,
    growth: Mapping[float, Medians],
    small: int,
    random: np.random.Generator,
) -> Iterator[Row]:
    if not growth:
        return
    gammas, large = sorted(growth), own["N"].max()
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
    here = own[(own["gamma"] == gammas[0]) & (own["N"] == large)]
    relative = here.assign(share=here["mae_hubs"] / here["mae"])
    yield (
        "errors concentrate at hubs",
        f"MAE of the top 1 % of degrees over MAE of all, γ = {gammas[0]}, N = {large}",
        crossed_medians(relative, "share", random), 1.0,
    )  # fmt: skip
    relative = here.assign(share=here["mae_mean_field"] / here["mae"])
    yield (
        "a neural ODE beats the mean field on large graphs",
        f"MAE of the mean field over MAE, γ = {gammas[0]}, N = {large}",
        crossed_medians(relative, "share", random), 1.0,
    )  # fmt: skip


def _outside(own: pd.DataFrame, small: int, random: np.random.Generator) -> Iterator[Row]:
    large = own["N"].max()
    if own.empty or large == small:
        return
    gamma = own["gamma"].min()
    here = own[(own["gamma"] == gamma) & (own["N"] == large)]
    yield (
        "conjecture: hubs leave the states seen in training",
        f"share of times outside them of the top 1 % of degrees, γ = {gamma}, N = {large}",
        crossed_medians(here, "outside_hubs", random), 0.5,
    )  # fmt: skip
    before = own[(own["gamma"] == gamma) & (own["N"] == small)]
    yield (
        "conjecture: nodes that stay among the states seen are predicted as before",
        f"{BARELY:g} over (MAE of the nodes never outside at N = {large} over MAE at N = {small}), "
        f"γ = {gamma}",
        BARELY / _quotient(
            crossed_medians(here, "mae_inside", random), crossed_medians(before, "mae", random)
        ),
        1.0,
    )  # fmt: skip


def _structure(
    grid: pd.DataFrame, trained: list[float], random: np.random.Generator
) -> Iterator[Row]:
    betas, gammas = sorted(grid["beta"].unique()), sorted(grid["gamma"].unique())
    if len(betas) < 2 or len(gammas) < 2:
        return
    logs = {
        (b, g): np.log(
            crossed_medians(grid[(grid["beta"] == b) & (grid["gamma"] == g)], "mae", random)
        )
        for b in betas
        for g in gammas
    }
    by_gamma = np.stack([np.stack([logs[b, g] for g in gammas]).std(0) for b in betas]).mean(0)
    by_beta = np.stack([np.stack([logs[b, g] for b in betas]).std(0) for g in gammas]).mean(0)
    yield (
        "clustering matters less than heterogeneity",
        "standard deviation of log MAE over γ over that over β", by_gamma / by_beta, 1.0,
    )  # fmt: skip
    gamma = trained[1] if trained[1] in gammas else gammas[0]
    yield (
        "low clustering is easier",
        f"MAE at β = {betas[-1]} over MAE at β = {betas[0]}, γ = {gamma}",
        np.exp(logs[betas[-1], gamma] - logs[betas[0], gamma]), 1.0,
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
        _ratio(
            quiet[quiet["training_noise"] == levels[-1]],
            quiet[quiet["training_noise"] == levels[0]], "mae", random,
        ),
        1.0,
    )  # fmt: skip


def _covering(mine: pd.DataFrame, size: int, random: np.random.Generator) -> Iterator[Row]:
    covered = mine[mine["variant"] == "covering"]
    for (beta, gamma), rows in covered.groupby(["trained_beta", "trained_gamma"]):
        plain = mine[
            (mine["variant"] == "plain")
            & (mine["trained_beta"] == beta) & (mine["trained_gamma"] == gamma)
            & (mine["beta"] == beta) & (mine["gamma"] == gamma) & (mine["N"] == size)
        ]  # fmt: skip
        for value, where in (("mae_hubs", "hubs"), ("mae", "all nodes")):
            yield (
                f"conjecture: training on the hubs' states closes the gap ({where})",
                f"MAE over that of models trained up to the hubs' states, N = {size}, γ = {gamma}",
                _ratio(plain, rows, value, random), BARELY,
            )  # fmt: skip


def _warning(areas: pd.DataFrame, random: np.random.Generator) -> Iterator[Row]:
    graphs = areas[areas["graph"] >= 0].assign(replicate=0, training_graph=0, status="ok")
    for gamma, rows in graphs.groupby("trained_gamma"):
        # Where all nodes are good, or all bad, there is nothing to warn of.
        some = rows.dropna(subset=["area"])
        if some.empty:
            continue
        spread, degree = (
            crossed_medians(some[some["signal"] == name], "area", random)
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
            _quotient(spread, degree), 1.0,
        )  # fmt: skip


def _trust(own: pd.DataFrame, small: int, random: np.random.Generator) -> Iterator[Row]:
    for method, whose in _WHOSE.items():
        yield from _trusted(own[own["method"] == method], whose, small, random)


def _trusted(
    own: pd.DataFrame, whose: tuple[str, str], small: int, random: np.random.Generator
) -> Iterator[Row]:
    # One ensemble on each graph, or some laws: intervals are over graphs and laws.
    rows = own[(own["gamma"] == own["gamma"].min()) & (own["status"] == "ok")]
    rows = rows.assign(
        replicate=0, lift=rows["precision"] / rows["bad"],
        better=rows["mae_flagged"] / rows["mae_unflagged"],
    )  # fmt: skip
    for size in sorted({small, rows["N"].max()} & set(rows["N"])):
        here = rows[rows["N"] == size]
        where = f"N = {size}, γ = {here['gamma'].iloc[0]}"
        for level in (50, 90):
            for column, which in (("", "all nodes"), ("_unflagged", "nodes without a flag")):
                column = f"coverage_{level}{column}"
                # Where all nodes are flagged there are none without, and likewise below.
                some = here.dropna(subset=[column])
                if len(some):
                    yield (
                        f"bands of {whose[0]} cover what they say ({which})",
                        f"share of states inside the {level} % band, {where}",
                        crossed_means(some, column, random), level / 100 - SLACK,
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
            some = here.dropna(subset=[column])
            if len(some):
                yield claim, f"{what}, {where}", crossed_medians(some, column, random), threshold


def _laws(
    laws: pd.DataFrame, models: pd.DataFrame, small: int, random: np.random.Generator
) -> Iterator[Row]:
    growth = _growth(laws, small, random)
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
            _ratio(one, other, "mae", random), 1.0,
        )  # fmt: skip


def _tails(
    tailed: pd.DataFrame, models: pd.DataFrame, random: np.random.Generator
) -> Iterator[Row]:
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
        _ratio(same, rows, "mae", random), 1.0,
    )  # fmt: skip


def _ratio(
    above: pd.DataFrame, below: pd.DataFrame, value: str, random: np.random.Generator
) -> Medians:
    return _quotient(crossed_medians(above, value, random), crossed_medians(below, value, random))


def _quotient(one: Medians, other: Medians) -> Medians:
    if not len(one) or not len(other):
        return np.empty(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Medians = one / other
    return found
