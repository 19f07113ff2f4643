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
    made = p["edges"]
    if is_current(output.edges, EDGES, made) and is_current(output.coordinates, COORDINATES, made):
        graphs = read_graphs(output.edges, made, coordinates=output.coordinates)
    else:
        graphs = sample_cell(
            Cell(made["N"], made["beta"], made["gamma"]),
            mean_degree=made["mean_degree"],
            role=made["role"],
            graphs=made["graphs"],
            root_seed=made["seed"],
        )
        write_graphs(output.edges, graphs, made)
        write_coordinates(output.coordinates, graphs, made)
    write_table(output.nodes, node_table(graphs), NODES, p["nodes"])
    write_table(output.summary, graph_table(graphs), GRAPHS, p["summary"])
