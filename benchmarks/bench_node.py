"""Error against training time: the recipes of neural ODEs, on the same data.

    OMP_NUM_THREADS=1 python benchmarks/bench_node.py --system BD --paper-seconds 240

The paper's recipe (Adagrad on integrated trajectories) runs for as many steps as the budget allows;
its error is printed each time that the number of steps has doubled. Times are processor seconds
of one replicate, data preparation included.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from nodeflow.dynamics import SYSTEMS, Trajectory, field, simulate_cell
from nodeflow.graphs import Graph, node_table, sample_cell
from nodeflow.grid import Cell
from nodeflow.node import Models, evaluate_models, recipe_settings
from nodeflow.node.observations import observed
from nodeflow.node.recipes import make_trainer
from nodeflow.node.settings import PaperSettings, Settings
from nodeflow.seeds import torch_generator

TOLERANCES = {"rtol": 1e-6, "atol": 1e-6, "max_steps": 20_000}


def simulated(
    system: str, cell: Cell, role: str, graphs: int, trajectories: int, times: int
) -> tuple[list[Graph], list[Trajectory]]:
    """Graphs of a cell and trajectories on them."""
    drawn = sample_cell(cell, mean_degree=10, role=role, graphs=graphs, root_seed=1)
    found = simulate_cell(
        drawn, system, role=role, cell=cell, trajectories=trajectories, initial=(0.0, 0.5),
        horizon=1.0, times=times, root_seed=1, **TOLERANCES,
    )  # fmt: skip
    return drawn, list(found)


def main() -> None:
    """Train with each recipe and print one line a measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--system", choices=SYSTEMS, default="SIS")
    options.add_argument("--gamma", type=float, default=3.0)
    options.add_argument("--graphs", type=int, default=10)
    options.add_argument("--size", type=int, default=1024, help="of the large test graphs")
    options.add_argument("--paper-seconds", type=float, default=240.0)
    chosen = options.parse_args()
    torch.set_num_threads(1)

    system, gamma = chosen.system, chosen.gamma
    [data] = observed(*simulated(system, Cell(64, 1.1, gamma), "training", 1, 256, 256))
    tests = [
        simulated(system, Cell(size, 1.1, gamma), "test", chosen.graphs, 1, 33)
        for size in (64, chosen.size)
    ]

    def errors(parameters: dict[str, torch.Tensor]) -> list[float]:
        arrays = {n: x.detach().float().cpu().numpy().copy() for n, x in parameters.items()}
        seen = np.array([[data.states.min(), data.states.max()]], dtype=np.float64)
        models = Models(arrays, np.zeros(1, int), seen, np.ones(1, bool))
        found = []
        for graphs, truth in tests:
            _, runs = evaluate_models(
                models, field(system), graphs, node_table(graphs), truth, **TOLERANCES
            )
            found.append(float(runs["mae"].fillna(np.inf).median()))
        return found

    def train(recipe: str, settings: Settings, budget: float) -> tuple[int, float, list[float]]:
        spent, done, wanted = 0.0, 0, 64
        begin = time.process_time()
        generators = [torch_generator(1, "bench", recipe)]
        trainer = make_trainer([data], settings, generators, torch.device("cpu"))
        while done < trainer.steps and spent + time.process_time() - begin < budget:
            trainer.step()
            done += 1
            if budget < np.inf and done == wanted:
                spent += time.process_time() - begin
                line(f"{recipe} so far", done, spent, errors(trainer.parameters))
                wanted *= 2
                begin = time.process_time()
        spent += time.process_time() - begin
        return done, spent, errors(trainer.parameters)

    def line(name: str, steps: int, seconds: float, found: list[float]) -> None:
        print(
            f"{system}  {name:14s} {steps:6d} steps {seconds:8.1f} s   "
            f"MAE N = 64: {found[0]:.2e}   N = {chosen.size}: {found[1]:.2e}",
            flush=True,
        )

    still = [float(np.mean([np.abs(x.states - x.states[0]).mean() for x in t])) for _, t in tests]
    line("persistence", 0, 0.0, still)
    results = {}
    for recipe in ("gauss_newton", "matching"):
        results[recipe] = train(recipe, recipe_settings(recipe, {}), np.inf)
        line(recipe, *results[recipe])
    paper = PaperSettings()
    done, seconds, found = train("paper", paper, chosen.paper_seconds)
    line("paper", done, seconds, found)
    ours = results["gauss_newton"]
    whole = seconds / done * paper.steps
    print(
        f"{system}  gauss_newton: {ours[1]:.2f} s and MAE {ours[2][0]:.2e}; the paper's recipe "
        f"after {seconds / ours[1]:.0f} times as long: MAE {found[0]:.2e} "
        f"({found[0] / ours[2][0]:.0f} times). Its {paper.steps} steps would take "
        f"{whole / 3600:.1f} h, {whole / ours[1]:.0f} times as long."
    )


if __name__ == "__main__":
    main()
