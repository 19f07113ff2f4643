"""Weekly influenza in 140 districts of southern Germany: forecasts of 2007-08 against rivals.

    OMP_NUM_THREADS=1 python benchmarks/bench_influenza.py --write docs/influenza_numbers.md

Reads the plain text files of Debian's r-cran-surveillance (GPL-2) where it is installed. Trains on
2001-06 and forecasts 1, 2 and 4 weeks ahead from every week. Errors are per 100,000 people and
week, Poisson deviances are of counts against means of at least 0.02 cases. For each rival the
difference to the forecaster has a 95 % interval from a bootstrap of blocks of 8 weeks.

    OMP_NUM_THREADS=1 python benchmarks/bench_influenza.py --choose --write docs/influenza_choice.md

compares settings on the training years alone: each of 2003, 04, 05 and 06 is forecast by two models
that were trained on all years before it. The score of settings is the mean, over years and
horizons, of the logarithm of absolute error and deviance over those of the best rival there.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from influenza_rivals import RIVALS, WEEKS, Flu
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from nodeflow import data, graphs, neural_ode
from nodeflow.neural_ode.likelihoods import poisson_deviance

Floats = NDArray[np.float64]

FOLDER = Path("/usr/lib/R/site-library/surveillance/extdata")
LEADS = (1, 2, 4)
FLOOR = 0.02
BLOCK, DRAWS = 8, 4000
SEED = 0
FOLDS = (2003, 2004, 2005, 2006)
COMMON: dict[str, Any] = {"periods": (float(WEEKS),), "horizon": 4, "steps": 300, "validation": 0}
STATES: dict[str, dict[str, Any]] = {
    "linear": {"scale": "linear"},
    "linear, proportional beyond": {"scale": "linear", "beyond": "proportional"},
    "log": {"scale": "log"},
}


@dataclass(frozen=True)
class Candidate:
    """Settings that are compared: names in `STATES` and `NETWORKS`, and a likelihood."""

    states: str
    network: str
    likelihood: str

    def settings(self, models: int) -> neural_ode.ForecasterSettings:
        """As the library has them."""
        changes = {**COMMON, **STATES[self.states], "likelihood": self.likelihood}
        return neural_ode.ForecasterSettings(models=models, **changes)


def read(folder: Path = FOLDER) -> tuple[graphs.Graph, pd.DataFrame, pd.Series]:
    """The districts' neighbourhood, cases by week and district, and people by district."""
    cases = pd.read_csv(folder / "counts_flu_BYBW.txt", sep=r"\s+")
    matrix = pd.read_csv(folder / "neighbourhood_BYBW.txt", sep=r"\s+")
    people = pd.read_csv(folder / "population_2001-12-31_BYBW.txt", sep=r"\s+")
    graph = graphs.from_matrix(matrix.to_numpy(), matrix.columns)
    by_id = people.set_index(people["id"].astype(str))["pop31.12.2001"]
    return graph, cases.rename_axis("time").copy(), by_id.loc[list(graph.labels)]


def gravity(graph: graphs.Graph, people: pd.Series) -> graphs.Graph:
    """All districts act on each other, as their people and over the squared distance in steps."""
    steps = shortest_path(graph.adjacency(), unweighted=True)
    weights = np.divide(people.to_numpy(), steps**2, where=steps > 0, out=np.zeros_like(steps))
    return graphs.from_matrix(weights, graph.names)


NETWORKS: dict[str, Callable[[graphs.Graph, pd.Series], graphs.Graph]] = {
    "neighbours": lambda graph, people: graph,
    "gravity": gravity,
}

CANDIDATES = [
    Candidate(*x) for x in itertools.product(STATES, NETWORKS, ("poisson", "negative_binomial"))
]

CHOSEN = Candidate("linear", "neighbours", "poisson")
"""What the test years are forecast with; docs/influenza.md says how it came about."""


