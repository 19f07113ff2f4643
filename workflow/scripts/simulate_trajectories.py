"""Simulate every system on all graphs of a cell, or of a network, unless that has been done."""

from typing import Any

from nodeflow.dynamics.ensemble import simulate_as
from nodeflow.dynamics.schemas import TRAJECTORIES
from nodeflow.dynamics.store import write_trajectories
from nodeflow.graphs.graph import Graph
from nodeflow.graphs.store import read_graphs
from nodeflow.job import job
from nodeflow.tables import is_current

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    graphs: list[Graph] = []
    for path, params in zip(output, p.values(), strict=True):
        if is_current(path, TRAJECTORIES, params):
            continue
        graphs = graphs or read_graphs(files.edges, params["on"])
        write_trajectories(path, simulate_as(params, graphs), params)
