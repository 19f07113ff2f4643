"""Test the neural ODEs of all systems on copies of test graphs in which only degrees are kept.

For every system for which that has not been done. All systems see the same copies.
"""

from functools import cache
from typing import Any

import pandas as pd

from nodeflow.graphs.schemas import NODES
from nodeflow.graphs.store import read_graphs
from nodeflow.grid import Cell
from nodeflow.job import job
from nodeflow.neural_ode.rewired import RewiredCell
from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED, NEURAL_ODE_RUNS
from nodeflow.neural_ode.store import read_models
from nodeflow.tables import is_current, read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output


@cache
def rewired(index: int) -> RewiredCell:
    """The rewired graphs of one test cell."""
    first = next(iter(p.values()))
    on = first["truths"][index]["on"]
    return RewiredCell.of(
        Cell(on["N"], on["beta"], on["gamma"]),
        read_graphs(files.edges[index], on),
        read_table(files.nodes[index], NODES, on),
        first["seed"],
    )


with job(snakemake.log[0], snakemake.threads):
    for path, params, *tested in zip(output, p.values(), files.models, files.runs, strict=True):
        made = {**params, "code": snakemake.params.code}
        if is_current(path, NEURAL_ODE_REWIRED, made):
            continue
        models = read_models(tested[0], made["models"])
        runs = read_table(tested[1], NEURAL_ODE_RUNS, made["tests"])
        tables = [
            rewired(index).evaluate(models, truth, runs)
            for index, truth in enumerate(made["truths"])
        ]
        write_table(path, pd.concat(tables), NEURAL_ODE_REWIRED, made)
