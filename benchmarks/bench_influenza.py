"""Weekly influenza in 140 districts of southern Germany: forecasts of 2007-08 against rivals.

    OMP_NUM_THREADS=1 python -m docs.numbers --bench bench_influenza.py
                          --write docs/influenza_numbers.md

Reads the plain text files of Debian's r-cran-surveillance (GPL-2) where it is installed. Trains on
2001-06 and forecasts 1, 2 and 4 weeks ahead from every week. Errors are per 100,000 people and
week, Poisson deviances are of counts against means of at least 0.02 cases. Prints a table of all
looks at the test years that can be repeated; the file also has, for each rival, the difference with
a 95 % interval from a bootstrap of blocks of 8 weeks.

    OMP_NUM_THREADS=1 python benchmarks/bench_influenza.py --choose [--keep FOLDER]
                          --write docs/influenza_choice.md

compares settings on the training years alone: each of 2003, 04, 05 and 06 is forecast by two models
that were trained on all years before it. The score of settings is the mean, over years and
horizons, of the logarithm of absolute error and deviance over those of the best rival there.
Forecasts in the folder are not made again.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Sequence
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
class Model:
    """What is trained: names in `STATES` and `NETWORKS`, a likelihood, harmonics of the season."""

    states: str
    network: str
    likelihood: str
    harmonics: int = 2

    def settings(self, models: int) -> neural_ode.ForecasterSettings:
        """As the library has them."""
        changes = {**COMMON, **STATES[self.states], "likelihood": self.likelihood}
        return neural_ode.ForecasterSettings(models=models, harmonics=self.harmonics, **changes)

    @property
    def file(self) -> str:
        """A name for its forecasts."""
        return "_".join(str(x).replace(", ", " ").replace(" ", "-") for x in vars(self).values())


Candidate = tuple[Model, ...]
"""Models whose expectations are averaged, as their geometric mean; mostly one."""


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

POOLS = [*((name,) for name in STATES), ("log", "linear, proportional beyond")]

CANDIDATES: list[Candidate] = [
    tuple(Model(name, *rest) for name in names)
    for names, *rest in itertools.product(POOLS, NETWORKS, ("poisson", "negative_binomial"), (2, 1))
]

LOOKS: dict[str, Candidate] = {
    "look 3": (Model("log", "gravity", "poisson"),),
    "look 4": (Model("linear", "neighbours", "poisson"),),
    "look 5": (Model("log", "gravity", "negative_binomial"),),
    "look 6": (
        Model("log", "gravity", "negative_binomial"),
        Model("linear, proportional beyond", "gravity", "negative_binomial"),
    ),
}
"""What the test years were forecast with; docs/influenza.md says how each came about."""


def words(candidate: Candidate) -> list[str]:
    """States, network, likelihood and harmonics for a table."""
    first = candidate[0]
    rest = (first.network, first.likelihood.replace("_", " "), str(first.harmonics))
    return [" and ".join(model.states for model in candidate), *rest]


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


def forecasts(part: Part, model: Model, models: int) -> pd.DataFrame:
    """Train on the first weeks, and forecast from every week from the last of them on."""
    graph = NETWORKS[model.network](part.graph, part.people)
    made = neural_ode.train_forecaster(
        graph,
        data.read_series(part.cases.iloc[: part.train].reset_index(), graph),
        model.settings(models),
        exposure=part.people / 100_000,
        covariates=pd.DataFrame({"log people": np.log(part.people)}),
        seed=SEED,
    )
    whole = data.read_series(part.cases.reset_index(), graph)
    first = whole.runs[0].times[part.train - 1]
    return made.backtest(whole, max(LEADS), first=first)


def by_origin(table: pd.DataFrame, column: str, part: Part) -> Floats:
    """A column of forecasts as (B, 4, n)."""
    return table[column].to_numpy().reshape(len(part.origins), max(LEADS), part.graph.n)


def geometric(means: Sequence[Floats]) -> Floats:
    """Of positive expectations."""
    return np.asarray(np.exp(np.mean([np.log(mean) for mean in means], axis=0)))


def of_folds(part: Part, year: int, keep: Path | None) -> dict[Model, Floats]:
    """Expectations of all models of all candidates for one year."""
    found = {}
    for model in dict.fromkeys(itertools.chain(*CANDIDATES)):
        path = None if keep is None else keep / f"{model.file}_{year}.parquet"
        if path is not None and path.is_file():
            table = pd.read_parquet(path)
        else:
            table = forecasts(part, model, models=2)
            print(model, year, file=sys.stderr, flush=True)
            if path is not None:
                table.to_parquet(path)
        found[model] = by_origin(table, "mean", part)
    return found


def choice(keep: Path | None) -> list[str]:
    """Candidates on the training years, the best first, and rivals, as Markdown."""
    graph, cases, people = read()
    rows = [*CANDIDATES, *RIVALS]
    errors = np.empty((len(rows), len(FOLDS), 2, len(LEADS)))
    missed = np.empty((len(rows), len(FOLDS)))
    for f, year in enumerate(FOLDS):
        train = (year - 2001) * WEEKS
        part = Part(graph, cases.iloc[: train + WEEKS], people, train)
        made = of_folds(part, year, keep)
        means = [geometric([made[model] for model in candidate]) for candidate in CANDIDATES]
        means += [rival(part.flu, part.origins, max(LEADS)) for rival in RIVALS.values()]
        for row, mean in enumerate(means):
            errors[row, f] = part.rated(mean, mean)[[0, 2]].mean(axis=1)
            ahead = max(LEADS)
            missed[row, f] = part.flu.counts[part.origins + ahead].sum() / mean[:, ahead - 1].sum()
    ratios = np.log(errors / errors[len(CANDIDATES) :].min(axis=0))
    header = ["states", "network", "likelihood", "harmonics", "score", "absolute error", "deviance"]
    header += [*map(str, FOLDS), "cases over expected ones"]
    text = [
        f"Each of {', '.join(map(str, FOLDS))} forecast by two models trained on the years before "
        "it; errors over those of the best rival at each horizon, 1, 2 and 4 weeks ahead, "
        "geometric means. Score: mean logarithm of all of them. Of two kinds of states, the "
        "geometric mean of both expectations is the forecast. Last column: cases of each year over "
        "those that are expected four weeks ahead. Rivals stand below.",
        "",
        f"| {' | '.join(header)} |",
        "|---" * len(header) + "|",
    ]
    order = np.argsort(ratios.mean(axis=(1, 2, 3)))
    for row in sorted(order, key=lambda row: row >= len(CANDIDATES)):
        x, name = ratios[row], rows[row]
        cells = [
            *([name, "", "", ""] if isinstance(name, str) else words(name)),
            f"{x.mean():+.4f}",
            *(_three(np.exp(x[:, k].mean(axis=0)), 3) for k in range(2)),
            *(f"{np.exp(x[f].mean()):.3f}" for f in range(len(FOLDS))),
            _three(missed[row], 2),
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


Made = tuple[pd.DataFrame, float]
"""Forecasts, and the seconds of CPU that they took."""


@dataclass(frozen=True)
class Look:
    """Forecasts of the test years by one candidate.

    Attributes:
        scores: of means and of medians, each (3, B, H).
        covered: shares of observations within bands of 50 and 90 %, each (H,).
        seconds: of CPU.
    """

    scores: dict[str, Floats]
    covered: dict[int, Floats]
    seconds: float


def look(part: Part, candidate: Candidate, made: dict[Model, Made]) -> Look:
    """Train five models of each kind that is not yet made, and rate their forecasts.

    Quantiles are averaged.
    """
    for model in candidate:
        if model not in made:
            start = time.process_time()
            made[model] = forecasts(part, model, models=5), time.process_time() - start
    tables = [made[model][0] for model in candidate]
    seconds = sum(made[model][1] for model in candidate)

    def averaged(column: str) -> Floats:
        return np.asarray(np.mean([by_origin(x, column, part) for x in tables], axis=0))

    mean = geometric([by_origin(x, "mean", part) for x in tables])
    rated = {"means": part.rated(mean, mean), "medians": part.rated(mean, averaged("median"))}
    ahead = np.array(LEADS) - 1
    observed = part.flu.counts[part.origins[:, None] + LEADS]
    covered = {
        k: np.mean(
            (observed >= averaged(f"lower_{k}")[:, ahead])
            & (observed <= averaged(f"upper_{k}")[:, ahead]),
            axis=(0, 2),
        )
        for k in (50, 90)
    }
    return Look(rated, covered, seconds)


def tested(part: Part, looks: dict[str, Look], rivals: dict[str, Floats]) -> list[str]:
    """Errors of all looks and rivals, as Markdown; the smallest in bold."""
    rows = [(f"neural ODE, {name}", [*words(LOOKS[name])], x.scores) for name, x in looks.items()]
    rows += [(name, [""] * 4, {"means": x}) for name, x in rivals.items()]
    best = np.min([scores["means"].mean(axis=1) for *_, scores in rows], axis=0).round(3)

    def cell(values: Floats, smallest: Floats) -> str:
        return " ".join(
            f"**{x:.3f}**" if x.round(3) <= least else f"{x:.3f}"
            for x, least in zip(values, smallest, strict=True)
        )

    header = ["forecast", "states", "network", "likelihood", "harmonics", "absolute error"]
    text = [f"| {' | '.join([*header, 'Poisson deviance'])} |", "|---" * 7 + "|"]
    for name, settings, rated in rows:
        each = rated["means"].mean(axis=1)
        cells = [name, *settings, cell(each[0], best[0]), cell(each[2], best[2])]
        text.append(f"| {' | '.join(cells)} |")
    return [
        *text,
        "",
        f"{len(part.origins)} origins × {part.graph.n} districts; in each cell 1, 2 and 4 weeks "
        "ahead, the smallest in bold. The point forecast is the mean.",
    ]


def intervals(part: Part, looks: dict[str, Look], rivals: dict[str, Floats]) -> list[str]:
    """Differences of each look to each rival, and whether bands hold, as Markdown."""
    text = []
    for title, own in looks.items():
        for point, measures in _WHAT.items():
            columns = [f"{what}, {lead} wk" for what in measures for lead in LEADS]
            text += [
                f"## Neural ODE, {title}, {point}" if point == "means" else "",
                "",
                f"{point.capitalize()} minus rival, with 95 % intervals (blocks of {BLOCK} "
                "weeks); negative is better.",
                "",
                f"| rival | {' | '.join(columns)} |",
                "|---" * (1 + len(columns)) + "|",
            ]
            for name, other in rivals.items():
                cells = []
                for what in measures.values():
                    for apart in (own.scores[point][what] - other[what]).T:
                        low, high = interval(apart, np.random.default_rng(SEED))
                        cells.append(f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]")
                text.append(f"| {name} | {' | '.join(cells)} |")
        each = own.scores["medians"].mean(axis=1)
        text += [
            "",
            f"Absolute error of medians: {_three(each[0], 3)}; root mean square of means: "
            f"{_three(np.sqrt(each[1]), 2)}. Share of observations within bands (of counts, so at "
            "least what they say): "
            + "; ".join(f"{k} %: {_three(x, 3)}" for k, x in own.covered.items())
            + f". {own.seconds:.0f} s of CPU.",
            "",
        ]
    return text


_WHAT = {"means": {"absolute error": 0, "deviance": 2}, "medians": {"absolute error": 0}}


def _three(values: Floats, digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)


def main() -> None:
    """Print the comparison, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="settings, on training years")
    parser.add_argument("--keep", type=Path, help="folder of forecasts of training years")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.choose:
        shown = more = choice(given.keep)
    else:
        part = Part(*read(), train=6 * WEEKS)
        made: dict[Model, Made] = {}
        looks = {name: look(part, candidate, made) for name, candidate in LOOKS.items()}
        rivals = {}
        for name, rival in RIVALS.items():
            mean = rival(part.flu, part.origins, max(LEADS))
            rivals[name] = part.rated(mean, mean)
        shown = tested(part, looks, rivals)
        more = [*shown, "", *intervals(part, looks, rivals)]
    print("\n".join(shown))
    if given.write:
        given.write.write_text("\n".join(more).rstrip() + "\n")


if __name__ == "__main__":
    main()
