"""Activations of neural ODEs, and tails of laws beyond the states that they saw.

    OMP_NUM_THREADS=1 python benchmarks/bench_activations.py --out activations.jsonl
    python -m docs.numbers --bench bench_activations.py --activations

For each system neural ODEs are trained by our recipe with each activation, on several graphs of
N = 64, and tested on new graphs of N = 64 and 8,192, all to a tolerance of 1e-6, as the true system
is: alone, and with the tails of the law that is found on the same training graph. The table has the
mean absolute error, median over models and graphs, with quartiles; at N = 8,192 the steps of the
integrator over those of the true system, median and most; and how many integrations failed. An
integration fails after 300 steps, as in the default configuration.

The join of networks and tails was chosen on graphs of seed 1, so by default all graphs and initial
states are of another seed. Rows go to the file of `--out`; what is there is not computed again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from laws_tables import lined, number, read

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
ROWS = Path(__file__).parent / "activations_rows.jsonl"
ALONE, TAILS = "alone", "tails"


class Tests:
    """Graphs of one size, and the true trajectories on them."""

    def __init__(self, cell: Cell, count: int, random: np.random.Generator, seed: int = 1) -> None:
        self.graphs = sample_cell(cell, mean_degree=10, role="test", graphs=count, root_seed=seed)
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


def tested(fields: Sequence[Field | None], system: Field, tests: Sequence[Tests]) -> dict[str, Any]:
    """Errors at each size; steps over those of the true system and failures at the last."""
    row: dict[str, Any] = {"errors": {}}
    for test in tests:
        true, steps, _ = test.run(system)
        errors, ratios, failed = [], [], 0
        for each in fields:
            if each is None:
                failed += len(test.graphs)
                continue
            states, mine, _ = test.run(each)
            for a, b, s, t in zip(states, true, mine, steps, strict=True):
                if a is None or b is None:
                    failed += 1
                else:
                    errors.append(float(np.abs(a - b).mean()))
                    ratios.append(s / t)
        row["errors"][str(test.graphs[0].n)] = errors
    return {**row, "steps": ratios, "failed": failed}


def main() -> None:
    """Run what was asked for and is not there; then print the table of all."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    options.add_argument("--activations", nargs="*", choices=ACTIVATIONS, default=ACTIVATIONS)
    options.add_argument("--joins", nargs="*", choices=[ALONE, TAILS], default=[ALONE, TAILS])
    options.add_argument("--scale", type=float, default=0.01)
    options.add_argument("--gamma", type=float, default=2.1)
    options.add_argument("--size", type=int, default=8192)
    options.add_argument("--training", type=int, default=3, help="training graphs")
    options.add_argument("--graphs", type=int, default=3, help="test graphs of each size")
    options.add_argument("--seed", type=int, default=2, help="of all graphs and initial states")
    options.add_argument("--out", type=Path, default=ROWS, help="file of all rows, JSON lines")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rows = read(chosen.out)
    there = {key_of(row) for row in rows}
    random = np.random.default_rng(chosen.seed)
    small, large = Cell(64, 1.1, chosen.gamma), Cell(chosen.size, 1.1, chosen.gamma)
    training = sample_cell(
        small, mean_degree=10, role="training", graphs=chosen.training, root_seed=chosen.seed
    )
    tests = [Tests(cell, chosen.graphs, random, chosen.seed) for cell in (small, large)]
    for name in chosen.systems:
        asked = [
            {
                "system": name, "activation": activation, "join": join, "scale": chosen.scale,
                "gamma": chosen.gamma, "seed": chosen.seed, "graphs": chosen.graphs,
            }
            for activation in chosen.activations for join in chosen.joins
        ]  # fmt: skip
        left = [row for row in asked if key_of(row) not in there]
        if not left:
            continue
        runs = trajectories(name, training, small, chosen.seed)
        data, laws = observed(training, runs), laws_of(training, runs)
        for activation in dict.fromkeys(row["activation"] for row in left):
            settings = recipe_settings(
                "gauss_newton", {"activation": activation, "scale": chosen.scale}
            )
            begin = time.process_time()
            models, _ = train_stack(data, settings, [(name, x) for x in range(len(data))], 1)
            taken = (time.process_time() - begin) / len(data)
            for row in left:
                if row["activation"] != activation:
                    continue
                fields = (
                    model_fields(models)
                    if row["join"] == ALONE
                    else models_with_tails(models, laws).fields
                )
                row |= {"training_error": float(np.median(models.error)), "seconds": taken}
                rows.append(row | tested(fields, field(name), tests))
                with chosen.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print("\n".join(table(rows)))


def key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What names a row."""
    names = "system", "activation", "join", "scale", "gamma", "seed", "graphs"
    return tuple(row[name] for name in names)


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a system, activation and join."""
    header = [
        "system", "activation", "beyond the states seen", "error at N = 64", "at the largest N",
        "steps (most)", "failed",
    ]  # fmt: skip
    said = {ALONE: "its networks", TAILS: "tails of the law"}
    lines = []
    for row in sorted(rows, key=lambda x: list(SYSTEMS).index(x["system"])):
        steps, errors = row["steps"], row["errors"].values()
        lines.append([
            row["system"], row["activation"], said[row["join"]], *map(quartiles, errors),
            f"× {np.median(steps):.2f} ({max(steps):.2f})" if steps else "–",
            f"{row['failed']} of {row['failed'] + len(steps)}",
        ])  # fmt: skip
    return lined(header, lines)


def quartiles(errors: Sequence[float]) -> str:
    """Median and quartiles."""
    if not errors:
        return "–"
    low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75])
    return f"{number(middle)} [{number(low)}, {number(high)}]"


def trajectories(
    system: str, graphs: Sequence[Graph], cell: Cell, seed: int = 1
) -> list[Trajectory]:
    """What is learned from."""
    return list(
        simulate_cell(
            graphs, system, role="training", cell=cell, trajectories=TRAJECTORIES,
            initial=(0.0, 0.5), horizon=1.0, times=256, root_seed=seed, tolerance=TOLERANCE,
        )
    )  # fmt: skip


def laws_of(graphs: Sequence[Graph], runs: Sequence[Trajectory]) -> Fields:
    """The law found on each graph, of as many trajectories as networks use."""
    return discover_each(graphs, [x for x in runs if x.index < LAW_TRAJECTORIES]).fields


if __name__ == "__main__":
    main()
