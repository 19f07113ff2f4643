"""Fixed points, predictions with unobserved nodes, and functions, of neural ODEs or laws.

For every system, and of these only what has not been done.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import pandas as pd

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.neural_ode.functions import compare_functions
from nodeflow.neural_ode.hidden import hide_nodes
from nodeflow.neural_ode.schemas import (
    NEURAL_ODE_FIXED_POINTS,
    NEURAL_ODE_FUNCTIONS,
    NEURAL_ODE_HIDDEN,
)
from nodeflow.neural_ode.stability import compare_fixed_points
from nodeflow.seeds import numpy_generator
from nodeflow.tables import is_current, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

SCHEMAS = {
    "fixed_points": NEURAL_ODE_FIXED_POINTS,
    "hidden": NEURAL_ODE_HIDDEN,
    "functions": NEURAL_ODE_FUNCTIONS,
}


def examine(
    params: Mapping[str, Any],
    missing: list[str],
    graphs: list[Graph],
    models_files: list[str],
    truth_file: str,
) -> dict[str, pd.DataFrame]:
    """The missing tables of one system."""
    asked = params["hidden"]
    truth, name = asked["truth"], asked["system"]
    models = resolve_name(f"nodeflow.{asked['read']}")(*models_files, asked["models"])
    system = field(name, truth["parameters"])
    known = read_trajectories(truth_file, truth)
    tolerance = Tolerance(**truth["tolerance"])
    searched = graphs[: params["fixed_points"]["graphs"]]
    cell = asked["trained_beta"], asked["trained_gamma"]
    tables = {
        "fixed_points": lambda: compare_fixed_points(
            models,
            system,
            searched,
            [
                next(x for x in known if x.graph == index).states[0].astype("float64")
                for index in range(len(searched))
            ],
            domain=SYSTEMS[name].domain,
            horizon=params["fixed_points"]["horizon"],
            tolerance=tolerance,
        ),
        "hidden": lambda: hide_nodes(
            models,
            system,
            graphs,
            known,
            asked["removed"],
            [numpy_generator(asked["seed"], "hidden", *cell, k) for k in range(len(graphs))],
            tolerance=tolerance,
        ),
        "functions": lambda: compare_functions(models, system),
    }
    return {x: tables[x]() for x in missing}


with job(snakemake.log[0], snakemake.threads):
    graphs: list[Graph] = []
    for index, params in enumerate(p.values()):
        paths = {name: output[name][index] for name in SCHEMAS}
        missing = [x for x in paths if not is_current(paths[x], SCHEMAS[x], params[x])]
        if missing:
            graphs = graphs or read_graphs(files.edges, params["hidden"]["truth"]["on"])
            models_files = files.models[index :: len(p)]
            tables = examine(params, missing, graphs, models_files, files.truth[index])
            for name, table in tables.items():
                write_table(paths[name], table, SCHEMAS[name], params[name])
