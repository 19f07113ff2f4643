"""Predict on graphs of which some nodes are not observed."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.node.hidden import hide_nodes
from nodeflow.node.store import NODE_HIDDEN, read_models
from nodeflow.seeds import numpy_generator
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    truth = p["truth"]
    graphs = read_graphs(files.edges, truth["on"])
    labels = (p["trained_beta"], p["trained_gamma"])
    table = hide_nodes(
        read_models(files.models, p["models"]),
        field(p["system"], truth["parameters"]),
        graphs,
        read_trajectories(files.truth, truth),
        p["removed"],
        [numpy_generator(p["seed"], "hidden", *labels, k) for k in range(len(graphs))],
        tolerance=Tolerance(truth["rtol"], truth["atol"], truth["max_steps"]),
    )
    write_table(output[0], table, NODE_HIDDEN, made)
