"""Graphs: the S¹ model and its samplers, measures, files."""

from nodeflow.graphs.ensemble import Sampler, sample_cell, sample_graph
from nodeflow.graphs.graph import Graph, GraphProblem, build_graph, from_networkx, to_networkx
from nodeflow.graphs.measures import graph_table, node_table
from nodeflow.graphs.store import EDGES, GRAPHS, NODES, read_graphs, write_graphs

__all__ = [
    "EDGES",
    "GRAPHS",
    "NODES",
    "Graph",
    "GraphProblem",
    "Sampler",
    "build_graph",
    "from_networkx",
    "graph_table",
    "node_table",
    "read_graphs",
    "sample_cell",
    "sample_graph",
    "to_networkx",
    "write_graphs",
]
