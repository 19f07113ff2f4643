"""Fixed points, predictions with unobserved nodes, and learned functions beside the true ones."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.node.functions import compare_functions
from nodeflow.node.hidden import hide_nodes
from nodeflow.node.stability import compare_fixed_points
from nodeflow.node.store import NODE_FIXED_POINTS, NODE_FUNCTIONS, NODE_HIDDEN, read_models
from nodeflow.seeds import numpy_generator
from nodeflow.tables import is_current, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    schemas = {
        "fixed_points": NODE_FIXED_POINTS,
        "hidden": NODE_HIDDEN,
        "functions": NODE_FUNCTIONS,
    }
    missing = [name for name in p if not is_current(output[name], schemas[name], p[name])]
    made = p["hidden"]
    truth = made["truth"]
    models, system = (
        read_models(files.models, made["models"]),
        field(made["system"], truth["parameters"]),
    )
    graphs, known = read_graphs(files.edges, truth["on"]), read_trajectories(files.truth, truth)
    tolerance = Tolerance(truth["rtol"], truth["atol"], truth["max_steps"])
    tables = {
        "fixed_points": lambda: compare_fixed_points(
            models,
            system,
            graphs[: p["fixed_points"]["graphs"]],
            [
                next(x for x in known if x.graph == index).states[0].astype("float64")
                for index in range(min(p["fixed_points"]["graphs"], len(graphs)))
            ],
            domain=SYSTEMS[made["system"]].domain,
            horizon=p["fixed_points"]["horizon"],
            tolerance=tolerance,
        ),
        "hidden": lambda: hide_nodes(
            models,
            system,
            graphs,
            known,
            made["removed"],
            [
                numpy_generator(
                    made["seed"], "hidden", made["trained_beta"], made["trained_gamma"], index
                )
                for index in range(len(graphs))
            ],
            tolerance=tolerance,
        ),
        "functions": lambda: compare_functions(models, system),
    }
    for name in missing:
        write_table(output[name], tables[name](), schemas[name], p[name])