@dataclass(frozen=True)
class Part:
    """Weeks that are learned from and weeks that are forecast.

    Attributes:
        graph: the districts' neighbourhood.
        cases: all weeks up to the last one that is forecast.
        people: by district.
        train: how many weeks are learned from.
    """

    graph: graphs.Graph
    cases: pd.DataFrame
    people: pd.Series
    train: int

    @property
    def flu(self) -> Flu:
        """The same for rivals."""
        counts, people = self.cases.to_numpy(np.float64), self.people.to_numpy() / 100_000
        return Flu(counts, people, self.graph.adjacency().toarray(), self.train)

    @property
    def origins(self) -> NDArray[np.int64]:
        """Weeks that are forecast from."""
        return np.arange(self.train - 1, len(self.cases) - max(LEADS))

    def rated(self, mean: Floats, point: Floats) -> Floats:
        """Scores of forecasts (B, 4, n)."""
        flu, ahead = self.flu, np.array(LEADS) - 1
        observed = flu.counts[self.origins[:, None] + LEADS]
        return scores(observed, point[:, ahead], mean[:, ahead], flu.exposure)


def forecasts(
    part: Part, candidate: Candidate, models: int
) -> tuple[pd.DataFrame, neural_ode.Forecaster]:
    """Train on the first weeks, and forecast from every week from the last of them on."""
    graph = NETWORKS[candidate.network](part.graph, part.people)
    made = neural_ode.train_forecaster(
        graph,
        data.read_series(part.cases.iloc[: part.train].reset_index(), graph),
        candidate.settings(models),
        exposure=part.people / 100_000,
        covariates=pd.DataFrame({"log people": np.log(part.people)}),
        seed=SEED,
    )
    whole = data.read_series(part.cases.reset_index(), graph)
    first = whole.runs[0].times[part.train - 1]
    return made.backtest(whole, max(LEADS), first=first), made


def by_origin(table: pd.DataFrame, column: str, part: Part) -> Floats:
    """A column of forecasts as (B, 4, n)."""
    return table[column].to_numpy().reshape(len(part.origins), max(LEADS), part.graph.n)


def choice() -> list[str]:
    """Candidates on the training years, the best first, as Markdown."""
    graph, cases, people = read()
    errors = np.empty((len(CANDIDATES), len(FOLDS), 2, len(LEADS)))
    best = np.empty(errors.shape[1:])
    for f, year in enumerate(FOLDS):
        train = (year - 2001) * WEEKS
        part = Part(graph, cases.iloc[: train + WEEKS], people, train)
        flu = part.flu
        rivals = [rival(flu, part.origins, max(LEADS)) for rival in RIVALS.values()]
        best[f] = np.min([part.rated(x, x)[[0, 2]].mean(axis=1) for x in rivals], axis=0)
        for c, candidate in enumerate(CANDIDATES):
            table, _ = forecasts(part, candidate, models=2)
            mean = by_origin(table, "mean", part)
            errors[c, f] = part.rated(mean, mean)[[0, 2]].mean(axis=1)
    ratios = np.log(errors / best)
    text = [
        f"Each of {', '.join(map(str, FOLDS))} forecast by two models trained on the years before "
        "it; errors over those of the best rival at each horizon, 1, 2 and 4 weeks ahead, "
        "geometric means. Score: mean logarithm of all of them.",
        "",
        "| states | network | likelihood | score | absolute error | deviance | "
        + " | ".join(f"{year}" for year in FOLDS)
        + " |",
        "|---" * (6 + len(FOLDS)) + "|",
    ]
    for c in np.argsort(ratios.mean(axis=(1, 2, 3))):
        x, candidate = ratios[c], CANDIDATES[c]
        cells = [
            *vars(candidate).values(),
            f"{x.mean():+.4f}",
            *(_three(np.exp(x[:, k].mean(axis=0)), 3) for k in range(2)),
            *(f"{np.exp(x[f].mean()):.3f}" for f in range(len(FOLDS))),
        ]
        text.append(f"| {' | '.join(cells)} |")
    return text


def scores(observed: Floats, point: Floats, mean: Floats, exposure: Floats) -> Floats:
    """Absolute error of a point forecast, and squared error and deviance of a mean, (3, B, H)."""
    return np.stack(
        [
            (np.abs(point - observed) / exposure).mean(axis=2),
            np.square((mean - observed) / exposure).mean(axis=2),
            poisson_deviance(observed, mean, FLOOR).mean(axis=2),
        ]
    )


