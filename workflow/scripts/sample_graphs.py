"""Sample all S¹ graphs of one grid cell, and measure them: a table of nodes and one of graphs."""

from typing import Any

from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.measures import graph_table, node_table
from nodeflow.graphs.schemas import COORDINATES, EDGES, GRAPHS, NODES
from nodeflow.graphs.store import read_graphs, write_coordinates, write_graphs
from nodeflow.grid import Cell
from nodeflow.job import job
from nodeflow.tables import is_current, write_table

snakemake: Any
p, output = snakemake.params.p, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    params = p["edges"]
    if is_current(output.edges, EDGES, params) and is_current(
        output.coordinates, COORDINATES, params
    ):
        graphs = read_graphs(output.edges, params, coordinates=output.coordinates)
    else:
        graphs = sample_cell(
            Cell(params["N"], params["beta"], params["gamma"]),
            mean_degree=params["mean_degree"],
            role=params["role"],
            graphs=params["graphs"],
            root_seed=params["seed"],
        )
        write_graphs(output.edges, graphs, params)
        write_coordinates(output.coordinates, graphs, params)
    write_table(output.nodes, node_table(graphs), NODES, p["nodes"])
    write_table(output.summary, graph_table(graphs), GRAPHS, p["summary"])
