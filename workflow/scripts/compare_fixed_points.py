"""Fixed points of a system and of its neural ODEs, and their stability."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.node.stability import compare_fixed_points
from nodeflow.node.store import NODE_FIXED_POINTS, read_models
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    truth = p["truth"]
    graphs = read_graphs(files.edges, truth["on"])[: p["graphs"]]
    known = read_trajectories(files.truth, truth)
    firsts = [next(x for x in known if x.graph == index) for index in range(len(graphs))]
    table = compare_fixed_points(
        read_models(files.models, p["models"]),
        field(p["system"], truth["parameters"]),
        graphs,
        [x.states[0].astype("float64") for x in firsts],
        domain=SYSTEMS[p["system"]].domain,
        horizon=p["horizon"],
        tolerance=Tolerance(truth["rtol"], truth["atol"], truth["max_steps"]),
    )
    write_table(output[0], table, NODE_FIXED_POINTS, made)
