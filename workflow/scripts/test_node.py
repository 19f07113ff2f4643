"""Test all neural ODEs of one training cell on all graphs of one test cell."""

from typing import Any

from nodeflow.dynamics.store import read_trajectories
from nodeflow.graphs.store import NODES, read_graphs
from nodeflow.job import job
from nodeflow.node.evaluate import evaluate_models
from nodeflow.node.store import NODE_ERRORS, NODE_RUNS, read_models
from nodeflow.tables import read_table, write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    truth = p["truth"]
    errors, runs = evaluate_models(
        read_models(files.models, p["models"]),
        read_graphs(files.edges, truth["on"]),
        read_table(files.nodes, NODES, truth["on"]),
        read_trajectories(files.truth, truth),
        rtol=truth["rtol"],
        atol=truth["atol"],
        max_steps=truth["max_steps"],
    )
    write_table(output.errors, errors, NODE_ERRORS, made)
    write_table(output.runs, runs, NODE_RUNS, made)
