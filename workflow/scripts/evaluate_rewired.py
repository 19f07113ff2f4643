"""Test the neural ODEs of all systems on copies of test graphs in which only degrees are kept."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from nodeflow.dynamics.ensemble import SETTINGS, simulate_cell
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.grid import Cell
from nodeflow.job import job
from nodeflow.neural_ode.rewired import evaluate_rewired
from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED, NEURAL_ODE_RUNS
from nodeflow.neural_ode.store import read_models
from nodeflow.seeds import numpy_generator
from nodeflow.tables import is_current, read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output


@cache
def tested_graphs(index: int) -> list[Graph]:
    """The graphs of one test cell, the same for all systems."""
    return read_graphs(files.edges[index], next(iter(p.values()))["truths"][index]["on"])


def test(made: Mapping[str, Any], models_file: str, runs_file: str) -> pd.DataFrame:
    """The tests of one system."""
    models = read_models(models_file, made["models"])
    runs = read_table(runs_file, NEURAL_ODE_RUNS, made["tests"])
    tables = []
    for index, truth in enumerate(made["truths"]):
        on, graphs = truth["on"], tested_graphs(index)
        cell = Cell(on["N"], on["beta"], on["gamma"])

        def simulate(
            copies: Sequence[Graph], truth: Mapping[str, Any] = truth, cell: Cell = cell
        ) -> list[Trajectory]:
            how = {name: truth[name] for name in SETTINGS}
            how["tolerance"] = Tolerance(**truth["tolerance"])
            role, seed = truth["on"]["role"], truth["on"]["seed"]
            given = truth["system"], truth["parameters"]
            return list(simulate_cell(copies, *given, role=role, cell=cell, **how, root_seed=seed))

        labels = [(cell.N, cell.beta, cell.gamma, graph) for graph in range(len(graphs))]
        table = evaluate_rewired(
            models,
            field(made["system"], truth["parameters"]),
            graphs,
            runs.query("N == @cell.N and beta == @cell.beta and gamma == @cell.gamma"),
            simulate,
            tolerance=Tolerance(**truth["tolerance"]),
            generators=[numpy_generator(made["seed"], "rewired", *x) for x in labels],
        )
        tables.append(table.assign(N=cell.N, beta=cell.beta, gamma=cell.gamma))
    return pd.concat(tables)


with job(snakemake.log[0], snakemake.threads):
    for path, made, *parts in zip(output, p.values(), files.models, files.runs, strict=True):
        made = {**made, "code": snakemake.params.code}
        if not is_current(path, NEURAL_ODE_REWIRED, made):
            write_table(path, test(made, *parts), NEURAL_ODE_REWIRED, made)
