"""Measure all graphs of one grid cell: a table of nodes and a table of graphs."""

from typing import Any

from nodeflow.graphs.measures import graph_table, node_table
from nodeflow.graphs.store import GRAPHS, NODES, read_graphs
from nodeflow.job import job
from nodeflow.tables import write_table

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output
made = {**p, "code": snakemake.params.code}

with job(snakemake.log[0], snakemake.threads):
    graphs = read_graphs(files.edges, p, coordinates=files.coordinates)
    write_table(output.nodes, node_table(graphs), NODES, made)
    write_table(output.summary, graph_table(graphs), GRAPHS, made)
