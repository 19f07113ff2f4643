"""Error against training time: the recipes of neural ODEs, on the same data.

    OMP_NUM_THREADS=1 python benchmarks/bench_neural_ode.py --system BD --times 60

Every recipe's error on new graphs is printed each time that its number of steps has doubled. The
paper's recipe (Adagrad on integrated trajectories) runs until it has taken so many times the whole
time of the default recipe, or for all its steps. Times are processor seconds of one replicate, data
preparation included, evaluation not. A step of the paper's recipe is also timed as the plain
torchdiffeq loop that one would write by hand, so that nothing is gained by a slow competitor.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from nodeflow.dynamics import SYSTEMS, Tolerance, Trajectory, field, simulate_cell
from nodeflow.graphs import Graph, node_table, sample_cell
from nodeflow.grid import Cell
from nodeflow.neural_ode import Models, evaluate_models, recipe_settings
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.recipes import make_trainer
from nodeflow.neural_ode.settings import PaperSettings, Settings
from nodeflow.seeds import torch_generator

TOLERANCE = Tolerance(1e-6, 1e-6, 20_000)


class PlainNODE(nn.Module):
    """The model as one would write it without stacking: three `nn.Sequential`."""

    def __init__(self, adjacency: Tensor) -> None:
        super().__init__()
        self.adjacency = adjacency
        self.f, self.h_ego, self.h_alt = (
            nn.Sequential(
                nn.Linear(1, 64), nn.SELU(), nn.Linear(64, 64), nn.SELU(), nn.Linear(64, 64),
                nn.SELU(), nn.Linear(64, 1),
            )
            for _ in range(3)
        )  # fmt: skip
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=(0.01 / parameter.shape[1]) ** 0.5)

    def forward(self, _: Tensor, x: Tensor) -> Tensor:
        """dx/dt of states (B, n)."""
        f, h_ego, h_alt = (net(x[..., None])[..., 0] for net in (self.f, self.h_ego, self.h_alt))
        velocity: Tensor = f + h_ego * (h_alt @ self.adjacency)
        return velocity


def plain_step_seconds(data: Observations, settings: PaperSettings, steps: int = 8) -> float:
    """Processor seconds of a step of the hand-written loop, the first two left out."""
    torch.manual_seed(1)
    model = PlainNODE(torch.from_numpy(data.adjacency))
    optimizer = torch.optim.Adagrad(
        model.parameters(), lr=settings.learning_rate, initial_accumulator_value=0.1
    )
    [(times_of_runs, runs)] = data.groups
    states, times = torch.from_numpy(runs), torch.from_numpy(times_of_runs).float()
    tolerances = {"rtol": settings.tolerance, "atol": settings.tolerance}
    spent = []
    for _ in range(steps):
        begin = time.process_time()
        batch = states[torch.randint(len(states), (settings.batch,))].transpose(0, 1)
        solved = odeint(
            model, batch[0], times, **tolerances, method="dopri5",
            options={"first_step": settings.first_step},
        )  # fmt: skip
        loss = (solved - batch).square().mean().sqrt()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        spent.append(time.process_time() - begin)
    return float(np.median(spent[2:]))


def simulated(
    system: str, cell: Cell, role: str, graphs: int, trajectories: int, times: int
) -> tuple[list[Graph], list[Trajectory]]:
    """Graphs of a cell and trajectories on them."""
    drawn = sample_cell(cell, mean_degree=10, role=role, graphs=graphs, root_seed=1)
    observed = simulate_cell(
        drawn, system, role=role, cell=cell, trajectories=trajectories, initial=(0.0, 0.5),
        horizon=1.0, times=times, root_seed=1, tolerance=TOLERANCE,
    )  # fmt: skip
    return drawn, list(observed)


def main() -> None:
    """Train with each recipe and print one line a measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--system", choices=SYSTEMS, default="SIS")
    options.add_argument("--gamma", type=float, default=3.0)
    options.add_argument("--graphs", type=int, default=10)
    options.add_argument("--size", type=int, default=1024, help="of the large test graphs")
    options.add_argument(
        "--times", type=float, default=60.0, help="time of the paper's recipe over the default's"
    )
    chosen = options.parse_args()
    torch.set_num_threads(1)

    system, gamma = chosen.system, chosen.gamma
    [data] = observed(*simulated(system, Cell(64, 1.1, gamma), "training", 1, 256, 256))
    tests = [
        simulated(system, Cell(size, 1.1, gamma), "test", chosen.graphs, 1, 33)
        for size in (64, chosen.size)
    ]

    def errors(parameters: dict[str, Tensor]) -> list[float]:
        arrays = {n: x.detach().float().cpu().numpy().copy() for n, x in parameters.items()}
        seen = np.array([[data.states.min(), data.states.max()]], dtype=np.float64)
        models = Models(
            arrays,
            about={"training_graph": np.zeros(1, int), "seen": seen, "error": np.zeros(1)},
        )
        medians = []
        for graphs, truth in tests:
            _, runs = evaluate_models(
                models, field(system), graphs, node_table(graphs), truth, tolerance=TOLERANCE
            )
            medians.append(float(runs["mae"].fillna(np.inf).median()))
        return medians

    def train(recipe: str, settings: Settings, budget: float) -> tuple[int, float, list[float]]:
        spent, done, wanted = 0.0, 0, 64
        begin = time.process_time()
        generators = [torch_generator(1, "bench", recipe)]
        trainer = make_trainer([data], settings, generators, torch.device("cpu"))
        while done < trainer.steps and spent + time.process_time() - begin < budget:
            trainer.step()
            done += 1
            if done == wanted:
                spent += time.process_time() - begin
                line(f"{recipe} so far", done, spent, errors(trainer.parameters))
                wanted *= 2
                begin = time.process_time()
        spent += time.process_time() - begin
        return done, spent, errors(trainer.parameters)

    def line(name: str, steps: int, seconds: float, medians: list[float]) -> None:
        print(
            f"{system}  {name:20s} {steps:6d} steps {seconds:8.1f} s   "
            f"MAE N = 64: {medians[0]:.2e}   N = {chosen.size}: {medians[1]:.2e}",
            flush=True,
        )

    still = [float(np.mean([np.abs(x.states - x.states[0]).mean() for x in t])) for _, t in tests]
    line("persistence", 0, 0.0, still)
    results = {}
    for recipe in ("gauss_newton", "matching"):
        results[recipe] = train(recipe, recipe_settings(recipe, {}), np.inf)
        line(recipe, *results[recipe])
    paper, ours = PaperSettings(), results["gauss_newton"]
    by_hand = plain_step_seconds(data, paper)
    done, seconds, found = train("paper", paper, chosen.times * ours[1])
    line("paper", done, seconds, found)
    whole = seconds / done * paper.steps
    print(
        f"{system}  gauss_newton: {ours[1]:.2f} s, MAE {ours[2][0]:.2e} and {ours[2][1]:.2e}. The "
        f"paper's recipe after {seconds / ours[1]:.0f} times as long: {found[0] / ours[2][0]:.0f} "
        f"and {found[1] / ours[2][1]:.0f} times the error, so at least {seconds / ours[1]:.0f} "
        f"times as long to the same. It took {seconds / done:.3f} s a step (the plain loop at its "
        f"start {by_hand:.3f} s); its {paper.steps} steps would take {whole / 3600:.1f} h, "
        f"{whole / ours[1]:.0f} times as long."
    )


if __name__ == "__main__":
    main()