def interval(differences: Floats, generator: np.random.Generator) -> tuple[float, float]:
    """Of the mean of a series, by drawing blocks around a circle (Politis and Romano 1992)."""
    length = len(differences)
    starts = generator.integers(0, length, (DRAWS, -(-length // BLOCK)))
    index = (starts[:, :, None] + np.arange(BLOCK)) % length
    means = differences[index.reshape(DRAWS, -1)[:, :length]].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def lines() -> list[str]:
    """The test years as Markdown."""
    part = Part(*read(), train=6 * WEEKS)
    flu, found, cpu = part.flu, {}, {}
    start = time.process_time()
    table, made = forecasts(part, CHOSEN, models=5)
    cpu["nodeflow"] = time.process_time() - start
    mean, median = (by_origin(table, name, part) for name in ("mean", "median"))
    found["**neural ODE, means**"] = part.rated(mean, mean)
    found["**neural ODE, medians**"] = part.rated(mean, median)
    for name, rival in RIVALS.items():
        start = time.process_time()
        mean = rival(flu, part.origins, max(LEADS))
        cpu[name] = time.process_time() - start
        found[name] = part.rated(mean, mean)
    steps = made.history[made.history.phase == "final"]["step"].max()
    text = [
        f"Forecasts of 2007-08 after training on 2001-06: {len(part.origins)} origins × "
        f"{part.graph.n} districts; "
        f"{made.settings.models} models, {steps} steps, {cpu['nodeflow']:.0f} s of CPU "
        f"(one thread, torch {torch.__version__.split(chr(43))[0]}). "
        "In each cell: 1, 2 and 4 weeks ahead.",
        "",
        "| model | absolute error per 100,000 | root mean square | Poisson deviance | CPU s |",
        "|---|---|---|---|---|",
    ]
    for name, values in found.items():
        each = values.mean(axis=1)
        cells = [_three(each[0], 3), _three(np.sqrt(each[1]), 2), _three(each[2], 3)]
        text.append(
            f"| {name} | " + " | ".join(cells) + f" | {cpu.get(name, cpu['nodeflow']):.1f} |"
        )
    for point in ("means", "medians"):
        own = found[f"**neural ODE, {point}**"]
        text += [
            "",
            f"Neural ODE, {point}, minus rival, with 95 % intervals (blocks of {BLOCK} weeks); "
            "negative is better.",
            "",
            "| rival | "
            + " | ".join(f"{what}, {lead} wk" for what in _WHAT[point] for lead in LEADS)
            + " |",
            "|---" * (1 + len(_WHAT[point]) * len(LEADS)) + "|",
        ]
        for name in RIVALS:
            cells = []
            for what in _WHAT[point].values():
                for h in range(len(LEADS)):
                    apart = own[what, :, h] - found[name][what, :, h]
                    low, high = interval(apart, np.random.default_rng(SEED))
                    cells.append(f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]")
            text.append(f"| {name} | " + " | ".join(cells) + " |")
    inside = {
        k: (table.observed >= table[f"lower_{k}"]) & (table.observed <= table[f"upper_{k}"])
        for k in (50, 90)
    }
    covered = pd.DataFrame({**inside, "lead": table.lead}).groupby("lead").mean().loc[[*LEADS]]
    text += [
        "",
        "Share of observations within bands (of counts, so at least what they say): "
        + "; ".join(f"{k} %: {_three(covered[k].to_numpy(), 3)}" for k in (50, 90))
        + ".",
    ]
    return text


_WHAT = {"means": {"absolute error": 0, "deviance": 2}, "medians": {"absolute error": 0}}


def _three(values: Floats, digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)


def main() -> None:
    """Print the comparison, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="settings, on training years")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    text = "\n".join(choice() if given.choose else lines()) + "\n"
    print(text)
    if given.write:
        given.write.write_text(text)


if __name__ == "__main__":
    main()
