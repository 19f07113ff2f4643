"""What it costs to integrate a neural ODE on a large graph, beside the true system.

    OMP_NUM_THREADS=1 python benchmarks/bench_evaluate.py

For each system a model is trained by the default recipe at N = 64 and integrated on graphs of
N = 8,192, from the same initial states as the true system: with the tolerance that the workflow
evaluates it with, which follows from its error on its training data; with the same tolerance as the
true system, ours (1e-6) and the paper's (1e-4); and once with the networks themselves instead of
their tables. Times are processor seconds of the fastest of several repetitions in turn; ratios are
of the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
import torch

from nodeflow.dynamics import SYSTEMS, Tolerance, field, simulate_cell
from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.dynamics.systems import Field
from nodeflow.graphs import Graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.neural_ode import as_field, recipe_settings
from nodeflow.neural_ode.observations import observed
from nodeflow.neural_ode.train import train_stack

TOLERANCE = Tolerance(1e-6, 1e-6, 20_000)
FINE, COARSE = 1e-6, 1e-4
TIMES = np.linspace(0.0, 1.0, 33)


def integrated(
    runs: Sequence[tuple[Field, float]],
    graphs: Sequence[Graph],
    initials: Sequence[np.ndarray],
    repeats: int,
) -> tuple[list[float], list[list[Simulation]]]:
    """Seconds a trajectory with each field and tolerance, and the trajectories."""
    best = [np.inf] * len(runs)
    simulations: list[list[Simulation]] = [[] for _ in runs]
    for _ in range(repeats):
        for k, (each, tolerance) in enumerate(runs):
            begin = time.process_time()
            simulations[k] = simulate_graphs(
                each, graphs, initials, TIMES, rtol=tolerance, atol=tolerance, max_steps=20_000
            )
            best[k] = min(best[k], (time.process_time() - begin) / len(graphs))
    return best, simulations


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
                        initial=(0.0, 0.5), horizon=1.0, times=256, root_seed=1,
                        tolerance=TOLERANCE,
                    )
                ),
            )  # fmt: skip
            models, _ = train_stack(data, recipe_settings("gauss_newton", {}), [(system, 0)], 1)
            begin = time.process_time()
            table = as_field(models.parameters, 0, table=tuple(models.seen[0]))
            built = time.process_time() - begin
            exact = as_field(models.parameters, 0)
            precise = TOLERANCE.for_error(models.error[0]).rtol
            pairs = [(FINE, precise), (FINE, FINE), (COARSE, COARSE)]
            runs = [(field(system), FINE), (field(system), COARSE)]
            runs += [(table, tolerance) for _, tolerance in pairs]
            seconds, simulations = integrated(runs, graphs, initials, chosen.repeats)
            for k, (tolerance, mine) in enumerate(pairs):
                true = 0 if tolerance == FINE else 1
                steps = [sum(int(x.steps[0]) for x in simulations[i]) for i in (true, k + 2)]
                failed = [sum(x.status[0] != "ok" for x in simulations[i]) for i in (true, k + 2)]
                print(
                    f"{system:4s} gamma {gamma}: true system to {tolerance:.0e} "
                    f"{1e3 * seconds[true]:6.1f} ms, nODE to {mine:.1e} "
                    f"{1e3 * seconds[k + 2]:6.1f} ms, ratio {seconds[k + 2] / seconds[true]:.2f} "
                    f"(steps {steps[0]} and {steps[1]}, failed {failed[0]} and {failed[1]})",
                    flush=True,
                )
            errors = [
                float(
                    np.mean(
                        [
                            np.abs(a.states - b.states).mean()
                            for a, b in zip(x, simulations[0], strict=True)
                        ]
                    )
                )
                for x in (simulations[2], simulations[3])
            ]
            [slow], [[alone]] = integrated([(exact, COARSE)], graphs[:1], initials[:1], 1)
            off = np.abs(alone.states - simulations[4][0].states) / (1 + np.abs(alone.states))
            print(
                f"{system:4s} gamma {gamma}: mean absolute error {errors[0]:.3e}, integrated to "
                f"{FINE:.0e} {errors[1]:.3e}; networks themselves {slow:.2f} s, largest difference "
                f"of states {off.max():.1e}; tables made in {built:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
