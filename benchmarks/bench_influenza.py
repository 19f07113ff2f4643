"""Weekly influenza in 140 districts of southern Germany: forecasts of 2007-08 against rivals.

    OMP_NUM_THREADS=1 python benchmarks/bench_influenza.py --write docs/influenza_numbers.md

Reads the plain text files of Debian's r-cran-surveillance (GPL-2) where it is installed. Trains on
2001-06 and forecasts 1, 2 and 4 weeks ahead from every week. Errors are per 100,000 people and
week, Poisson deviances are of counts against means of at least 0.02 cases. For each rival the
difference to the forecaster has a 95 % interval from a bootstrap of blocks of 8 weeks.
`--validation` does the same with training on 2001-04 and forecasts of 2005-06: what settings were
chosen on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from influenza_rivals import RIVALS, WEEKS, Flu
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from nodeflow import data, graphs, node
from nodeflow.node.likelihoods import poisson_deviance

Floats = NDArray[np.float64]

FOLDER = Path("/usr/lib/R/site-library/surveillance/extdata")
LEADS = (1, 2, 4)
FLOOR = 0.02
BLOCK, DRAWS = 8, 4000
SEED = 0
SETTINGS = {
    scale: node.ForecasterSettings(
        periods=(float(WEEKS),), scale=scale, horizon=4, steps=300, validation=0
    )
    for scale in ("linear", "log")
}
"""Linear states with neighbours, logarithms with gravity; docs/influenza.md says why both."""


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


def forecasts(
    graph: graphs.Graph, cases: pd.DataFrame, people: pd.Series, train: int, scale: str
) -> tuple[pd.DataFrame, node.Forecaster]:
    """Train on the first weeks, and forecast from every week from the last of them on."""
    graph = gravity(graph, people) if scale == "log" else graph
    made = node.train_forecaster(
        graph,
        data.read_series(cases.iloc[:train].reset_index(), graph),
        SETTINGS[scale],
        exposure=people / 100_000,
        covariates=pd.DataFrame({"log people": np.log(people)}),
        seed=SEED,
    )
    whole = data.read_series(cases.reset_index(), graph)
    return made.backtest(whole, max(LEADS), first=whole.runs[0].times[train - 1]), made


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


def lines(scale: str, validation: bool) -> list[str]:
    """The whole comparison as Markdown."""
    graph, cases, people = read()
    if validation:
        cases = cases.iloc[: 6 * WEEKS]
    train = len(cases) - 2 * WEEKS
    flu = Flu(
        cases.to_numpy(np.float64), people.to_numpy() / 100_000, graph.adjacency().toarray(), train
    )
    origins = np.arange(train - 1, len(cases) - max(LEADS))
    ahead = np.array(LEADS) - 1
    observed = flu.counts[origins[:, None] + LEADS]
    found, cpu = {}, {}
    start = time.process_time()
    table, made = forecasts(graph, cases, people, train, scale)
    cpu["nodeflow"] = time.process_time() - start
    shape = (len(origins), max(LEADS), graph.n)
    mean, median = (table[x].to_numpy().reshape(shape)[:, ahead] for x in ("mean", "median"))
    found["**neural ODE, means**"] = scores(observed, mean, mean, flu.exposure)
    found["**neural ODE, medians**"] = scores(observed, median, mean, flu.exposure)
    for name, rival in RIVALS.items():
        start = time.process_time()
        mean = rival(flu, origins, max(LEADS))[:, ahead]
        cpu[name] = time.process_time() - start
        found[name] = scores(observed, mean, mean, flu.exposure)
    steps = made.history[made.history.phase == "final"]["step"].max()
    years = (
        "2005-06 after training on 2001-04" if validation else "2007-08 after training on 2001-06"
    )
    text = [
        f"Forecasts of {years}: {len(origins)} origins × {graph.n} districts; "
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
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--scale", choices=list(SETTINGS), default="linear")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    text = "\n".join(lines(given.scale, given.validation)) + "\n"
    print(text)
    if given.write:
        given.write.write_text(text)


if __name__ == "__main__":
    main()
