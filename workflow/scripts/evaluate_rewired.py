"""Test the neural ODEs of all systems on copies of test graphs in which only degrees are kept.

For every system for which that has not been done. All systems see the same copies.
"""

from typing import Any

import pandas as pd

from nodeflow.dynamics.ensemble import simulate_as
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.measures import node_table
from nodeflow.graphs.nulls import rewire
from nodeflow.graphs.schemas import NODES
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.rewired import beside_original
from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED, NEURAL_ODE_RUNS
from nodeflow.neural_ode.store import read_models
from nodeflow.seeds import numpy_generator
from nodeflow.tables import is_current, read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    waiting = []
    for path, params, *inputs in zip(output, p.values(), files.models, files.runs, strict=True):
        made = {**params, "code": snakemake.params.code}
        if not is_current(path, NEURAL_ODE_REWIRED, made):
            models = read_models(inputs[0], made["models"])
            runs = read_table(inputs[1], NEURAL_ODE_RUNS, made["tests"])
            waiting.append((path, made, models, runs))
    tables: dict[str, list[pd.DataFrame]] = {path: [] for path, *_ in waiting}
    for index, (edges, nodes) in enumerate(
        zip(files.edges, files.nodes, strict=True) if waiting else ()
    ):
        shared = waiting[0][1]
        on = shared["truths"][index]["on"]
        N, beta, gamma = on["N"], on["beta"], on["gamma"]
        copies = [
            rewire(graph, numpy_generator(shared["seed"], "rewired", N, beta, gamma, number))
            for number, graph in enumerate(read_graphs(edges, on))
        ]
        measured, original = node_table(copies), read_table(nodes, NODES, on)
        for path, made, models, runs in waiting:
            truth = made["truths"][index]
            _errors, found = evaluate_models(
                models,
                field(made["system"], truth["parameters"]),
                copies,
                measured,
                list(simulate_as(truth, copies)),
                tolerance=Tolerance(**truth["tolerance"]),
            )
            on_graphs = runs.query("N == @N and beta == @beta and gamma == @gamma")
            table = beside_original(found, measured, on_graphs, original)
            tables[path].append(table.assign(N=N, beta=beta, gamma=gamma))
    for path, made, *_ in waiting:
        write_table(path, pd.concat(tables[path]), NEURAL_ODE_REWIRED, made)
