"""Activations of neural ODEs, and tails of laws beyond the states that they saw.

    OMP_NUM_THREADS=1 python benchmarks/bench_activations.py
    OMP_NUM_THREADS=1 python benchmarks/bench_activations.py --activations selu --tails

For each system neural ODEs are trained by our recipe with each activation, on several graphs of
N = 64, and tested on new graphs of N = 64 and 8,192, all to a tolerance of 1e-6, as the true system
is. Printed are the mean absolute error, median over models and graphs, with quartiles; the steps of
the integrator at N = 8,192 over those of the true system; the milliseconds that a trajectory takes
there, over those of the true system; and how many integrations failed. With --tails the same
networks are tested once more, with the tails of the law that is found on the same training graph.
An integration fails after 300 steps, as in the default configuration.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch

from nodeflow.dynamics import SYSTEMS, Tolerance, field, simulate_cell
from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.graphs import Graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.laws import discover_each
from nodeflow.neural_ode import Fields, recipe_settings
from nodeflow.neural_ode.field import model_fields
from nodeflow.neural_ode.layout import ACTIVATIONS
from nodeflow.neural_ode.observations import observed
from nodeflow.neural_ode.tails import models_with_tails
from nodeflow.neural_ode.train import train_stack

TOLERANCE = Tolerance(1e-6, 1e-6, 300)
TIMES = np.linspace(0.0, 1.0, 33)
TRAJECTORIES, LAW_TRAJECTORIES = 64, 8


class Tests:
    """Graphs of one size, and the true trajectories on them."""

    def __init__(self, cell: Cell, count: int, random: np.random.Generator) -> None:
        self.graphs = sample_cell(cell, mean_degree=10, role="test", graphs=count, root_seed=1)
        self.initials = [random.uniform(0.0, 0.5, (1, graph.n)) for graph in self.graphs]

    def run(self, of: Field) -> tuple[list[np.ndarray | None], list[int], float]:
        """States on each graph, None where it failed; steps; seconds in all."""
        begin = time.process_time()
        simulations = simulate_graphs(of, self.graphs, self.initials, TIMES, **asdict(TOLERANCE))
        taken = time.process_time() - begin
        states = [x.states if x.status[0] == "ok" else None for x in simulations]
        return states, [int(x.steps[0]) for x in simulations], taken

    def trajectories(self, of: Field) -> list[Trajectory]:
        """The first trajectory on each graph."""
        simulations = simulate_graphs(of, self.graphs, self.initials, TIMES, **asdict(TOLERANCE))
        return [
            Trajectory(index, 0, TIMES, x.states[0], x.status[0], x.reason[0])
            for index, x in enumerate(simulations)
        ]


def tested(fields: Sequence[Field | None], system: Field, tests: Sequence[Tests]) -> str:
    """A line: errors at each size; steps, times and failures at the last."""
    cells = []
    for test in tests:
        true, steps, seconds = test.run(system)
        errors, ratios, times, failed = [], [], [], 0
        for each in fields:
            if each is None:
                failed += len(test.graphs)
                continue
            states, mine, taken = test.run(each)
            times.append(taken / seconds)
            for a, b, s, t in zip(states, true, mine, steps, strict=True):
                if a is None or b is None:
                    failed += 1
                else:
                    errors.append(float(np.abs(a - b).mean()))
                    ratios.append(s / t)
        low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75]) if errors else [np.nan] * 3
        cells.append(f"N {test.graphs[0].n}: {middle:.2e} [{low:.1e}, {high:.1e}]")
    count = len(fields) * len(tests[-1].graphs)
    ratio = np.median(ratios) if ratios else np.nan
    cells.append(f"steps × {ratio:.2f}, time × {np.median(times):.2f}")
    cells.append(f"failed {failed} of {count}")
    return "; ".join(cells)


def main() -> None:
    """One line a system and activation, and one more with tails."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    options.add_argument("--activations", nargs="*", choices=ACTIVATIONS, default=ACTIVATIONS)
    options.add_argument("--scales", nargs="*", type=float, default=[0.01])
    options.add_argument("--gamma", type=float, default=2.1)
    options.add_argument("--size", type=int, default=8192)
    options.add_argument("--training", type=int, default=3, help="training graphs")
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--graphs", type=int, default=3, help="test graphs of each size")
    options.add_argument("--tails", action="store_true")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(1)
    small, large = Cell(64, 1.1, chosen.gamma), Cell(chosen.size, 1.1, chosen.gamma)
    training = sample_cell(
        small, mean_degree=10, role="training", graphs=chosen.training, root_seed=1
    )
    tests = [Tests(small, chosen.graphs, random), Tests(large, chosen.graphs, random)]
    for name in chosen.systems:
        system, runs = field(name), trajectories(name, training, small)
        laws = laws_of(training, runs) if chosen.tails else None
        data = [x for x in observed(training, runs) for _ in range(chosen.seeds)]
        for activation in chosen.activations:
            for scale in chosen.scales:
                settings = recipe_settings(
                    "gauss_newton", {"activation": activation, "scale": scale}
                )
                names = [(name, place) for place in range(len(data))]
                begin = time.process_time()
                models, _ = train_stack(data, settings, names, 1)
                taken = (time.process_time() - begin) / len(data)
                fields = model_fields(models)
                what = f"{name:4s} {activation:8s} scale {scale:g}"
                print(
                    f"{what}, trained in {taken:.1f} s, training error "
                    f"{np.median(models.error):.2e}; {tested(fields, system, tests)}",
                    flush=True,
                )
                if laws is not None:
                    tailed = models_with_tails(models, laws).fields
                    print(f"{what}, tails of laws; {tested(tailed, system, tests)}", flush=True)


def trajectories(system: str, graphs: Sequence[Graph], cell: Cell) -> list[Trajectory]:
    """What is learned from."""
    return list(
        simulate_cell(
            graphs, system, role="training", cell=cell, trajectories=TRAJECTORIES,
            initial=(0.0, 0.5), horizon=1.0, times=256, root_seed=1, tolerance=TOLERANCE,
        )
    )  # fmt: skip


def laws_of(graphs: Sequence[Graph], runs: Sequence[Trajectory]) -> Fields:
    """The law found on each graph, of as many trajectories as networks use."""
    laws = discover_each(graphs, [x for x in runs if x.index < LAW_TRAJECTORIES])
    for index, law in enumerate(laws.laws):
        print(f"     law of graph {index}: {law}", flush=True)
    return laws.fields


if __name__ == "__main__":
    main()
