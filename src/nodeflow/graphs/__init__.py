"""Graphs: the S¹ model, its samplers and predictions; null models; real networks; measures."""

from nodeflow.graphs.connection import connection_table, effective_distance, probability_at
from nodeflow.graphs.ensemble import Sampler, connect, sample_cell, sample_graph
from nodeflow.graphs.files import EdgeListProblem, read_edge_list
from nodeflow.graphs.graph import Graph, GraphProblem, build_graph, from_networkx, to_networkx
from nodeflow.graphs.measures import graph_table, node_table
from nodeflow.graphs.networks import NULL_MODELS, network_table, with_nulls
from nodeflow.graphs.nulls import erdos_renyi, rewire
from nodeflow.graphs.real import REAL_NETWORKS, RealNetwork, real_network
from nodeflow.graphs.s1 import ModelProblem
from nodeflow.graphs.store import EDGES, GRAPHS, NETWORKS, NODES, read_graphs, write_graphs
from nodeflow.graphs.theory import Prediction, predict

__all__ = [
    "EDGES",
    "GRAPHS",
    "NETWORKS",
    "NODES",
    "NULL_MODELS",
    "REAL_NETWORKS",
    "EdgeListProblem",
    "Graph",
    "GraphProblem",
    "ModelProblem",
    "Prediction",
    "RealNetwork",
    "Sampler",
    "build_graph",
    "connect",
    "connection_table",
    "effective_distance",
    "erdos_renyi",
    "from_networkx",
    "graph_table",
    "network_table",
    "node_table",
    "predict",
    "probability_at",
    "read_edge_list",
    "read_graphs",
    "real_network",
    "rewire",
    "sample_cell",
    "sample_graph",
    "to_networkx",
    "with_nulls",
    "write_graphs",
]
