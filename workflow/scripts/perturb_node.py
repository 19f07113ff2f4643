"""Predict from noisy initial states."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.dynamics.systems import SYSTEMS, field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.node.hidden import perturb_initial_states
from nodeflow.node.store import NODE_NOISE, read_models
from nodeflow.seeds import numpy_generator
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    truth = p["truth"]
    graphs = read_graphs(files.edges, truth["on"])
    table = perturb_initial_states(
        read_models(files.models, p["models"]),
        field(p["system"], truth["parameters"]),
        graphs,
        read_trajectories(files.truth, truth),
        p["test_noise"],
        [numpy_generator(p["seed"], "test noise", p["system"], k) for k in range(len(graphs))],
        domain=SYSTEMS[p["system"]].domain,
        tolerance=Tolerance(truth["rtol"], truth["atol"], truth["max_steps"]),
    )
    write_table(output[0], table, NODE_NOISE, made)
