"""How far networks stay from the functions that they descend to: relative distances of forecasts.

    OMP_NUM_THREADS=1 python -m docs.numbers --bench bench_prior_networks.py [--systems MM BD]
                         [--priors results/priors] [--members 8] [--steps 150 400]

Functions are those of members of a run's zoos as their prior knows them. A network descends to each
of them from an initialization of its own; both are forecast on one graph of each size from the same
states, and their mean absolute distance stands over the mean state: medians over members, and how
many networks could not be integrated where their functions could. No test system takes part.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import yaml

from nodeflow import dynamics, graphs, grid, priors
from nodeflow.dynamics.initial import initial_states
from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.neural_ode.settings import GaussNewtonSettings
from nodeflow.seeds import numpy_generator

SEED = 2026
CELLS = (grid.Cell(64, 1.1, 3.0), grid.Cell(1024, 1.1, 3.0), grid.Cell(8192, 1.1, 2.1))
TOLERANCE = dynamics.Tolerance(1e-6, 1e-6, 10_000)
TIMES = np.linspace(0.0, 10.0, 40)


def forecast(field: dynamics.Field | None, graph: graphs.Graph) -> Simulation:
    """A run from states that follow from the graph's size."""
    start = initial_states(graph.n, 1, 0.0, 0.5, numpy_generator(SEED, "networks", graph.n))
    assert field is not None
    [found] = simulate_graphs(field, [graph], [start], TIMES, **asdict(TOLERANCE))
    return found


def rows(
    folder: Path, system: str, count: int, settings: GaussNewtonSettings, numbers: list[int]
) -> Iterator[list[str]]:
    """A row of the table for each number of steps and each size of graphs."""
    prior = priors.load_prior(folder / system / "prior.safetensors")
    zoo = priors.read_zoo(folder / system / "zoo.safetensors")
    codes, _ = prior.codes(zoo.members()[:count])
    functions = prior.at(codes)
    labels = [("bench", system, k) for k in range(len(functions))]
    tests = []
    for cell in CELLS:
        [graph] = graphs.sample_cell(cell, mean_degree=10, role="test", graphs=1, root_seed=SEED)
        tests.append((cell, graph, [forecast(x, graph) for x in functions.fields]))
    for steps in numbers:
        made = priors.networks(prior, functions, replace(settings, steps=steps), labels, SEED, 1e-3)
        tailed = priors.tails_of_functions(made, functions, prior)
        for cell, graph, truths in tests:
            distances, failed = [], 0
            for truth, network in zip(truths, tailed.fields, strict=True):
                if truth.status[0] != "ok":
                    continue
                found = forecast(network, graph)
                if found.status[0] != "ok":
                    failed += 1
                    continue
                off = np.abs(found.states - truth.states).mean()
                distances.append(float(off / np.abs(truth.states).mean()))
            low, middle, high = np.quantile(distances, (0.25, 0.5, 0.75), method="nearest")
            yield [
                system, str(steps), f"{cell.N:,}", str(cell.gamma),
                f"{middle:.2g} [{low:.2g}, {high:.2g}]", f"{failed} of {failed + len(distances)}",
            ]  # fmt: skip


def main() -> None:
    """Print a row for each system, number of steps and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=["MM", "BD"])
    parser.add_argument("--priors", type=Path, default=Path("results/priors"))
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--steps", type=int, nargs="+", default=[150, 400])
    given = parser.parse_args()
    config = Path(__file__).parents[1] / "config/config.yaml"
    settings = GaussNewtonSettings(**yaml.safe_load(config.read_text())["priors"]["training"])
    header = ["system", "steps", "N", "γ", "distance", "failed"]
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|", flush=True)
    for system in given.systems:
        for row in rows(given.priors, system, given.members, settings, given.steps):
            print(f"| {' | '.join(row)} |", flush=True)
    print(f"\n{given.members} members of each zoo.")


if __name__ == "__main__":
    main()
