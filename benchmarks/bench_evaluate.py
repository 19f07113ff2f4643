"""What it costs to integrate a neural ODE on a large graph, beside the true system.

    OMP_NUM_THREADS=1 python benchmarks/bench_evaluate.py

For each system a model is trained by the default recipe at N = 64 and integrated on graphs of
N = 8,192, from the same initial states and with the same tolerances as the true system, ours (1e-6)
and the paper's (1e-4): with its tables, and once with the networks themselves. Times are processor
seconds of the fastest of several repetitions in turn; the ratio is of the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from nodeflow.dynamics import SYSTEMS, field, simulate_cell
from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.dynamics.systems import Field
from nodeflow.graphs import Graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.node import as_field, recipe_settings
from nodeflow.node.observations import observed
from nodeflow.node.train import train_stack

TOLERANCES: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-6, "max_steps": 20_000}
CHOICES = (1e-6, 1e-4)
TIMES = np.linspace(0.0, 1.0, 33)


def integrated(
    fields: Sequence[Field],
    graphs: Sequence[Graph],
    initials: Sequence[np.ndarray],
    tolerance: float,
    repeats: int,
) -> tuple[list[float], list[list[Simulation]]]:
    """Seconds a trajectory with each field, and the trajectories."""
    best = [np.inf] * len(fields)
    found: list[list[Simulation]] = [[] for _ in fields]
    for _ in range(repeats):
        for k, each in enumerate(fields):
            begin = time.process_time()
            found[k] = simulate_graphs(
                each, graphs, initials, TIMES, rtol=tolerance, atol=tolerance, max_steps=20_000
            )
            best[k] = min(best[k], (time.process_time() - begin) / len(graphs))
    return best, found


def main() -> None:
    """One line a system, degree exponent and tolerance."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    options.add_argument("--gammas", nargs="*", type=float, default=[2.1, 3.0, 3.9])
    options.add_argument("--size", type=int, default=8192)
    options.add_argument("--graphs", type=int, default=3)
    options.add_argument("--repeats", type=int, default=5)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(1)
    for gamma in chosen.gammas:
        small, large = Cell(64, 1.1, gamma), Cell(chosen.size, 1.1, gamma)
        training = sample_cell(small, mean_degree=10, role="training", graphs=1, root_seed=1)
        graphs = sample_cell(large, mean_degree=10, role="test", graphs=chosen.graphs, root_seed=1)
        initials = [random.uniform(0.0, 0.5, (1, graph.n)) for graph in graphs]
        for system in chosen.systems:
            data = observed(
                training,
                list(
                    simulate_cell(
                        training, system, role="training", cell=small, trajectories=64,
                        initial=(0.0, 0.5), horizon=1.0, times=256, root_seed=1, **TOLERANCES,
                    )
                ),
            )  # fmt: skip
            models, _ = train_stack(data, recipe_settings("gauss_newton", {}), [(system, 0)], 1)
            begin = time.process_time()
            table = as_field(models.parameters, 0, table=tuple(models.seen[0]))
            built = time.process_time() - begin
            exact = as_field(models.parameters, 0)
            for tolerance in CHOICES:
                seconds, found = integrated(
                    (field(system), table), graphs, initials, tolerance, chosen.repeats
                )
                steps = [sum(int(x.steps[0]) for x in each) for each in found]
                failed = [sum(x.status[0] != "ok" for x in each) for each in found]
                text = (
                    f"{system:4s} gamma {gamma} tolerance {tolerance:.0e}: true system "
                    f"{1e3 * seconds[0]:6.1f} ms, nODE {1e3 * seconds[1]:6.1f} ms, ratio "
                    f"{seconds[1] / seconds[0]:.2f} (steps {steps[0]} and {steps[1]}, failed "
                    f"{failed[0]} and {failed[1]})"
                )
                if tolerance == CHOICES[-1]:
                    [slow], [[alone]] = integrated((exact,), graphs[:1], initials[:1], tolerance, 1)
                    off = np.abs(alone.states - found[1][0].states) / (1 + np.abs(alone.states))
                    text += (
                        f"; networks themselves {slow:.2f} s, largest difference of states "
                        f"{off.max():.1e}; tables made in {built:.2f} s"
                    )
                print(text, flush=True)


if __name__ == "__main__":
    main()
