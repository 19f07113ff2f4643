"""Sample all S¹ graphs of one grid cell."""

from typing import Any

from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.store import write_coordinates, write_graphs
from nodeflow.grid import Cell
from nodeflow.job import job

snakemake: Any
p, output = snakemake.params.p, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    graphs = sample_cell(
        Cell(p["N"], p["beta"], p["gamma"]),
        mean_degree=p["mean_degree"],
        role=p["role"],
        graphs=p["graphs"],
        sampler=p["sampler"],
        root_seed=p["seed"],
    )
    write_graphs(output.edges, graphs, made)
    write_coordinates(output.coordinates, graphs, made)
